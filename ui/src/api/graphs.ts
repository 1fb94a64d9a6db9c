import type { Graph, GraphNode } from "./types";

/** Below this a graph is asked for as a whole. */
const LARGE = 300;
/** Facts may arrive late: what ended this long before the newest that is known is asked for once more. */
const MARGIN = 120_000;

/** From when on the server has to tell of nodes again; nothing for a graph that has to be read as a whole. */
export function sinceOf(before: Graph | undefined): string | null {
  // A run that has ended is read once more from the beginning, so that what came late is there.
  if (!before || before.nodes.length < LARGE || before.end_time) return null;
  let newest = 0;
  for (const [, node] of before.nodes)
    newest = Math.max(newest, Date.parse(node.end_time ?? node.start_time ?? "") || 0);
  return newest ? new Date(newest - MARGIN).toISOString() : null;
}

/** The nodes that are known, those told again in their new form. Who waited for a node is told by those who waited. */
export function mergeGraphs(before: Graph, after: Graph): Graph {
  const nodes = new Map(before.nodes);
  for (const [id, node] of after.nodes) nodes.set(id, node);
  const children = new Map<string, { id: string }[]>();
  for (const [id, node] of nodes) {
    for (const parent of node.parents) {
      const known = children.get(parent.id);
      if (known) known.push({ id });
      else children.set(parent.id, [{ id }]);
    }
  }
  const joined = [...nodes].map(([id, node]): [string, GraphNode] => [
    id,
    { ...node, children: children.get(id) ?? [] },
  ]);
  return { ...after, nodes: joined };
}
