import { describe, expect, it } from "vitest";
import { parseSearch, stringifySearch } from "@/search/address";
import { filtersOf, isNarrowed, type RunFilters, readRunSearch, searchOf, selectionOf } from "./run-search";

const NOW = Date.parse("2026-11-23T12:03:20Z");
const plain = filtersOf({});

/** The filters after a way through the address bar. */
function throughAddress(filters: RunFilters): RunFilters {
  return filtersOf(readRunSearch(parseSearch(stringifySearch(searchOf(filters) as Record<string, unknown>))));
}

describe("filters of runs", () => {
  it.each<Partial<RunFilters>>([
    {},
    { states: ["failed", "late"] },
    { flows: ["a", "b"], deployments: ["c"], pools: ["gpu, big"] },
    { tags: ["x,y", "z"], name: "50% & more" },
    { since: "30d", sort: "NAME_ASC", hideSubflows: true },
    { since: "next", sort: "EXPECTED_START_TIME_ASC" },
  ])("are the same after a way through the address: %j", (part) => {
    const filters = { ...plain, ...part };
    expect(throughAddress(filters)).toEqual(filters);
  });

  it("leave the address bare as long as nothing is chosen", () => {
    expect(stringifySearch(searchOf(plain) as Record<string, unknown>)).toBe("");
  });

  it("ignore what is in the address and means nothing", () => {
    const search = readRunSearch({
      state: "failed,nonsense",
      since: "ever",
      sort: "SIDEWAYS",
      subflows: "x",
      other: "y",
    });
    expect(filtersOf(search)).toEqual({ ...plain, states: ["failed"] });
  });

  it("are narrowed by everything but time and order", () => {
    expect(isNarrowed({ ...plain, since: "1h", sort: "NAME_ASC" })).toBe(false);
    expect(isNarrowed({ ...plain, tags: ["a"] })).toBe(true);
    expect(isNarrowed({ ...plain, name: "a" })).toBe(true);
    expect(isNarrowed({ ...plain, hideSubflows: true })).toBe(true);
  });
});

describe("the question to the server", () => {
  it("is the same for five minutes", () => {
    const earlier = selectionOf(plain, Date.parse("2026-11-23T12:00:00Z"));
    expect(selectionOf(plain, NOW)).toEqual(earlier);
    expect(selectionOf(plain, Date.parse("2026-11-23T12:05:00Z"))).not.toEqual(earlier);
  });

  it("is bounded in time, and leaves out what is far ahead", () => {
    expect(selectionOf(plain, NOW).flow_runs?.expected_start_time).toEqual({
      before_: "2026-11-23T12:05:00.000Z",
      after_: "2026-11-16T12:00:00.000Z",
    });
    expect(selectionOf({ ...plain, since: "all" }, NOW).flow_runs?.expected_start_time).toEqual({
      before_: "2026-11-23T12:05:00.000Z",
    });
  });

  it("asks for types and names of states, either of which is enough", () => {
    const state = (states: string[]) => selectionOf({ ...plain, states }, NOW).flow_runs?.state;
    expect(state(["failed"])).toEqual({ type: { any_: ["FAILED"] } });
    expect(state(["late"])).toEqual({ name: { any_: ["Late"] } });
    expect(state(["failed", "late"])).toEqual({
      operator: "or_",
      type: { any_: ["FAILED"] },
      name: { any_: ["Late"] },
    });
    expect(state([])).toBeUndefined();
  });

  it("for what comes next has no bound and one state", () => {
    const selection = selectionOf({ ...plain, since: "next", states: ["failed"] }, NOW);
    expect(selection.flow_runs).toEqual({ state: { type: { any_: ["SCHEDULED"] } } });
  });

  it("names flows, pools, deployments, tags and names", () => {
    const filters = {
      ...plain,
      flows: ["f"],
      pools: ["p"],
      deployments: ["d"],
      tags: ["t"],
      name: "n",
      hideSubflows: true,
    };
    const selection = selectionOf(filters, NOW);
    expect(selection.flows).toEqual({ id: { any_: ["f"] } });
    expect(selection.work_pools).toEqual({ name: { any_: ["p"] } });
    expect(selection.flow_runs).toMatchObject({
      deployment_id: { any_: ["d"] },
      tags: { all_: ["t"] },
      name: { like_: "n" },
      parent_task_run_id: { is_null_: true },
    });
  });
});
