import { QueryClient } from "@tanstack/react-query";
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
