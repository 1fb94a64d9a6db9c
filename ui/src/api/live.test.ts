import { describe, expect, it } from "vitest";
import { changesOf, isTouched, mergeChanges } from "./live";
import { messageReader } from "./stream";

const states = (news: unknown[]) => changesOf({ event: "states", data: JSON.stringify(news) });

describe("a message", () => {
  it("may come in pieces", () => {
    const read = messageReader();
    expect(read("id: 0-1\nevent: hel")).toEqual([]);
    expect(read("lo\ndata: {}\n")).toEqual([]);
    expect(read("\n: \n\nid: 0-2\nevent: commit\ndata: {}\n\nid")).toEqual([
      { event: "hello", data: "{}", id: "0-1" },
      { event: "commit", data: "{}", id: "0-2" },
    ]);
  });

  it("about runs touches those runs, at once", () => {
    const { soon } = states([
      { kind: "flow-run", id: "a", flow_run_id: null },
      { kind: "task-run", id: "t", flow_run_id: "b" },
      { kind: "task-run", id: "u", flow_run_id: "b" },
    ]);
    expect(soon).toEqual({ nouns: ["flow_runs", "task_runs", "logs", "artifacts"], flow_runs: ["a", "b"] });
  });

  it("about task runs only leaves lists of flow runs alone", () => {
    expect(states([{ kind: "task-run", id: "t", flow_run_id: "b" }]).soon?.nouns).not.toContain("flow_runs");
  });

  it("about very many runs touches all", () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      kind: "flow-run",
      id: String(index),
      flow_run_id: null,
    }));
    expect(states(many).soon?.flow_runs).toBeUndefined();
  });

  it("that something was stored touches what grows at once, and the rest after a while", () => {
    const { soon, later } = changesOf({ event: "commit", data: "{}" });
    expect(soon?.nouns).toContain("logs");
    expect(later?.nouns).toContain("deployments");
  });

  it("of greeting touches nothing", () => {
    expect(changesOf({ event: "hello", data: "{}" })).toEqual({ soon: null, later: null });
  });
});

describe("a query", () => {
  const query = (noun: string, meta?: Record<string, unknown>) => ({ queryKey: [noun, "page"], meta });

  it("is asked again when its noun has changed", () => {
    expect(isTouched({ nouns: ["logs"] }, query("logs"))).toBe(true);
    expect(isTouched({ nouns: ["logs"] }, query("flows"))).toBe(false);
  });

  it("about one run is asked again only for that run", () => {
    const change = { nouns: ["logs"], flow_runs: ["a"] };
    expect(isTouched(change, query("logs", { flowRun: "a" }))).toBe(true);
    expect(isTouched(change, query("logs", { flowRun: "b" }))).toBe(false);
    expect(isTouched(change, query("logs"))).toBe(true);
  });

  it("of what never changes is never asked again", () => {
    expect(isTouched({ nouns: ["flows"] }, query("flows", { still: true }))).toBe(false);
  });
});

it("merges changes, and one about all runs wins", () => {
  const a = { nouns: ["logs"], flow_runs: ["a"] };
  expect(mergeChanges(null, a)).toEqual(a);
  expect(mergeChanges(a, { nouns: ["logs", "flows"], flow_runs: ["b"] })).toEqual({
    nouns: ["logs", "flows"],
    flow_runs: ["a", "b"],
  });
  expect(mergeChanges(a, { nouns: ["logs"] }).flow_runs).toBeUndefined();
});
