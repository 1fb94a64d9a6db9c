import dagre from "@dagrejs/dagre";
import { select } from "d3-selection";
import { type D3ZoomEvent, type ZoomBehavior, zoom, zoomIdentity } from "d3-zoom";
import { Maximize2, Minus, Plus } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Graph } from "@/api/types";
import { IconButton } from "@/components/button";
import { Channel } from "@/components/channel";
import { cx } from "@/components/cx";
import { Empty } from "@/components/empty";
import { lookOf } from "@/components/look";
import { useIsFrom } from "@/components/screen";
import { StateMark } from "@/components/state";
import { formatDuration } from "@/format/duration";
import { secondsBetween } from "@/format/instant";
import { formatCount } from "@/format/quantity";
import { type Box, boxesOf } from "./groups";

const WIDTH = 196;
const HEIGHT = 46;
const TALLEST = 460;
/** Above and below the boxes; below stand the buttons, which must not cover one. */
const MARGIN = 52;

interface RunGraphProps {
  graph: Graph;
  selected: string | null;
  select: (id: string | null) => void;
  /** Asked for when a box of many task runs is chosen. */
  list: (name: string) => void;
}

interface Laid {
  box: Box;
  x: number;
  y: number;
}

/** What depended on what. Where there are too many task runs to draw, those of one task are one box. */
export function RunGraph({ graph, selected, select: choose, list }: RunGraphProps) {
  const frame = useRef<HTMLDivElement>(null);
  const behavior = useRef<ZoomBehavior<HTMLDivElement, unknown> | null>(null);
  const [transform, setTransform] = useState({ x: 0, y: 0, k: 1 });
  // On a phone the graph runs downwards, as the page does, unless it is wide rather than long.
  const narrow = !useIsFrom()("sm");
  const layout = useMemo(() => {
    const across = layOut(graph, false);
    const down = narrow ? layOut(graph, true) : across;
    return down.width < across.width ? down : across;
  }, [graph, narrow]);

  const showAll = useCallback(() => {
    const node = frame.current;
    if (!node || !behavior.current) return;
    const k = Math.min(1, (node.clientWidth - 32) / layout.width, (node.clientHeight - 2 * MARGIN) / layout.height);
    // Smaller than this nothing can be read; then the rest is a drag away.
    const scale = Math.max(0.62, k);
    const x = Math.max(16, (node.clientWidth - layout.width * scale) / 2);
    const y = Math.max(16, (node.clientHeight - layout.height * scale) / 2);
    behavior.current.transform(select(node), zoomIdentity.translate(x, y).scale(scale));
  }, [layout]);

  useEffect(() => {
    const node = frame.current;
    if (!node) return;
    const own = zoom<HTMLDivElement, unknown>()
      .scaleExtent([0.15, 2])
      .filter((event: WheelEvent | MouseEvent) =>
        event.type === "wheel" ? event.ctrlKey || event.metaKey : event.type !== "dblclick" && !event.button,
      )
      .on("zoom", (event: D3ZoomEvent<HTMLDivElement, unknown>) =>
        setTransform({ x: event.transform.x, y: event.transform.y, k: event.transform.k }),
      );
    behavior.current = own;
    const selection = select(node);
    selection.call(own);
    showAll();
    return () => {
      selection.on(".zoom", null);
    };
  }, [showAll]);

  const scale = (factor: number) => frame.current && behavior.current?.scaleBy(select(frame.current), factor);
  if (layout.boxes.length === 0)
    return <Empty title="No task has run yet">What the tasks waited for is drawn here.</Empty>;
  return (
    <div className="relative">
      <div
        ref={frame}
        className="relative cursor-grab overflow-hidden bg-bed active:cursor-grabbing"
        style={{ height: Math.min(TALLEST, Math.max(150, layout.height + 2 * MARGIN)) }}
      >
        <div
          className="absolute top-0 left-0 origin-top-left"
          style={{ transform: `translate(${transform.x}px, ${transform.y}px) scale(${transform.k})` }}
        >
          <svg
            aria-hidden="true"
            width={layout.width}
            height={layout.height}
            className="absolute overflow-visible text-line-strong"
          >
            {layout.edges.map((edge) => (
              <path
                key={edge.key}
                d={edge.path}
                fill="none"
                stroke="currentColor"
                strokeWidth="1.25"
                className={cx(selected && (edge.from === selected || edge.to === selected) && "text-ink-2")}
              />
            ))}
          </svg>
          {layout.boxes.map(({ box, x, y }) => (
            <BoxCard
              key={box.id}
              box={box}
              x={x}
              y={y}
              selected={box.id === selected}
              choose={() => (box.members.length > 1 ? list(box.label) : choose(box.id === selected ? null : box.id))}
            />
          ))}
        </div>
      </div>
      <div className="absolute right-3 bottom-3 flex rounded-md border border-line bg-paper p-0.5 shadow-shade">
        <IconButton label="Zoom out" size="sm" onClick={() => scale(1 / 1.4)}>
          <Minus />
        </IconButton>
        <IconButton label="Zoom in" size="sm" onClick={() => scale(1.4)}>
          <Plus />
        </IconButton>
        <IconButton label="Show the whole graph" size="sm" onClick={showAll}>
          <Maximize2 />
        </IconButton>
      </div>
    </div>
  );
}

function BoxCard({
  box,
  x,
  y,
  selected,
  choose,
}: {
  box: Box;
  x: number;
  y: number;
  selected: boolean;
  choose: () => void;
}) {
  const [node] = box.members;
  if (!node) return null;
  const many = box.members.length > 1;
  const [name, own] = node.kind === "flow-run" ? box.label.split(" · ") : [box.label];
  const took = node.start_time && node.end_time ? secondsBetween(node.start_time, node.end_time) : null;
  return (
    <button
      type="button"
      onClick={choose}
      className={cx(
        "absolute flex flex-col justify-center gap-1 rounded-md border bg-paper px-2.5 text-left shadow-shade hover:border-ink-3",
        `tone-${lookOf(node.state_type, node.state_name).tone}`,
        selected ? "border-water outline-2 outline-water-soft" : "border-line-strong",
      )}
      style={{ left: x, top: y, width: WIDTH, height: HEIGHT }}
    >
      <span className="flex min-w-0 items-center gap-2">
        {!many && <StateMark type={node.state_type} name={node.state_name} />}
        <span className="min-w-0">
          <span className={cx("cut block", (many || node.kind === "flow-run") && "font-semibold")}>{name}</span>
          {own && <span className="cut block text-2xs text-ink-3">{own}</span>}
        </span>
        <span className="ml-auto shrink-0 text-ink-3 text-xs">
          {many ? `×${formatCount(box.members.length)}` : took === null ? "" : formatDuration(took)}
        </span>
      </span>
      {many && <Channel counts={box.counts} of="task runs" />}
    </button>
  );
}

interface Layout {
  boxes: Laid[];
  edges: { key: string; from: string; to: string; path: string }[];
  width: number;
  height: number;
}

function layOut(graph: Graph, down: boolean): Layout {
  const { boxes, edges } = boxesOf(graph);
  const plan = new dagre.graphlib.Graph();
  plan.setGraph({ rankdir: down ? "TB" : "LR", nodesep: 14, ranksep: down ? 30 : 56, marginx: 2, marginy: 2 });
  plan.setDefaultEdgeLabel(() => ({}));
  for (const box of boxes) plan.setNode(box.id, { width: WIDTH, height: HEIGHT });
  for (const edge of edges) plan.setEdge(edge.from, edge.to);
  dagre.layout(plan);
  const laid = boxes.map((box) => {
    const at = plan.node(box.id);
    return { box, x: (at.x ?? 0) - WIDTH / 2, y: (at.y ?? 0) - HEIGHT / 2 };
  });
  const drawn = edges.map((edge) => ({
    ...edge,
    key: `${edge.from} ${edge.to}`,
    path: curve(down, plan.edge(edge.from, edge.to).points ?? []),
  }));
  return {
    boxes: laid,
    edges: drawn,
    width: Math.max(WIDTH, ...laid.map((one) => one.x + WIDTH)),
    height: Math.max(HEIGHT, ...laid.map((one) => one.y + HEIGHT)),
  };
}

function curve(down: boolean, points: { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let path = `M${first.x},${first.y}`;
  let last = first;
  for (const point of rest) {
    const x = (last.x + point.x) / 2;
    const y = (last.y + point.y) / 2;
    path += down
      ? `C${last.x},${y} ${point.x},${y} ${point.x},${point.y}`
      : `C${x},${last.y} ${x},${point.y} ${point.x},${point.y}`;
    last = point;
  }
  return path;
}
