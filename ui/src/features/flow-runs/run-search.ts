import type { FlowRunFilter, FlowRunSort, Selection, StateType } from "@/api/types";
import { joinList, oneOf, splitList } from "@/search/address";

/** What the list of flow runs shows, as its address says it. */
export interface RunSearch {
  state?: string;
  flow?: string;
  deployment?: string;
  pool?: string;
  tag?: string;
  name?: string;
  since?: Since;
  subflows?: "hide";
  sort?: FlowRunSort;
}

/** The filters of the list. Without `since`, the past week; `next` is what is to come. */
export interface RunFilters {
  states: string[];
  flows: string[];
  deployments: string[];
  pools: string[];
  tags: string[];
  name: string;
  since: Since;
  hideSubflows: boolean;
  sort: FlowRunSort;
}

export const SINCES = ["1h", "24h", "7d", "30d", "all", "next"] as const;
export type Since = (typeof SINCES)[number];
export const DEFAULT_SINCE: Since = "7d";
export const HOURS: Partial<Record<Since, number>> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };

interface StateWord {
  word: string;
  type: StateType;
  /** A word that stands for one name of its type only. */
  name?: string;
}

/** Words of states as the address has them, with the state that each stands for. */
export const STATE_WORDS: StateWord[] = [
  { word: "running", type: "RUNNING" },
  { word: "completed", type: "COMPLETED" },
  { word: "failed", type: "FAILED" },
  { word: "timed-out", type: "FAILED", name: "TimedOut" },
  { word: "crashed", type: "CRASHED" },
  { word: "late", type: "SCHEDULED", name: "Late" },
  { word: "scheduled", type: "SCHEDULED" },
  { word: "awaiting-retry", type: "SCHEDULED", name: "AwaitingRetry" },
  { word: "awaiting-slot", type: "SCHEDULED", name: "AwaitingConcurrencySlot" },
  { word: "pending", type: "PENDING" },
  { word: "paused", type: "PAUSED" },
  { word: "cancelling", type: "CANCELLING" },
  { word: "cancelled", type: "CANCELLED" },
];

const SORTS: FlowRunSort[] = [
  "START_TIME_DESC",
  "START_TIME_ASC",
  "NAME_ASC",
  "NAME_DESC",
  "END_TIME_DESC",
  "EXPECTED_START_TIME_ASC",
];

export function readRunSearch(search: Record<string, unknown>): RunSearch {
  const text = (name: string) => (typeof search[name] === "string" && search[name] ? search[name] : undefined);
  return {
    state: text("state"),
    flow: text("flow"),
    deployment: text("deployment"),
    pool: text("pool"),
    tag: text("tag"),
    name: text("name"),
    since: oneOf(SINCES, search.since),
    subflows: search.subflows === "hide" ? "hide" : undefined,
    sort: oneOf(SORTS, search.sort),
  };
}

const standardSort = (since: Since | undefined): FlowRunSort =>
  since === "next" ? "EXPECTED_START_TIME_ASC" : "START_TIME_DESC";

export function filtersOf(search: RunSearch): RunFilters {
  const since = search.since ?? DEFAULT_SINCE;
  return {
    states: splitList(search.state).filter((word) => STATE_WORDS.some((known) => known.word === word)),
    flows: splitList(search.flow),
    deployments: splitList(search.deployment),
    pools: splitList(search.pool),
    tags: splitList(search.tag),
    name: search.name ?? "",
    since,
    hideSubflows: search.subflows === "hide",
    sort: search.sort ?? standardSort(since),
  };
}

export function searchOf(filters: Partial<RunFilters>): RunSearch {
  return {
    state: joinList(filters.states ?? []),
    flow: joinList(filters.flows ?? []),
    deployment: joinList(filters.deployments ?? []),
    pool: joinList(filters.pools ?? []),
    tag: joinList(filters.tags ?? []),
    name: filters.name || undefined,
    since: filters.since === DEFAULT_SINCE ? undefined : filters.since,
    subflows: filters.hideSubflows ? "hide" : undefined,
    sort: filters.sort === standardSort(filters.since) ? undefined : filters.sort,
  };
}

const FIVE_MINUTES = 5 * 60_000;

/** Bounds move in steps of five minutes: a question that changes with every second could never be answered from the cache. */
export function selectionOf(filters: RunFilters, now: number): Selection {
  const runs: FlowRunFilter = {};
  const state = stateFilter(filters.states);
  if (state) runs.state = state;
  if (filters.name) runs.name = { like_: filters.name };
  if (filters.tags.length) runs.tags = { all_: filters.tags };
  if (filters.deployments.length) runs.deployment_id = { any_: filters.deployments };
  if (filters.hideSubflows) runs.parent_task_run_id = { is_null_: true };
  if (filters.since === "next") {
    runs.state = { type: { any_: ["SCHEDULED"] } };
  } else {
    const hours = HOURS[filters.since];
    const step = Math.floor(now / FIVE_MINUTES) * FIVE_MINUTES;
    const before_ = new Date(step + FIVE_MINUTES).toISOString();
    runs.expected_start_time = hours
      ? { before_, after_: new Date(step - hours * 3_600_000).toISOString() }
      : { before_ };
  }
  const selection: Selection = { flow_runs: runs };
  if (filters.flows.length) selection.flows = { id: { any_: filters.flows } };
  if (filters.pools.length) selection.work_pools = { name: { any_: filters.pools } };
  return selection;
}

function stateFilter(words: string[]): FlowRunFilter["state"] | undefined {
  const known = STATE_WORDS.filter(({ word }) => words.includes(word));
  if (!known.length) return undefined;
  const types = known.filter((state) => !state.name).map((state) => state.type);
  const names = known.flatMap((state) => state.name ?? []);
  return {
    ...(types.length && names.length ? { operator: "or_" } : {}),
    ...(types.length ? { type: { any_: types } } : {}),
    ...(names.length ? { name: { any_: names } } : {}),
  };
}

/** Whether the list is narrowed by anything but time and order. */
export function isNarrowed(filters: RunFilters): boolean {
  const { states, flows, deployments, pools, tags, name, hideSubflows } = filters;
  return [states, flows, deployments, pools, tags].some((list) => list.length > 0) || name !== "" || hideSubflows;
}
