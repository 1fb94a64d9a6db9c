import { type Query, type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";

const DELETION = ["delete"] as const;

type About = Pick<Query, "queryKey" | "meta">;

const isAbout = (query: About, id: string) => query.queryKey.includes(id) || query.meta?.flowRun === id;

/** Whether what a query is about was deleted since it was answered, or is just being: its page is about to be left. */
export function isGone(client: QueryClient, query: About & { state: { dataUpdatedAt: number } }): boolean {
  return client
    .getMutationCache()
    .findAll({ mutationKey: DELETION })
    .some(
      ({ state }) =>
        (state.status === "pending" || state.status === "success") &&
        state.submittedAt >= query.state.dataUpdatedAt &&
        isAbout(query, String(state.variables)),
    );
}

/** Deletes one of a noun; then all that may have changed with it is asked for again, but not what was deleted. */
export function useDeletion(perform: (id: string) => Promise<void>, nouns: string[]) {
  const client = useQueryClient();
  return useMutation({
    mutationKey: DELETION,
    mutationFn: perform,
    // What is on its way already would come back as not found.
    onMutate: (id) => client.cancelQueries({ predicate: (query) => isAbout(query, id) }),
    onError: (_, id) => void client.invalidateQueries({ predicate: (query) => isAbout(query, id) }),
    onSuccess: (_, id) =>
      void client.invalidateQueries({
        predicate: (query) => nouns.includes(String(query.queryKey[0])) && !isAbout(query, id),
      }),
  });
}
