import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useDeletion } from "./deletion";
import { call } from "./fetch";
import { mergeGraphs, sinceOf } from "./graphs";
import type { FlowRun, FlowRunSort, Graph, HistoryInterval, OrchestrationResult, Selection, State } from "./types";

export const flowRunKeys = {
  all: ["flow_runs"] as const,
  one: (id: string) => ["flow_runs", "one", id] as const,
};

/** Everything about one run changes only when that run changes. */
const about = (id: string) => ({ meta: { flowRun: id } });

export const flowRunPage = (selection: Selection, sort: FlowRunSort, offset: number, limit: number) =>
  queryOptions({
    queryKey: ["flow_runs", "page", selection, sort, offset, limit] as readonly unknown[],
    queryFn: ({ signal }) =>
      call<FlowRun[]>("POST", "/flow_runs/filter", { body: { ...selection, sort, offset, limit }, signal }),
    placeholderData: keepPreviousData,
  });

export const flowRunCount = (selection: Selection) =>
  queryOptions({
    queryKey: ["flow_runs", "count", selection],
    queryFn: ({ signal }) => call<number>("POST", "/flow_runs/count", { body: selection, signal }),
    placeholderData: keepPreviousData,
  });

/** Runs counted by state in equal stretches of time, by when they were expected to start. */
export const flowRunHistory = (selection: Selection, start: string, end: string, seconds: number) =>
  queryOptions({
    queryKey: ["flow_runs", "history", selection, start, end, seconds],
    queryFn: ({ signal }) =>
      call<HistoryInterval[]>("POST", "/flow_runs/history", {
        body: { ...selection, history_start: start, history_end: end, history_interval_seconds: seconds },
        signal,
      }),
    placeholderData: keepPreviousData,
  });

export const flowRunDetail = (id: string) =>
  queryOptions({
    queryKey: flowRunKeys.one(id),
    queryFn: ({ signal }) => call<FlowRun>("GET", `/flow_runs/${id}`, { signal }),
    ...about(id),
  });

export const flowRunStates = (id: string) =>
  queryOptions({
    queryKey: ["flow_runs", "states", id],
    queryFn: ({ signal }) => call<State[]>("GET", "/flow_run_states/", { query: { flow_run_id: id }, signal }),
    ...about(id),
  });

/**
 * The run's tasks and subflows with their times: drawn anew when task runs change, which is why they are its noun. Of a
 * large run that goes on, only what may have changed is asked for.
 */
export const flowRunGraph = (id: string) =>
  queryOptions({
    queryKey: ["task_runs", "graph", id],
    queryFn: async ({ signal, client, queryKey }) => {
      const before = client.getQueryData<Graph>(queryKey);
      const since = sinceOf(before);
      const query = since ? { query: { since } } : {};
      const graph = await call<Graph>("GET", `/flow_runs/${id}/graph-v2`, { ...query, signal });
      return since && before ? mergeGraphs(before, graph) : graph;
    },
    ...about(id),
  });

/** Runs by id, for what knows only the ids. */
const namedRuns = (wanted: string[]) => ({
  queryKey: ["flow_runs", "names", wanted],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    call<FlowRun[]>("POST", "/flow_runs/filter", { body: { flow_runs: { id: { any_: wanted } }, limit: 200 }, signal }),
  enabled: wanted.length > 0,
  staleTime: Number.POSITIVE_INFINITY,
  placeholderData: keepPreviousData,
  meta: { still: true },
});

/** The flows of runs, by the ids of the runs; of the first 200. */
export function useFlowsOfRuns(ids: string[]): Map<string, string> {
  const { data } = useQuery(namedRuns([...new Set(ids)].sort().slice(0, 200)));
  return useMemo(() => new Map(data?.map((run) => [run.id, run.flow_id])), [data]);
}

/** Runs by id, for lists of things that know only the id of their run. */
export function useFlowRunNames(ids: (string | null | undefined)[]): Map<string, string> {
  const wanted = [...new Set(ids.filter((id): id is string => Boolean(id)))].sort();
  const { data } = useQuery(namedRuns(wanted));
  return useMemo(() => new Map(data?.map((run) => [run.id, run.name])), [data]);
}

function useFlowRunMutation<Input, Answer>(perform: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: perform, onSettled: () => client.invalidateQueries({ queryKey: flowRunKeys.all }) });
}

export function useCancelFlowRun() {
  return useFlowRunMutation((id: string) =>
    call<OrchestrationResult>("POST", `/flow_runs/${id}/set_state`, {
      body: { state: { type: "CANCELLING", name: "Cancelling", message: "Cancelled from the browser" } },
    }),
  );
}

/** A new attempt of a run that has ended: only runs of a deployment have somebody who starts them. */
export function useRetryFlowRun() {
  return useFlowRunMutation((id: string) =>
    call<OrchestrationResult>("POST", `/flow_runs/${id}/set_state`, {
      body: { state: { type: "SCHEDULED", name: "AwaitingRetry", message: "Retried from the browser" } },
    }),
  );
}

export function useResumeFlowRun() {
  return useFlowRunMutation((id: string) => call<OrchestrationResult>("POST", `/flow_runs/${id}/resume`, { body: {} }));
}

export function useDeleteFlowRun() {
  return useDeletion((id: string) => call<void>("DELETE", `/flow_runs/${id}`), ["flow_runs", "task_runs", "artifacts"]);
}
