import { type Query, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./fetch";
import { refreshInterval } from "./live";

export const PAGE = 100;

/** The one cache of what the server said, and the one policy by which it is refreshed. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 4_000,
      gcTime: 5 * 60_000,
      refetchInterval: refreshInterval,
      refetchOnWindowFocus: true,
      // What the server has refused it will refuse again; what did not answer may answer now.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: (failures) => 600 * 2 ** failures,
    },
    mutations: { retry: false },
  },
});

/** Asks again for what may have changed by a deletion, but not for what was deleted: its page is about to be left. */
export async function forget(client: QueryClient, nouns: string[], id: string): Promise<void> {
  const isAsked = (query: Query) => nouns.includes(String(query.queryKey[0]));
  const isGone = (query: Query) => query.queryKey.includes(id) || query.meta?.flowRun === id;
  // What is on its way already would come back as not found.
  await client.cancelQueries({ predicate: (query) => isAsked(query) && isGone(query) });
  await client.invalidateQueries({ predicate: (query) => isAsked(query) && !isGone(query) });
}
