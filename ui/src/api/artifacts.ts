import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { useDeletion } from "./deletion";
import { call } from "./fetch";
import type { Artifact, ArtifactCollection, ArtifactFilter } from "./types";

type Sort = "CREATED_DESC" | "UPDATED_DESC" | "ID_DESC" | "KEY_DESC" | "KEY_ASC";

export const artifactPage = (filter: ArtifactFilter, sort: Sort, offset: number, limit: number) =>
  queryOptions({
    queryKey: ["artifacts", "page", filter, sort, offset, limit] as readonly unknown[],
    queryFn: ({ signal }) =>
      call<Artifact[]>("POST", "/artifacts/filter", { body: { artifacts: filter, sort, offset, limit }, signal }),
    placeholderData: keepPreviousData,
    meta: filter.flow_run_id?.any_?.[0] ? { flowRun: filter.flow_run_id.any_[0] } : {},
  });

export const artifactCount = (filter: ArtifactFilter) =>
  queryOptions({
    queryKey: ["artifacts", "count", filter],
    queryFn: ({ signal }) => call<number>("POST", "/artifacts/count", { body: { artifacts: filter }, signal }),
    meta: filter.flow_run_id?.any_?.[0] ? { flowRun: filter.flow_run_id.any_[0] } : {},
  });

/** The newest artifact of each key. */
export const latestArtifacts = (
  filter: { key?: { like_: string }; type?: { any_: string[] } },
  sort: Sort,
  offset: number,
  limit: number,
) =>
  queryOptions({
    queryKey: ["artifacts", "latest", filter, sort, offset, limit] as readonly unknown[],
    queryFn: ({ signal }) =>
      call<ArtifactCollection[]>("POST", "/artifacts/latest/filter", {
        body: { artifacts: filter, sort, offset, limit },
        signal,
      }),
    placeholderData: keepPreviousData,
  });

export const artifactDetail = (id: string) =>
  queryOptions({
    queryKey: ["artifacts", "one", id],
    queryFn: ({ signal }) => call<Artifact>("GET", `/artifacts/${id}`, { signal }),
  });

export function useDeleteArtifact() {
  return useDeletion((id: string) => call<void>("DELETE", `/artifacts/${id}`), ["artifacts"]);
}
