import { queryOptions } from "@tanstack/react-query";
import { call } from "./fetch";
import type { ServerFacts, UiSettings } from "./types";

export const serverFacts = queryOptions({
  queryKey: ["server", "facts"],
  queryFn: ({ signal }) => call<ServerFacts>("GET", "/server", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
  meta: { still: true },
});

/** What has to be known before anything can be asked: whether a key is needed. */
export const uiSettings = queryOptions({
  queryKey: ["server", "settings"],
  queryFn: ({ signal }) => call<UiSettings>("GET", "/ui-settings", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
  meta: { still: true },
});
