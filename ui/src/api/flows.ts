import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useDeletion } from "./deletion";
import { call } from "./fetch";
import type { Flow, FlowFilter } from "./types";

export const flowKeys = {
  all: ["flows"] as const,
  page: (filter: FlowFilter, sort: string, offset: number, limit: number) =>
    ["flows", "page", filter, sort, offset, limit] as const,
};

export const flowPage = (filter: FlowFilter, sort: string, offset: number, limit: number) =>
  queryOptions({
    queryKey: flowKeys.page(filter, sort, offset, limit) as readonly unknown[],
    queryFn: ({ signal }) =>
      call<Flow[]>("POST", "/flows/filter", { body: { flows: filter, sort, offset, limit }, signal }),
    placeholderData: keepPreviousData,
  });

export const flowCount = (filter: FlowFilter) =>
  queryOptions({
    queryKey: ["flows", "count", filter],
    queryFn: ({ signal }) => call<number>("POST", "/flows/count", { body: { flows: filter }, signal }),
  });

export const flowDetail = (id: string) =>
  queryOptions({
    queryKey: ["flows", "one", id],
    queryFn: ({ signal }) => call<Flow>("GET", `/flows/${id}`, { signal }),
  });

/** Names of flows by id, for lists of things that know only the id. Names never change, so they are asked for once. */
export function useFlowNames(ids: (string | null | undefined)[]): Map<string, string> {
  const wanted = [...new Set(ids.filter((id): id is string => Boolean(id)))].sort();
  const { data } = useQuery({
    queryKey: ["flows", "names", wanted],
    queryFn: ({ signal }) =>
      call<Flow[]>("POST", "/flows/filter", { body: { flows: { id: { any_: wanted } }, limit: 200 }, signal }),
    enabled: wanted.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    meta: { still: true },
  });
  return useMemo(() => new Map(data?.map((flow) => [flow.id, flow.name])), [data]);
}

export function useDeleteFlow() {
  return useDeletion((id: string) => call<void>("DELETE", `/flows/${id}`), ["flows", "flow_runs", "deployments"]);
}
