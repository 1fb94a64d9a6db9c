import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useDeletion } from "./deletion";
import { call } from "./fetch";
import type {
  Worker,
  WorkerKind,
  WorkPool,
  WorkPoolCreate,
  WorkPoolUpdate,
  WorkQueue,
  WorkQueueCreate,
  WorkQueueUpdate,
} from "./types";

const at = (name: string) => `/work_pools/${encodeURIComponent(name)}`;

export const workPoolPage = (offset: number, limit: number) =>
  queryOptions({
    queryKey: ["work_pools", "page", offset, limit] as readonly unknown[],
    queryFn: ({ signal }) => call<WorkPool[]>("POST", "/work_pools/filter", { body: { offset, limit }, signal }),
    placeholderData: keepPreviousData,
  });

export const workPoolDetail = (name: string) =>
  queryOptions({
    queryKey: ["work_pools", "one", name],
    queryFn: ({ signal }) => call<WorkPool>("GET", at(name), { signal }),
  });

export const workPoolQueues = (name: string) =>
  queryOptions({
    queryKey: ["work_pools", "queues", name],
    queryFn: ({ signal }) => call<WorkQueue[]>("POST", `${at(name)}/queues/filter`, { body: { limit: 200 }, signal }),
  });

export const workPoolWorkers = (name: string) =>
  queryOptions({
    queryKey: ["work_pools", "workers", name],
    queryFn: ({ signal }) => call<Worker[]>("POST", `${at(name)}/workers/filter`, { body: { limit: 200 }, signal }),
  });

export interface PoolType {
  type: string;
  name: string;
  description: string;
}

/** The types of pool this server knows, as its catalogue describes them. */
export const poolTypes = queryOptions({
  queryKey: ["work_pools", "types"],
  queryFn: async ({ signal }): Promise<PoolType[]> => {
    const catalogue = await call<Record<string, Record<string, WorkerKind>>>(
      "GET",
      "/collections/views/aggregate-worker-metadata",
      { signal },
    );
    return Object.values(catalogue)
      .flatMap((kinds) => Object.values(kinds))
      .map(({ type, display_name, description }) => ({ type, name: display_name, description }));
  },
  staleTime: Number.POSITIVE_INFINITY,
  meta: { still: true },
});

function useWorkPoolMutation<Input, Answer>(perform: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: perform, onSettled: () => client.invalidateQueries({ queryKey: ["work_pools"] }) });
}

export function useCreateWorkPool() {
  return useWorkPoolMutation((pool: WorkPoolCreate) => call<WorkPool>("POST", "/work_pools/", { body: pool }));
}

export function useUpdateWorkPool() {
  return useWorkPoolMutation(({ name, update }: { name: string; update: WorkPoolUpdate }) =>
    call<void>("PATCH", at(name), { body: update }),
  );
}

export function useDeleteWorkPool() {
  return useDeletion((name: string) => call<void>("DELETE", at(name)), ["work_pools"]);
}

export function useCreateQueue() {
  return useWorkPoolMutation(({ pool, queue }: { pool: string; queue: WorkQueueCreate }) =>
    call<WorkQueue>("POST", `${at(pool)}/queues`, { body: queue }),
  );
}

export function useUpdateQueue() {
  return useWorkPoolMutation(
    ({ pool, name, update }: { pool: string; name: string; update: Partial<WorkQueueUpdate> }) =>
      call<void>("PATCH", `${at(pool)}/queues/${encodeURIComponent(name)}`, { body: update }),
  );
}

export function useDeleteQueue() {
  return useWorkPoolMutation(({ pool, name }: { pool: string; name: string }) =>
    call<void>("DELETE", `${at(pool)}/queues/${encodeURIComponent(name)}`),
  );
}
