import { Maximize2, Minus, Plus } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Graph } from "@/api/types";
import { IconButton } from "@/components/button";
import { cx } from "@/components/cx";
import { nameOfState } from "@/components/look";
import { usePaintedTheme } from "@/components/theme";
import { formatDuration } from "@/format/duration";
import { plural } from "@/format/quantity";
import { findInLane, formatOffset, type Item, itemsOf, lanesOf, rowsOf, spanOf } from "./layout";
import { Overview } from "./overview";
import { AXIS, laneHeight, paint, type Scene, type View } from "./paint";
import { type Palette, readPalette } from "./palette";
import { useZoom, WHOLE } from "./use-zoom";

interface TimelineProps {
  graph: Graph;
  /** One row for each item, or as few lanes as they need. */
  rows: boolean;
  opened: ReadonlyMap<string, Graph | undefined>;
  toggle: (id: string) => void;
  selected: string | null;
  select: (id: string | null) => void;
}

const TALLEST = 460;

/** What ran when. Painted, so that ten thousand task runs are as quick as ten. */
export function Timeline({ graph, rows, opened, toggle, selected, select }: TimelineProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [scroll, setScroll] = useState(0);
  const [hover, setHover] = useState<{ item: Item; x: number; y: number } | null>(null);
  const theme = usePaintedTheme();
  const [loaded, setLoaded] = useState(Date.now);

  const items = useMemo(() => itemsOf(graph), [graph]);
  const going = useMemo(
    () => items.some((item) => item.end === null) || (graph.start_time !== null && graph.end_time === null),
    [items, graph],
  );
  const now = loaded;
  const span = useMemo(() => spanOf(graph, items, now), [graph, items, now]);
  const lanes = useMemo(
    () => (rows ? rowsOf(graph, opened).map((item) => [item]) : lanesOf(items, now, (span.to - span.from) / 4000)),
    [rows, graph, opened, items, now, span.to, span.from],
  );
  const places = useMemo(() => {
    const found = new Map<string, { item: Item; lane: number }>();
    lanes.forEach((lane, index) => {
      for (const item of lane) found.set(item.id, { item, lane: index });
    });
    return found;
  }, [lanes]);
  const gutter = rows && size.width > 640 ? Math.min(240, Math.round(size.width * 0.24)) : 0;
  const zoom = useZoom(canvas, size.width, gutter, Math.max(4, (span.to - span.from) / 40));
  const length = span.to - span.from;
  const view: View = {
    width: size.width,
    height: size.height,
    gutter,
    scroll,
    // A little room at both ends, so that bars do not touch the frame.
    from: span.from + length * (zoom.part.from * 1.02 - 0.01),
    to: span.from + length * (zoom.part.to * 1.02 - 0.005),
  };
  const scene: Scene = {
    lanes,
    rows,
    places,
    origin: span.from,
    now,
    selected,
    hovered: hover?.item.id ?? null,
    opened,
  };

  useEffect(() => {
    const node = scroller.current;
    if (!node) return;
    const watcher = new ResizeObserver(() => setSize({ width: node.clientWidth, height: node.clientHeight }));
    watcher.observe(node);
    return () => watcher.disconnect();
  }, []);

  usePainting(canvas, scene, view, theme, going);

  // New rows pull the view along while the run goes on, unless somebody has scrolled up to look.
  const following = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on how many rows there are
  useEffect(() => {
    const node = scroller.current;
    if (node && going && following.current && selected === null) node.scrollTop = node.scrollHeight;
  }, [lanes.length, going, size.height]);
  const follow = (node: HTMLElement) => {
    setScroll(node.scrollTop);
    following.current = node.scrollHeight - node.scrollTop - node.clientHeight < 2 * laneHeight(scene);
  };

  // What goes on grows: the end of the span follows the time.
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(() => !document.hidden && setLoaded(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [going]);

  const itemAt = (event: PointerEvent): Item | undefined => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    if (y < AXIS) return undefined;
    const lane = lanes[Math.floor((y - AXIS + scroll) / laneHeight(scene))];
    if (!lane) return undefined;
    if (rows) return lane[0];
    const perPixel = (view.to - view.from) / Math.max(1, view.width - gutter);
    return findInLane(lane, view.from + (x - gutter) * perPixel, now, perPixel * 3);
  };

  // The choice lives in the address, which follows a moment later: keys pressed in the meantime count from here.
  const latest = useRef(selected);
  useEffect(() => {
    latest.current = selected;
  }, [selected]);

  const choose = (item: Item | undefined, event: PointerEvent) => {
    const inChevron =
      item?.subflow && rows && event.clientX - event.currentTarget.getBoundingClientRect().left < 24 + item.depth * 14;
    if (item && inChevron) toggle(item.id);
    else select(item && item.id !== selected ? item.id : null);
  };

  const step = (by: number) => {
    const order = rows ? lanes.map((lane) => lane[0] as Item) : items;
    const at = order.findIndex((item) => item.id === latest.current);
    const next = order[Math.min(order.length - 1, Math.max(0, at + by))];
    if (!next) return;
    latest.current = next.id;
    select(next.id);
    const lane = places.get(next.id)?.lane ?? 0;
    const top = lane * laneHeight(scene);
    const node = scroller.current;
    if (!node) return;
    if (top < node.scrollTop) node.scrollTop = top;
    else if (top + laneHeight(scene) > node.scrollTop + node.clientHeight - AXIS)
      node.scrollTop = top + laneHeight(scene) - node.clientHeight + AXIS;
  };

  const press = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const scales: Record<string, number> = { "+": 1.6, "=": 1.6, "-": 1 / 1.6 };
    const { key } = event;
    if (steps[key]) step(steps[key]);
    else if (scales[key]) zoom.scale(scales[key]);
    else if (key === "0") zoom.show(WHOLE);
    else if (key === "Escape") select(null);
    else if (key === "Enter" && latest.current && places.get(latest.current)?.item.subflow) toggle(latest.current);
    else return;
    event.preventDefault();
  };

  const total = AXIS + lanes.length * laneHeight(scene) + 6;
  const crowded = items.length > 40 || zoom.part.to - zoom.part.from < 0.999;
  return (
    <div className="flex h-full flex-col">
      {crowded && (
        <Overview
          items={items}
          from={span.from}
          to={span.to}
          now={now}
          part={zoom.part}
          show={zoom.show}
          width={size.width}
          gutter={gutter}
          theme={theme}
        />
      )}
      <div
        ref={scroller}
        onScroll={(event) => follow(event.currentTarget)}
        className="relative flex-1 overflow-y-auto overflow-x-hidden"
        style={{ minHeight: Math.min(TALLEST, Math.max(90, total)), maxHeight: TALLEST }}
      >
        {/* In the axis, where nothing is covered. */}
        <div
          className={cx(
            "sticky top-0 z-10 -mb-[25px] flex h-[25px] w-fit items-center gap-0.5 bg-bed px-1.5",
            gutter === 0 && "ml-auto",
          )}
        >
          <IconButton
            label="Zoom out (−)"
            size="sm"
            className="size-5! [&_svg]:size-3.5"
            onClick={() => zoom.scale(1 / 1.6)}
          >
            <Minus />
          </IconButton>
          <IconButton
            label="Zoom in (+)"
            size="sm"
            className="size-5! [&_svg]:size-3.5"
            onClick={() => zoom.scale(1.6)}
          >
            <Plus />
          </IconButton>
          <IconButton
            label="Show the whole run (0)"
            size="sm"
            className="size-5! [&_svg]:size-3.5"
            onClick={() => zoom.show(WHOLE)}
          >
            <Maximize2 />
          </IconButton>
        </div>
        <div className="grid">
          {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it takes keys and pointers like an application */}
          <canvas
            ref={canvas}
            tabIndex={0}
            role="application"
            aria-label={`Timeline of ${plural(items.length, "task run")}. Arrow keys choose one, plus and minus zoom; the tab of task runs lists them all.`}
            className="-outline-offset-2 sticky top-0 col-start-1 row-start-1 block touch-pan-y self-start"
            style={{ width: size.width, height: size.height }}
            onKeyDown={press}
            onPointerMove={(event) => {
              const item = itemAt(event);
              const box = event.currentTarget.getBoundingClientRect();
              setHover(item ? { item, x: event.clientX - box.left, y: event.clientY - box.top } : null);
            }}
            onPointerLeave={() => setHover(null)}
            onClick={(event) => choose(itemAt(event as unknown as PointerEvent), event as unknown as PointerEvent)}
            onDoubleClick={(event) => {
              const item = itemAt(event as unknown as PointerEvent);
              if (!item) return;
              const room = ((item.end ?? now) - item.start) * 0.6 + length / 2000;
              zoom.show({
                from: (item.start - room - span.from) / length,
                to: ((item.end ?? now) + room - span.from) / length,
              });
            }}
          />
          <div aria-hidden="true" className="col-start-1 row-start-1" style={{ height: total }} />
        </div>
        {hover && (
          <HoverCard {...hover} origin={span.from} now={now} width={size.width} height={size.height} scroll={scroll} />
        )}
      </div>
    </div>
  );
}

/** Paints when something has changed; while something runs, often enough for the water to flow. */
function usePainting(
  canvas: React.RefObject<HTMLCanvasElement | null>,
  scene: Scene,
  view: View,
  theme: string,
  going: boolean,
): void {
  const latest = useRef({ scene, view });
  const palette = useRef<{ theme: string; colors: Palette } | null>(null);

  useEffect(() => {
    latest.current = { scene, view };
    const node = canvas.current;
    const context = node?.getContext("2d");
    if (!node || !context || view.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    if (node.width !== Math.round(view.width * ratio) || node.height !== Math.round(view.height * ratio)) {
      node.width = Math.round(view.width * ratio);
      node.height = Math.round(view.height * ratio);
    }
    if (palette.current?.theme !== theme) palette.current = { theme, colors: readPalette() };
    const colors = palette.current.colors;
    const draw = (phase: number) => {
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      paint(context, latest.current.scene, latest.current.view, colors, phase);
    };
    let frame = requestAnimationFrame(() => draw(0));
    const still = !going || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const timer = still
      ? 0
      : setInterval(() => {
          if (document.hidden) return;
          cancelAnimationFrame(frame);
          frame = requestAnimationFrame(() => draw((Date.now() % 900) / 900));
        }, 60);
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(timer);
    };
  });
}

interface HoverCardProps {
  item: Item;
  x: number;
  y: number;
  origin: number;
  now: number;
  width: number;
  height: number;
  scroll: number;
}

function HoverCard({ item, x, y, origin, now, width, height, scroll }: HoverCardProps) {
  const tries = item.stretches.length;
  const right = x > width - 260;
  return (
    <div
      className="fading pointer-events-none absolute z-10 w-max max-w-60 rounded-md bg-ink px-2.5 py-1.5 text-on-ink text-xs shadow-float"
      style={{
        top: scroll + (y > height - 90 ? y - 74 : y + 16),
        ...(right ? { right: width - x + 10 } : { left: x + 12 }),
      }}
    >
      <div className="cut font-semibold">{item.node.label}</div>
      <div>
        {nameOfState(item.node.state_type, item.node.state_name)} ·{" "}
        {formatDuration(((item.end ?? now) - item.start) / 1000)}
      </div>
      <div className="opacity-75">
        began at {formatOffset(item.start - origin, 1000)}
        {tries > 1 && ` · ${tries} attempts`}
      </div>
    </div>
  );
}
