import { expect, it } from "vitest";
import type { Graph, GraphNode } from "@/api/types";
import { boxesOf, nameOf } from "./groups";

function node(id: string, parents: string[], part: Partial<GraphNode> = {}): GraphNode {
  return {
    id,
    kind: "task-run",
    label: id,
    state_type: "COMPLETED",
    start_time: null,
    end_time: null,
    parents: parents.map((parent) => ({ id: parent })),
    children: [],
    ...part,
  };
}

function graph(nodes: GraphNode[]): Graph {
  const byId = new Map(nodes.map((one) => [one.id, one]));
  for (const one of nodes) for (const parent of one.parents) byId.get(parent.id)?.children.push({ id: one.id });
  return {
    start_time: null,
    end_time: null,
    root_node_ids: [],
    nodes: nodes.map((one) => [one.id, one]),
    states: [],
    artifacts: [],
  };
}

it("draws each task run while there are few", () => {
  const { boxes, edges } = boxesOf(graph([node("a", []), node("b", ["a"]), node("c", ["a", "gone"])]));
  expect(boxes.map((box) => box.id)).toEqual(["a", "b", "c"]);
  expect(edges).toEqual([
    { from: "a", to: "b" },
    { from: "a", to: "c" },
  ]);
});

it("draws those of one task as one, at each depth, when they are many", () => {
  const nodes = [node("source-0", [])];
  for (let index = 0; index < 500; index++) {
    nodes.push(
      node(`load-${index}`, ["source-0"], { task_key: "load", state_type: index < 3 ? "FAILED" : "COMPLETED" }),
    );
    nodes.push(node(`save-${index}`, [`load-${index}`], { task_key: "save" }));
  }
  const { boxes, edges } = boxesOf(graph(nodes));
  expect(boxes.map((box) => [box.label, box.members.length])).toEqual([
    ["source-0", 1],
    ["load", 500],
    ["save", 500],
  ]);
  expect(edges).toHaveLength(2);
  expect(boxes[1]?.counts).toEqual({ failed: 3, completed: 497 });
});

it("keeps subflows apart", () => {
  const nodes = Array.from({ length: 80 }, (_, index) => node(`n${index}`, [], { task_key: "t" }));
  nodes.push(node("s1", [], { kind: "flow-run", task_key: "t" }), node("s2", [], { kind: "flow-run", task_key: "t" }));
  expect(boxesOf(graph(nodes)).boxes.map((box) => box.members.length)).toEqual([80, 1, 1]);
});

it("draws a chain of any length as its tasks", () => {
  const nodes = Array.from({ length: 20_000 }, (_, index) =>
    node(`n${index}`, index ? [`n${index - 1}`] : [], { task_key: `t${index % 2}` }),
  );
  const { boxes, edges } = boxesOf(graph(nodes));
  expect(boxes.map((box) => box.members.length)).toEqual([10_000, 10_000]);
  expect(edges).toHaveLength(2);
});

it("names a task without what tells its runs apart", () => {
  expect(nameOf(node("load-1f", [], { task_key: "load-9b41c2aa" }))).toBe("load");
  expect(nameOf(node("load-1f", []))).toBe("load");
});
