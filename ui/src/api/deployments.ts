import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useDeletion } from "./deletion";
import { ApiError, call } from "./fetch";
import type {
  Deployment,
  DeploymentFlowRunCreate,
  DeploymentScheduleCreate,
  DeploymentScheduleUpdate,
  DeploymentUpdate,
  FlowRun,
  Schedule,
  Selection,
} from "./types";

type Sort = "CREATED_DESC" | "UPDATED_DESC" | "NAME_ASC" | "NAME_DESC";

export const deploymentPage = (selection: Selection, sort: Sort, offset: number, limit: number) =>
  queryOptions({
    queryKey: ["deployments", "page", selection, sort, offset, limit] as readonly unknown[],
    queryFn: ({ signal }) =>
      call<Deployment[]>("POST", "/deployments/filter", { body: { ...selection, sort, offset, limit }, signal }),
    placeholderData: keepPreviousData,
  });

export const deploymentCount = (selection: Selection) =>
  queryOptions({
    queryKey: ["deployments", "count", selection],
    queryFn: ({ signal }) => call<number>("POST", "/deployments/count", { body: selection, signal }),
  });

export const deploymentDetail = (id: string) =>
  queryOptions({
    queryKey: ["deployments", "one", id],
    queryFn: ({ signal }) => call<Deployment>("GET", `/deployments/${id}`, { signal }),
  });

/** Names of deployments by id; asked for once. */
export function useDeploymentNames(ids: (string | null | undefined)[]): Map<string, string> {
  const wanted = [...new Set(ids.filter((id): id is string => Boolean(id)))].sort();
  const { data } = useQuery({
    queryKey: ["deployments", "names", wanted],
    queryFn: ({ signal }) =>
      call<Deployment[]>("POST", "/deployments/filter", {
        body: { deployments: { id: { any_: wanted } }, limit: 200 },
        signal,
      }),
    enabled: wanted.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    meta: { still: true },
  });
  return useMemo(() => new Map(data?.map((deployment) => [deployment.id, deployment.name])), [data]);
}

/** The next instants of a schedule that may not be saved yet; null from a server that cannot say. */
export const schedulePreview = (schedule: Schedule | null) =>
  queryOptions({
    queryKey: ["schedules", "preview", schedule],
    queryFn: async ({ signal }) => {
      try {
        return await call<string[]>("POST", "/ui/schedules/preview", { body: { schedule, count: 5 }, signal });
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return null;
        throw error;
      }
    },
    enabled: schedule !== null,
    retry: false,
    meta: { still: true },
  });

function useDeploymentMutation<Input, Answer>(perform: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: perform,
    // Schedules make and remove runs, so the lists of runs may be wrong as well.
    onSettled: () =>
      Promise.all(["deployments", "flow_runs"].map((noun) => client.invalidateQueries({ queryKey: [noun] }))),
  });
}

export function useCreateRun() {
  return useDeploymentMutation(({ id, run }: { id: string; run: DeploymentFlowRunCreate }) =>
    call<FlowRun>("POST", `/deployments/${id}/create_flow_run`, { body: run }),
  );
}

export function usePauseDeployment() {
  return useDeploymentMutation(({ id, paused }: { id: string; paused: boolean }) =>
    call<unknown>("POST", `/deployments/${id}/${paused ? "pause_deployment" : "resume_deployment"}`),
  );
}

export function useUpdateDeployment() {
  return useDeploymentMutation(({ id, update }: { id: string; update: Partial<DeploymentUpdate> }) =>
    call<void>("PATCH", `/deployments/${id}`, { body: update }),
  );
}

export function useDeleteDeployment() {
  return useDeletion((id: string) => call<void>("DELETE", `/deployments/${id}`), ["deployments", "flow_runs"]);
}

export function useCreateSchedule() {
  return useDeploymentMutation(({ id, schedule }: { id: string; schedule: DeploymentScheduleCreate }) =>
    call<unknown>("POST", `/deployments/${id}/schedules`, { body: [schedule] }),
  );
}

export function useUpdateSchedule() {
  return useDeploymentMutation(
    ({ id, scheduleId, update }: { id: string; scheduleId: string; update: DeploymentScheduleUpdate }) =>
      call<void>("PATCH", `/deployments/${id}/schedules/${scheduleId}`, { body: update }),
  );
}

export function useDeleteSchedule() {
  return useDeploymentMutation(({ id, scheduleId }: { id: string; scheduleId: string }) =>
    call<void>("DELETE", `/deployments/${id}/schedules/${scheduleId}`),
  );
}
