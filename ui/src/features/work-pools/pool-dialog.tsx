import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import type { WorkPool, WorkPoolCreate } from "@/api/types";
import { poolTypes, useCreateWorkPool, useUpdateWorkPool } from "@/api/work-pools";
import { Button } from "@/components/button";
import { cx } from "@/components/cx";
import { Dialog } from "@/components/dialog";
import { Field, Input } from "@/components/field";
import { say } from "@/components/toast";

const FORBIDDEN = /[/%&><]/;

/** Makes a work pool, or changes one; name and type stay what they were. */
export default function PoolDialog({ edited, close }: { edited: WorkPool | null; close: () => void }) {
  const [name, setName] = useState(edited?.name ?? "");
  const [type, setType] = useState(edited?.type ?? "process");
  const [description, setDescription] = useState(edited?.description ?? "");
  const [limit, setLimit] = useState(edited?.concurrency_limit?.toString() ?? "");
  const [error, setError] = useState<{ field: "name" | "limit" | null; text: string } | null>(null);
  const { data: types } = useQuery(poolTypes);
  const create = useCreateWorkPool();
  const update = useUpdateWorkPool();
  const navigate = useNavigate();
  const form = useId();

  const save = () => {
    const slots = limit.trim() === "" ? null : Number(limit);
    if (!name.trim()) return setError({ field: "name", text: "Give it a name." });
    if (FORBIDDEN.test(name)) return setError({ field: "name", text: "A name has none of / % & > <." });
    if (slots !== null && (!Number.isInteger(slots) || slots < 0))
      return setError({ field: "limit", text: "A whole number, or nothing for no limit." });
    const onError = (failed: Error) => setError({ field: null, text: failed.message });
    if (edited) {
      update.mutate(
        { name: edited.name, update: { description: description || null, concurrency_limit: slots } },
        { onSuccess: close, onError },
      );
      return;
    }
    const pool = {
      name: name.trim(),
      type,
      description: description || null,
      concurrency_limit: slots,
    } as WorkPoolCreate;
    create.mutate(pool, {
      onSuccess: (made) => {
        say(`The work pool ${made.name} is there.`);
        close();
        void navigate({ to: "/work-pools/$name", params: { name: made.name } });
      },
      onError,
    });
  };

  return (
    <Dialog
      open
      close={close}
      title={edited ? `Change ${edited.name}` : "New work pool"}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="ink" type="submit" form={form} busy={create.isPending || update.isPending}>
            {edited ? "Save" : "Create"}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        {!edited && (
          <Field label="Name" error={error?.field === "name" && error.text}>
            {(ids) => (
              <Input
                {...ids}
                autoFocus
                value={name}
                placeholder="my-pool"
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        )}
        {!edited && (
          <fieldset>
            <legend className="mb-1 font-medium">Where its runs execute</legend>
            <div className="flex flex-col gap-1.5">
              {(types ?? []).map((one) => (
                <label
                  key={one.type}
                  className={cx(
                    "flex items-start gap-2.5 rounded-md border px-3 py-2",
                    one.type === type ? "border-ink bg-hover" : "border-line hover:border-line-strong",
                  )}
                >
                  <input
                    type="radio"
                    name="type"
                    value={one.type}
                    checked={one.type === type}
                    onChange={() => setType(one.type)}
                    className="mt-0.5 size-4 accent-ink"
                  />
                  <span>
                    <span className="block font-medium">{one.name}</span>
                    <span className="block text-ink-2 text-xs">{one.description}</span>
                  </span>
                </label>
              ))}
            </div>
          </fieldset>
        )}
        <Field label="Description" optional>
          {(ids) => <Input {...ids} value={description} onChange={(event) => setDescription(event.target.value)} />}
        </Field>
        <Field
          label="Runs at once"
          optional
          hint="Without a number, as many as the workers take"
          error={error?.field === "limit" && error.text}
        >
          {(ids) => (
            <Input
              {...ids}
              inputMode="numeric"
              value={limit}
              onChange={(event) => setLimit(event.target.value)}
              className="max-w-32"
            />
          )}
        </Field>
        {error && error.field === null && (
          <p role="alert" className="text-failed-ink">
            {error.text}
          </p>
        )}
      </form>
    </Dialog>
  );
}
