import { useMemo } from "react";
import { useFlowsOfRuns } from "@/api/flow-runs";
import { useFlowNames } from "@/api/flows";
import type { Graph } from "@/api/types";

type Graphs = (Graph | undefined)[];

/** The same graphs, in which a subflow run is called by its flow too: `ingest · pure-kestrel` rather than `pure-kestrel`. */
export function useSubflowLabels(graphs: Graphs): Graphs {
  const ids = useMemo(
    () => graphs.flatMap((graph) => graph?.nodes ?? []).flatMap(([id, node]) => (node.kind === "flow-run" ? [id] : [])),
    [graphs],
  );
  const flows = useFlowsOfRuns(ids);
  const names = useFlowNames([...flows.values()]);
  return useMemo(() => graphs.map((graph) => graph && label(graph, flows, names)), [graphs, flows, names]);
}

function label(graph: Graph, flows: Map<string, string>, names: Map<string, string>): Graph {
  if (!graph.nodes.some(([, node]) => node.kind === "flow-run")) return graph;
  return {
    ...graph,
    nodes: graph.nodes.map(([id, node]) => {
      const name = node.kind === "flow-run" ? names.get(flows.get(id) ?? "") : undefined;
      return [id, name ? { ...node, label: `${name} · ${node.label}` } : node];
    }),
  };
}
