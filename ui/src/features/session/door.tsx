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
  const { data: settings } = useQuery(uiSettings);
  const needed = settings?.auth !== null && settings?.auth !== undefined;
  const { error } = useQuery({ ...serverFacts, enabled: needed });
  const shut = needed && error instanceof ApiError && error.status === 401;

  // The stream begins once somebody is in, and begins anew for somebody else.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key is another stream
  useEffect(() => (shut ? undefined : startLive(queryClient)), [shut, tries]);

  if (shut) {
    return (
      <Suspense>
        <SignIn done={() => setTries(tries + 1)} />
      </Suspense>
    );
  }
  return children;
}
