import { useQueries, useQuery } from "@tanstack/react-query";
import { ChartGantt, GitFork, Rows3 } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { ApiError } from "@/api/fetch";
import { flowRunGraph } from "@/api/flow-runs";
import type { FlowRun, Graph, GraphNode } from "@/api/types";
import { Channel } from "@/components/channel";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { isFinal, lookOf, type Tone } from "@/components/look";
import { Skeleton } from "@/components/skeleton";
import { Segments } from "@/components/tabs";
import { formatCount, plural } from "@/format/quantity";
import { Inspector } from "./inspector";
import { useSubflowLabels } from "./subflow-labels";
import { Timeline } from "./timeline/timeline";

const RunGraph = lazy(() => import("./graph/run-graph").then((module) => ({ default: module.RunGraph })));

export type CanvasView = "rows" | "lanes" | "graph";

const VIEWS = [
  { name: "rows", label: "Tasks", icon: <Rows3 /> },
  { name: "lanes", label: "Lanes", icon: <ChartGantt /> },
  { name: "graph", label: "Graph", icon: <GitFork /> },
] as const;

/** Beyond so many task runs, rows are more to scroll than to see. */
const MANY = 120;

interface RunCanvasProps {
  run: FlowRun;
  view: CanvasView | undefined;
  chooseView: (view: CanvasView) => void;
  selected: string | undefined;
  select: (id: string | null) => void;
  showLogs: (id: string) => void;
  listTasks: (name: string) => void;
}

/** The picture of a run: what ran when, or what waited for what, and what is known about the chosen part. */
export function RunCanvas({ run, view, chooseView, selected, select, showLogs, listTasks }: RunCanvasProps) {
  const { data, error, refetch } = useQuery(flowRunGraph(run.id));
  const [openedIds, setOpenedIds] = useState<ReadonlySet<string>>(new Set());
  const ids = [...openedIds];
  const within = useQueries({
    queries: ids.map((id) => flowRunGraph(id)),
    combine: (results) => results.map((result) => result.data),
  });
  const graphs = useSubflowLabels(useMemo(() => [data, ...within], [data, within]));
  const [graph] = graphs;
  const opened = new Map<string, Graph | undefined>(ids.map((id, index) => [id, graphs[index + 1]]));
  const nodes = useMemo(() => new Map(graphs.flatMap((one) => one?.nodes ?? [])), [graphs]);
  const counts = useMemo(() => countTones(graph), [graph]);
  const total = graph?.nodes.length ?? 0;
  const shown = view ?? (total > MANY ? "lanes" : "rows");
  const chosen = selected ? nodes.get(selected) : undefined;
  const toggle = (id: string) =>
    setOpenedIds((held) => (held.has(id) ? new Set([...held].filter((one) => one !== id)) : new Set([...held, id])));

  return (
    <section aria-label="What ran" className="min-w-0 overflow-hidden rounded-lg border border-line bg-paper">
      <div className="flex min-h-11 flex-wrap items-center justify-between gap-x-4 gap-y-2 py-2 pr-2 pl-4">
        <div className="flex flex-wrap items-baseline gap-x-3 text-xs">
          <span className="font-semibold text-sm">{graph ? plural(total, "task run") : "Task runs"}</span>
          {(["failed", "crashed", "running", "waiting"] as Tone[]).map(
            (tone) =>
              counts[tone] && (
                <span key={tone} className={`tone-${tone} text-tone-ink`}>
                  {formatCount(counts[tone])} {tone}
                </span>
              ),
          )}
        </div>
        <Segments label="How to draw it" options={[...VIEWS]} chosen={shown} choose={chooseView} />
      </div>
      <Channel counts={counts} of="task runs" className="rounded-none" />
      {error instanceof ApiError && error.status === 422 && !graph ? (
        <Empty title="Too many task runs to draw">The tab of task runs below lists them all.</Empty>
      ) : error && !graph ? (
        <Failure error={error} retry={refetch} />
      ) : !graph ? (
        <div className="flex h-40 flex-col justify-center gap-3 px-6">
          <Skeleton className="w-1/3" />
          <Skeleton className="ml-24 w-1/2" />
          <Skeleton className="ml-60 w-1/4" />
        </div>
      ) : total === 0 ? (
        <NoTasks run={run} />
      ) : (
        <div className="md:flex">
          <div className="min-w-0 flex-1">
            {shown === "graph" ? (
              <Suspense fallback={<div className="h-40" />}>
                <RunGraph graph={graph} selected={selected ?? null} select={select} list={listTasks} />
              </Suspense>
            ) : (
              <Timeline
                key={shown}
                graph={graph}
                rows={shown === "rows"}
                opened={opened}
                toggle={toggle}
                selected={selected ?? null}
                select={select}
              />
            )}
          </div>
          {chosen && (
            <Inspector
              node={chosen}
              origin={Date.parse(graph.start_time ?? chosen.start_time ?? "")}
              nodes={nodes}
              select={select}
              showLogs={() => showLogs(chosen.id)}
            />
          )}
        </div>
      )}
    </section>
  );
}

function NoTasks({ run }: { run: FlowRun }) {
  if (!run.start_time) {
    return (
      <Empty title="This run has not begun">
        {run.work_pool_name
          ? `A worker of the pool ${run.work_pool_name} starts it.`
          : "What it does is drawn here as it happens."}
      </Empty>
    );
  }
  if (!isFinal(run.state_type)) return <Empty title="No task yet">Each task appears here when it starts.</Empty>;
  return (
    <Empty title="This run had no tasks">
      Put @task on the functions a flow calls: each call is timed, retried and shown here.
    </Empty>
  );
}

function countTones(graph: Graph | undefined): Partial<Record<Tone, number>> {
  const counts: Partial<Record<Tone, number>> = {};
  for (const [, node] of graph?.nodes ?? ([] as [string, GraphNode][])) {
    const { tone } = lookOf(node.state_type, node.state_name);
    counts[tone] = (counts[tone] ?? 0) + 1;
  }
  return counts;
}
