import { queryOptions } from "@tanstack/react-query";
import { ApiError, call } from "./fetch";
import type { Log, LogFilter } from "./types";

const scope = (filter: LogFilter) => {
  const flowRun = filter.flow_run_id?.any_?.[0];
  return { meta: flowRun ? { flowRun } : {} };
};

export const logPage = (filter: LogFilter, offset: number, limit: number) =>
  queryOptions({
    queryKey: ["logs", "page", filter, offset, limit] as readonly unknown[],
    queryFn: ({ signal }) =>
      call<Log[]>("POST", "/logs/filter", { body: { logs: filter, sort: "TIMESTAMP_ASC", offset, limit }, signal }),
    ...scope(filter),
  });

/** How many lines there are, or null from a server that does not count them. */
export const logCount = (filter: LogFilter) =>
  queryOptions({
    queryKey: ["logs", "count", filter],
    queryFn: async ({ signal }) => {
      try {
        return await call<number>("POST", "/logs/count", { body: { logs: filter }, signal });
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return null;
        throw error;
      }
    },
    ...scope(filter),
  });

/** Every line that passes the filter, page by page, for a download. */
export async function* readLogs(filter: LogFilter, signal: AbortSignal): AsyncGenerator<Log[]> {
  const limit = 200;
  for (let offset = 0; ; offset += limit) {
    const lines = await call<Log[]>("POST", "/logs/filter", {
      body: { logs: filter, sort: "TIMESTAMP_ASC", offset, limit },
      signal,
    });
    yield lines;
    if (lines.length < limit) return;
  }
}
