import type { Graph, GraphNode, StateType } from "@/api/types";
import { lookOf, type Tone } from "@/components/look";

/** A stretch of one colour on the timeline. Without an end it goes on until now. */
export interface Stretch {
  start: number;
  end: number | null;
  tone: Tone;
  /** An attempt that was not the last: shown behind the one that counts. */
  past: boolean;
}

/** A task run or subflow run, ready to be drawn. */
export interface Item {
  id: string;
  node: GraphNode;
  start: number;
  end: number | null;
  tone: Tone;
  stretches: Stretch[];
  parents: string[];
  depth: number;
  /** The item can be opened: it is a subflow. */
  subflow: boolean;
}

/** `fetch-2` comes before `fetch-10`. */
const byName = new Intl.Collator("en", { numeric: true });

/** What has not begun has no place in time; it is counted, not drawn. */
export function itemsOf(graph: Graph, depth = 0): Item[] {
  const items: Item[] = [];
  for (const [, node] of graph.nodes) {
    if (!node.start_time) continue;
    const start = Date.parse(node.start_time);
    const end = node.end_time ? Date.parse(node.end_time) : null;
    items.push({
      id: node.id,
      node,
      start,
      end,
      tone: lookOf(node.state_type, node.state_name).tone,
      stretches: stretchesOf(node, start, end),
      parents: node.parents.map((parent) => parent.id),
      depth,
      subflow: node.kind === "flow-run",
    });
  }
  return items.sort((a, b) => a.start - b.start || byName.compare(a.node.label, b.node.label));
}

function stretchesOf(node: GraphNode, start: number, end: number | null): Stretch[] {
  const tone = lookOf(node.state_type, node.state_name).tone;
  if (!node.attempts?.length) return [{ start, end, tone, past: false }];
  const last = node.attempts.length - 1;
  return node.attempts.map((attempt, index) => ({
    start: Date.parse(attempt.start_time),
    end: attempt.end_time ? Date.parse(attempt.end_time) : null,
    tone: lookOf(attempt.state_type, attempt.state_name).tone,
    past: index < last,
  }));
}

/**
 * One item per row: what was called inside of a task under that task, and a subflow's own items under it when it is opened
 * and its graph has come.
 */
export function rowsOf(graph: Graph, opened: ReadonlyMap<string, Graph | undefined>, depth = 0): Item[] {
  const items = itemsOf(graph, depth);
  const known = new Set(items.map((item) => item.id));
  const inside = new Map<string, Item[]>();
  const outside: Item[] = [];
  for (const item of items) {
    const caller = item.node.encapsulating?.find(({ id }) => known.has(id) && id !== item.id)?.id;
    if (caller === undefined) outside.push(item);
    else inside.set(caller, [...(inside.get(caller) ?? []), item]);
  }
  const rows: Item[] = [];
  const place = (item: Item, at: number) => {
    rows.push(at === item.depth ? item : { ...item, depth: at });
    const called = inside.get(item.id) ?? [];
    inside.delete(item.id);
    for (const one of called) place(one, at + 1);
    const inner = item.subflow ? opened.get(item.id) : undefined;
    if (inner) rows.push(...rowsOf(inner, opened, at + 1));
  };
  for (const item of outside) place(item, depth);
  return rows;
}

/** As few lanes as the items need so that none covers another: how wide the run was. `gap` keeps neighbours apart. */
export function lanesOf(items: Item[], now: number, gap: number): Item[][] {
  const lanes: Item[][] = [];
  const ends: number[] = [];
  // The lanes that are free soonest, by a heap of their numbers: thousands of items share a few dozen lanes.
  const free: number[] = [];
  const soonest = (a: number, b: number) => (ends[a] ?? 0) - (ends[b] ?? 0) || a - b;
  for (const item of items) {
    const top = free[0];
    let lane: number;
    if (top !== undefined && (ends[top] ?? 0) <= item.start) {
      lane = top;
    } else {
      lane = lanes.length;
      lanes.push([]);
      free.push(lane);
    }
    lanes[lane]?.push(item);
    ends[lane] = (item.end ?? now) + gap;
    if (lane === top) sink(free, 0, soonest);
    else rise(free, free.length - 1, soonest);
  }
  return lanes;
}

function sink(heap: number[], from: number, before: (a: number, b: number) => number): void {
  let at = from;
  for (;;) {
    const left = 2 * at + 1;
    let least = at;
    for (const child of [left, left + 1]) {
      if (child < heap.length && before(heap[child] as number, heap[least] as number) < 0) least = child;
    }
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least] as number, heap[at] as number];
    at = least;
  }
}

function rise(heap: number[], from: number, before: (a: number, b: number) => number): void {
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (before(heap[at] as number, heap[parent] as number) >= 0) return;
    [heap[at], heap[parent]] = [heap[parent] as number, heap[at] as number];
    at = parent;
  }
}

/** The item at an instant in a lane whose items are in order and apart; `slack` forgives a near miss. */
export function findInLane(lane: Item[], at: number, now: number, slack: number): Item | undefined {
  let low = 0;
  let high = lane.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const item = lane[middle] as Item;
    if (at < item.start - slack) high = middle - 1;
    else if (at > (item.end ?? now) + slack) low = middle + 1;
    else return item;
  }
  return undefined;
}

/** The first item of a lane that reaches beyond an instant: where drawing begins. */
export function firstAfter(lane: Item[], from: number, now: number): number {
  let low = 0;
  let high = lane.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = lane[middle] as Item;
    if ((item.end ?? now) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many items were under way in each of `count` equal pieces of time, and in which pieces something failed. */
export function densityOf(
  items: Item[],
  from: number,
  to: number,
  count: number,
  now: number,
): { load: number[]; failed: boolean[] } {
  const load = new Array<number>(count + 1).fill(0);
  const failed = new Array<boolean>(count).fill(false);
  const step = (to - from) / count || 1;
  const place = (at: number) => Math.min(count - 1, Math.max(0, Math.floor((at - from) / step)));
  for (const item of items) {
    const first = place(item.start);
    const last = place(item.end ?? now);
    load[first] = (load[first] ?? 0) + 1;
    load[last + 1] = (load[last + 1] ?? 0) - 1;
    if (item.tone === "failed" || item.tone === "crashed") failed[last] = true;
  }
  for (let index = 1; index < count; index++) load[index] = (load[index] ?? 0) + (load[index - 1] ?? 0);
  return { load: load.slice(0, count), failed };
}

/** Bounds of everything there is to see: from the first start to the last end, or to now while something goes on. */
export function spanOf(graph: Graph, items: Item[], now: number): { from: number; to: number } {
  let from = graph.start_time ? Date.parse(graph.start_time) : Number.POSITIVE_INFINITY;
  let to = graph.end_time ? Date.parse(graph.end_time) : Number.NEGATIVE_INFINITY;
  let going = Boolean(graph.start_time) && !graph.end_time;
  for (const item of items) {
    from = Math.min(from, item.start);
    if (item.end === null) going = going || isOpen(item.node.state_type);
    else to = Math.max(to, item.end);
  }
  if (going) to = Math.max(to, now);
  if (!Number.isFinite(from)) from = now;
  if (!Number.isFinite(to) || to <= from) to = from + 1000;
  return { from, to };
}

const isOpen = (type: StateType) =>
  type === "RUNNING" || type === "PENDING" || type === "PAUSED" || type === "CANCELLING";

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
];

/** Round offsets from the start, at least `apart` px from each other. */
export function ticksOf(
  from: number,
  to: number,
  origin: number,
  width: number,
  apart: number,
): { at: number; step: number }[] {
  const wanted = ((to - from) / Math.max(1, width)) * apart;
  const step = STEPS.find((candidate) => candidate >= wanted) ?? Math.ceil(wanted / 604_800_000) * 604_800_000;
  const ticks: { at: number; step: number }[] = [];
  for (let at = origin + Math.ceil((from - origin) / step) * step; at <= to; at += step) ticks.push({ at, step });
  return ticks;
}

/** An offset from the start, as exact as its step: `0:05`, `1:02:30`, `0:01.250`. */
export function formatOffset(offset: number, step: number): string {
  const sign = offset < 0 ? "−" : "";
  const size = Math.abs(offset);
  const hours = Math.floor(size / 3_600_000);
  const minutes = Math.floor(size / 60_000) % 60;
  const seconds = Math.floor(size / 1000) % 60;
  const two = (value: number) => String(value).padStart(2, "0");
  const fraction =
    step < 1000
      ? `.${String(Math.round(size % 1000))
          .padStart(3, "0")
          .slice(0, step < 10 ? 3 : step < 100 ? 2 : 1)}`
      : "";
  return hours
    ? `${sign}${hours}:${two(minutes)}:${two(seconds)}${fraction}`
    : `${sign}${minutes}:${two(seconds)}${fraction}`;
}
