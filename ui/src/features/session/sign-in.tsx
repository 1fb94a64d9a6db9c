import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, call } from "@/api/fetch";
import { forgetKey, keepKey } from "@/api/key";
import type { ServerFacts } from "@/api/types";
import { Button } from "@/components/button";
import { Check, Field, Input } from "@/components/field";
import { Logo } from "@/features/shell/logo";

/** The door of a server with a key. */
export default function SignIn({ done }: { done: () => void }) {
  const [key, setKey] = useState("");
  const [stay, setStay] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const client = useQueryClient();

  const enter = async () => {
    if (!key.trim()) return setWrong("Give the key that the server was started with.");
    setBusy(true);
    keepKey(key.trim(), stay);
    try {
      await call<ServerFacts>("GET", "/server");
      await client.invalidateQueries();
      done();
    } catch (error) {
      forgetKey();
      setWrong(
        error instanceof ApiError && error.status === 401
          ? "This is not the key of this server."
          : (error as Error).message,
      );
      setBusy(false);
    }
  };
  return (
    <main className="flex min-h-dvh items-center justify-center p-4">
      <title>Sign in · Headrace</title>
      <form
        className="flex w-full max-w-sm flex-col gap-5 rounded-lg border border-line bg-paper p-7 shadow-shade"
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <div className="flex items-center gap-2.5 font-semibold text-lg tracking-[-0.015em]">
          <Logo className="size-8" />
          Headrace
        </div>
        <Field label="Key" error={wrong} hint="The administrator of this server has it.">
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="current-password"
              autoFocus
              value={key}
              onChange={(event) => setKey(event.target.value)}
            />
          )}
        </Field>
        <Check label="Stay signed in on this browser" checked={stay} onChange={setStay} />
        <Button type="submit" look="ink" busy={busy}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
