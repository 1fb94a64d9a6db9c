import type { Graph, GraphNode } from "@/api/types";
import { lookOf, type Tone } from "@/components/look";

/** A box of the graph: one task run or subflow, or all task runs of one task that stand alike. */
export interface Box {
  id: string;
  label: string;
  members: GraphNode[];
  counts: Partial<Record<Tone, number>>;
}

export interface BoxGraph {
  boxes: Box[];
  edges: { from: string; to: string }[];
}

/** Above so many boxes, or so many side by side, nobody finds anything: those of one task are drawn as one. */
const MOST_BOXES = 60;
const MOST_ABREAST = 8;
const MOST_JOINED = 200;

/** One box for every node while there are few; otherwise one for each task at each depth. */
export function boxesOf(graph: Graph): BoxGraph {
  const nodes = graph.nodes.map(([, node]) => node);
  const depth = depthsOf(nodes);
  const abreast = new Map<number, number>();
  for (const node of nodes) abreast.set(depth.get(node.id) ?? 0, (abreast.get(depth.get(node.id) ?? 0) ?? 0) + 1);
  if (nodes.length <= MOST_BOXES && Math.max(0, ...abreast.values()) <= MOST_ABREAST)
    return join(nodes, (node) => node.id);
  const joined = join(nodes, (node) =>
    node.kind === "flow-run" ? node.id : `${nameOf(node)} @${depth.get(node.id) ?? 0}`,
  );
  // A chain of thousands of steps has as many depths; then each task is one box, and the steps go round between them.
  return joined.boxes.length <= MOST_JOINED ? joined : join(nodes, nameOf);
}

/** The task's name without what tells its runs apart. */
export function nameOf(node: GraphNode): string {
  return node.task_key ? node.task_key.replace(/-[0-9a-f]{8}$/, "") : node.label.replace(/-[0-9a-f]+$/, "");
}

function join(nodes: GraphNode[], keyOf: (node: GraphNode) => string): BoxGraph {
  const boxes = new Map<string, Box>();
  const boxOf = new Map<string, string>();
  for (const node of nodes) {
    const key = keyOf(node);
    boxOf.set(node.id, key);
    const box = boxes.get(key) ?? { id: key, label: node.label, members: [], counts: {} };
    box.members.push(node);
    if (box.members.length === 2) box.label = nameOf(node);
    const { tone } = lookOf(node.state_type, node.state_name);
    box.counts[tone] = (box.counts[tone] ?? 0) + 1;
    boxes.set(key, box);
  }
  const edges = new Map<string, { from: string; to: string }>();
  for (const node of nodes) {
    const to = boxOf.get(node.id) as string;
    for (const parent of node.parents) {
      const from = boxOf.get(parent.id);
      if (from && from !== to) edges.set(`${from} ${to}`, { from, to });
    }
  }
  return { boxes: [...boxes.values()], edges: [...edges.values()] };
}

/** How many steps each node is from the beginning, without recursion: chains may be thousands long. */
function depthsOf(nodes: GraphNode[]): Map<string, number> {
  const depth = new Map<string, number>();
  const waiting = new Map(nodes.map((node) => [node.id, node.parents.length]));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const ready = nodes.filter((node) => node.parents.every((parent) => !byId.has(parent.id)));
  for (const node of ready) depth.set(node.id, 0);
  for (let at = 0; at < ready.length; at++) {
    const node = ready[at] as GraphNode;
    for (const { id } of node.children) {
      const child = byId.get(id);
      if (!child) continue;
      depth.set(id, Math.max(depth.get(id) ?? 0, (depth.get(node.id) ?? 0) + 1));
      const left = (waiting.get(id) ?? 1) - 1;
      waiting.set(id, left);
      if (left === 0) ready.push(child);
    }
  }
  return depth;
}
