import { describe, expect, it } from "vitest";
import type { Graph, GraphNode } from "@/api/types";
import {
  densityOf,
  findInLane,
  firstAfter,
  formatOffset,
  type Item,
  itemsOf,
  lanesOf,
  rowsOf,
  spanOf,
  ticksOf,
} from "./layout";

const T0 = Date.parse("2026-11-23T12:00:00Z");
const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();

function node(id: string, start: number | null, end: number | null, part: Partial<GraphNode> = {}): GraphNode {
  return {
    id,
    kind: "task-run",
    label: id,
    state_type: end === null ? "RUNNING" : "COMPLETED",
    start_time: start === null ? null : at(start),
    end_time: end === null ? null : at(end),
    parents: [],
    children: [],
    ...part,
  };
}

function graph(nodes: GraphNode[], part: Partial<Graph> = {}): Graph {
  return {
    start_time: at(0),
    end_time: at(100),
    root_node_ids: [],
    nodes: nodes.map((one) => [one.id, one]),
    states: [],
    artifacts: [],
    ...part,
  };
}

const now = T0 + 200_000;
const ids = (items: Item[]) => items.map((item) => item.id);

describe("items", () => {
  it("are in the order in which they began; what has not begun has no place", () => {
    const items = itemsOf(graph([node("b", 5, 6), node("a", 1, 2), node("never", null, null), node("a2", 5, 7)]));
    expect(ids(items)).toEqual(["a", "a2", "b"]);
  });

  it("have a stretch for each attempt, the last of which counts", () => {
    const attempts = [
      { start_time: at(0), end_time: at(2), state_type: "FAILED" as const },
      { start_time: at(4), end_time: at(9), state_type: "COMPLETED" as const },
    ];
    const [item] = itemsOf(graph([node("a", 0, 9, { attempts })]));
    expect(item?.stretches.map((one) => [one.tone, one.past])).toEqual([
      ["failed", true],
      ["completed", false],
    ]);
  });

  it("of an opened subflow follow it, one step in", () => {
    const outer = graph([node("sub", 1, 9, { kind: "flow-run" }), node("after", 10, 11)]);
    const inner = graph([node("x", 2, 3), node("y", 3, 4)]);
    expect(ids(rowsOf(outer, new Map()))).toEqual(["sub", "after"]);
    const rows = rowsOf(outer, new Map([["sub", inner]]));
    expect(rows.map((row) => [row.id, row.depth])).toEqual([
      ["sub", 0],
      ["x", 1],
      ["y", 1],
      ["after", 0],
    ]);
    expect(ids(rowsOf(outer, new Map([["sub", undefined]])))).toEqual(["sub", "after"]);
  });
});

it("puts what was called inside of a task under that task", () => {
  const called = (id: string, start: number, caller: string) =>
    node(id, start, start + 1, { encapsulating: [{ id: caller }] });
  const rows = rowsOf(
    graph([node("a", 0, 9), node("b", 1, 2), called("c", 3, "a"), called("d", 4, "c"), called("lost", 5, "gone")]),
    new Map(),
  );
  expect(rows.map((row) => [row.id, row.depth])).toEqual([
    ["a", 0],
    ["c", 1],
    ["d", 2],
    ["b", 0],
    ["lost", 0],
  ]);
});

describe("lanes", () => {
  it("are as few as the run was wide, and no item covers another", () => {
    const nodes = Array.from({ length: 3_000 }, (_, index) => {
      const start = Math.floor(index / 16) * 3 + ((index * 7919) % 13) / 10;
      return node(`n${index}`, start, start + 1 + ((index * 104_729) % 17) / 10);
    });
    const lanes = lanesOf(itemsOf(graph(nodes)), now, 0);
    for (const lane of lanes) {
      for (let index = 1; index < lane.length; index++) {
        expect((lane[index] as Item).start).toBeGreaterThanOrEqual((lane[index - 1] as Item).end as number);
      }
    }
    expect(lanes.flat()).toHaveLength(3_000);
    expect(lanes.length).toBeLessThanOrEqual(32);
  });

  it("hold one that goes on until now", () => {
    const lanes = lanesOf(itemsOf(graph([node("going", 0, null), node("next", 10, 11)])), now, 0);
    expect(lanes.map(ids)).toEqual([["going"], ["next"]]);
  });

  it("are used again once they are free", () => {
    const lanes = lanesOf(itemsOf(graph([node("a", 0, 5), node("b", 1, 2), node("c", 3, 4), node("d", 6, 7)])), now, 0);
    expect(lanes.map(ids)).toEqual([["a"], ["b", "c", "d"]]);
  });

  it("tell what is at an instant", () => {
    const lane = itemsOf(graph([node("a", 0, 1), node("b", 5, 6), node("c", 9, null)]));
    expect(findInLane(lane, T0 + 500, now, 0)?.id).toBe("a");
    expect(findInLane(lane, T0 + 3_000, now, 0)).toBeUndefined();
    expect(findInLane(lane, T0 + 4_950, now, 100)?.id).toBe("b");
    expect(findInLane(lane, now, now, 0)?.id).toBe("c");
    expect(firstAfter(lane, T0 + 5_500, now)).toBe(1);
    expect(firstAfter(lane, T0 + 7_000, now)).toBe(2);
  });
});

describe("the span", () => {
  it("of a run that has ended ends with it", () => {
    const one = graph([node("a", 1, 90)]);
    expect(spanOf(one, itemsOf(one), now)).toEqual({ from: T0, to: T0 + 100_000 });
  });

  it("of a run that goes on ends now", () => {
    const one = graph([node("a", 1, null)], { end_time: null });
    expect(spanOf(one, itemsOf(one), now)).toEqual({ from: T0, to: now });
  });

  it("holds what ended after the run was said to have", () => {
    const one = graph([node("late", 99, 130)]);
    expect(spanOf(one, itemsOf(one), now).to).toBe(T0 + 130_000);
  });

  it("is never empty", () => {
    const one = graph([], { start_time: null, end_time: null });
    const { from, to } = spanOf(one, [], now);
    expect(to).toBeGreaterThan(from);
  });
});

it("counts what went on at the same time, and marks failures where they ended", () => {
  const items = itemsOf(graph([node("a", 0, 10), node("b", 5, 10), node("c", 8, 9, { state_type: "FAILED" })]));
  const { load, failed } = densityOf(items, T0, T0 + 10_000, 10, now);
  expect(load).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 3, 3]);
  expect(failed.map(Number)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
});

describe("the axis", () => {
  it("has round steps, far enough apart", () => {
    const ticks = ticksOf(T0, T0 + 221_000, T0, 1000, 96);
    expect(ticks[0]).toEqual({ at: T0, step: 30_000 });
    expect(ticks).toHaveLength(8);
  });

  it("counts from the start, however far in one looks", () => {
    const ticks = ticksOf(T0 + 61_234, T0 + 61_300, T0, 1000, 96);
    expect(ticks.every((tick) => (tick.at - T0) % tick.step === 0)).toBe(true);
  });

  it.each([
    [0, 1000, "0:00"],
    [65_000, 5_000, "1:05"],
    [3_750_000, 30_000, "1:02:30"],
    [1_250, 50, "0:01.25"],
    [1_250, 5, "0:01.250"],
    [-2_000, 1_000, "−0:02"],
  ])("writes %d ms in steps of %d as %s", (offset, step, text) => expect(formatOffset(offset, step)).toBe(text));
});
