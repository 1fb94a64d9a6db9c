import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "./fetch";
import type { Selection, State, TaskRun, TaskRunSort } from "./types";

const about = (flowRun: string | undefined) => ({ meta: flowRun ? { flowRun } : {} });

/** `flowRun` names the run the selection is confined to, if it is: then only its changes matter. */
export const taskRunPage = (selection: Selection, sort: TaskRunSort, offset: number, limit: number, flowRun?: string) =>
  queryOptions({
    queryKey: ["task_runs", "page", selection, sort, offset, limit] as readonly unknown[],
    queryFn: ({ signal }) =>
      call<TaskRun[]>("POST", "/task_runs/filter", { body: { ...selection, sort, offset, limit }, signal }),
    placeholderData: keepPreviousData,
    ...about(flowRun),
  });

export const taskRunCount = (selection: Selection, flowRun?: string) =>
  queryOptions({
    queryKey: ["task_runs", "count", selection],
    queryFn: ({ signal }) => call<number>("POST", "/task_runs/count", { body: selection, signal }),
    placeholderData: keepPreviousData,
    ...about(flowRun),
  });

export const taskRunDetail = (id: string) =>
  queryOptions({
    queryKey: ["task_runs", "one", id],
    queryFn: ({ signal }) => call<TaskRun>("GET", `/task_runs/${id}`, { signal }),
  });

export const taskRunStates = (id: string) =>
  queryOptions({
    queryKey: ["task_runs", "states", id],
    queryFn: ({ signal }) => call<State[]>("GET", "/task_run_states/", { query: { task_run_id: id }, signal }),
  });
