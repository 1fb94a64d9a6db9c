import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { ApiError } from "@/api/fetch";
import { startLive } from "@/api/live";
import { queryClient } from "@/api/queries";
import { serverFacts, uiSettings } from "@/api/server";

const SignIn = lazy(() => import("./sign-in"));

/** Lets in whoever may come in: where the server needs a key and has none that is right, it asks for it. */
export function Door({ children }: { children: ReactNode }) {
  const [tries, setTries] = useState(0);
  const { data: settings, isError } = useQuery(uiSettings);
  const needed = settings?.auth !== null && settings?.auth !== undefined;
  const { data, error } = useQuery({ ...serverFacts, enabled: needed });
  const shut = needed && error instanceof ApiError && error.status === 401;
  // Where a key is needed nothing is asked before it has proved right: each question would be refused.
  const open = settings === undefined ? isError : !needed || (!shut && (data !== undefined || error !== null));

  // The stream begins once somebody is in, and begins anew for somebody else.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key is another stream
  useEffect(() => (open ? startLive(queryClient) : undefined), [open, tries]);

  if (shut) {
    return (
      <Suspense>
        <SignIn done={() => setTries(tries + 1)} />
      </Suspense>
    );
  }
  return open ? children : null;
}
