import { describe, expect, it } from "vitest";
import { mergeGraphs, sinceOf } from "./graphs";
import type { Graph, GraphNode } from "./types";

function node(id: string, part: Partial<GraphNode> = {}): GraphNode {
  return {
    id,
    kind: "task-run",
    label: id,
    state_type: "COMPLETED",
    start_time: "2026-11-23T12:00:00Z",
    end_time: "2026-11-23T12:01:00Z",
    parents: [],
    children: [],
    ...part,
  };
}

function graph(nodes: GraphNode[], end_time: string | null = null): Graph {
  return {
    start_time: "2026-11-23T12:00:00Z",
    end_time,
    root_node_ids: [],
    nodes: nodes.map((one) => [one.id, one]),
    states: [],
    artifacts: [],
  };
}

const many = Array.from({ length: 500 }, (_, index) => node(`n${index}`));

describe("a graph that is known", () => {
  it("is read as a whole while it is small, and once more when the run has ended", () => {
    expect(sinceOf(undefined)).toBeNull();
    expect(sinceOf(graph(many.slice(0, 10)))).toBeNull();
    expect(sinceOf(graph(many, "2026-11-23T12:02:00Z"))).toBeNull();
  });

  it("is asked from a while before the newest that is known", () => {
    expect(sinceOf(graph(many))).toBe("2026-11-23T11:59:00.000Z");
  });

  it("takes nodes in their new form, new ones, and who waited for which", () => {
    const before = graph([node("a"), node("b", { state_type: "RUNNING", end_time: null })]);
    const after = graph([node("b"), node("c", { parents: [{ id: "a" }, { id: "b" }] })], "2026-11-23T12:02:00Z");
    const merged = mergeGraphs(before, after);
    expect(merged.end_time).toBe("2026-11-23T12:02:00Z");
    expect(merged.nodes.map(([id, one]) => [id, one.state_type, one.children.map((child) => child.id)])).toEqual([
      ["a", "COMPLETED", ["c"]],
      ["b", "COMPLETED", ["c"]],
      ["c", "COMPLETED", []],
    ]);
  });
});
