import { firstAfter, formatOffset, type Item, ticksOf } from "./layout";
import type { Palette } from "./palette";
import { findFirst } from "./visible";

export const AXIS = 26;
export const ROW = 24;
export const LANE = 16;
const BAR = 12;

export interface Scene {
  /** One item per row, or many per lane. */
  lanes: Item[][];
  rows: boolean;
  /** Where each item is, for the lines between them. */
  places: Map<string, { item: Item; lane: number }>;
  origin: number;
  now: number;
  selected: string | null;
  hovered: string | null;
  opened: ReadonlyMap<string, unknown>;
}

export interface View {
  width: number;
  height: number;
  /** Left of this stand the labels of the rows. */
  gutter: number;
  scroll: number;
  from: number;
  to: number;
}

export function xOf(view: View, at: number): number {
  return view.gutter + ((at - view.from) / (view.to - view.from)) * (view.width - view.gutter);
}

export function laneHeight(scene: Pick<Scene, "rows">): number {
  return scene.rows ? ROW : LANE;
}

/** Draws what is in view, and no more: ten thousand items cost as much as those that can be seen. */
export function paint(
  context: CanvasRenderingContext2D,
  scene: Scene,
  view: View,
  palette: Palette,
  phase: number,
): void {
  const height = laneHeight(scene);
  context.clearRect(0, 0, view.width, view.height);
  paintGrid(context, scene, view, palette);
  const first = Math.max(0, Math.floor(view.scroll / height));
  const last = Math.min(scene.lanes.length - 1, Math.floor((view.scroll + view.height - AXIS) / height));

  context.save();
  context.beginPath();
  context.rect(0, AXIS, view.width, view.height - AXIS);
  context.clip();
  for (let lane = first; lane <= last; lane++) {
    const top = AXIS + lane * height - view.scroll;
    const items = scene.lanes[lane] ?? [];
    if (scene.rows && items[0]) paintRow(context, items[0], top, scene, view, palette);
    paintLane(context, items, top, height, scene, view, palette, phase);
  }
  if (scene.selected) paintLines(context, scene.selected, scene, view, palette);
  context.restore();
  paintAxis(context, scene, view, palette);
}

function paintGrid(context: CanvasRenderingContext2D, scene: Scene, view: View, palette: Palette): void {
  context.fillStyle = palette.line;
  for (const { at } of ticksOf(view.from, view.to, scene.origin, view.width - view.gutter, 96)) {
    context.fillRect(Math.round(xOf(view, at)), AXIS, 1, view.height - AXIS);
  }
}

function paintAxis(context: CanvasRenderingContext2D, scene: Scene, view: View, palette: Palette): void {
  context.fillStyle = palette.bed;
  context.fillRect(0, 0, view.width, AXIS - 1);
  context.fillStyle = palette.line;
  context.fillRect(0, AXIS - 1, view.width, 1);
  context.fillStyle = palette.ink3;
  context.font = `11px ${palette.sans}`;
  context.textBaseline = "middle";
  // Without a gutter the zoom stands at the right end of the axis.
  const end = view.gutter ? view.width - 2 : view.width - 84;
  for (const { at, step } of ticksOf(view.from, view.to, scene.origin, view.width - view.gutter, 96)) {
    const text = formatOffset(at - scene.origin, step);
    const x = Math.max(xOf(view, at) + 4, view.gutter + 4);
    if (x + context.measureText(text).width <= end) context.fillText(text, x, AXIS / 2);
  }
}

function paintRow(
  context: CanvasRenderingContext2D,
  item: Item,
  top: number,
  scene: Scene,
  view: View,
  palette: Palette,
): void {
  const lit = item.id === scene.selected || item.id === scene.hovered;
  if (lit) {
    context.globalAlpha = item.id === scene.selected ? 0.1 : 0.05;
    context.fillStyle = item.id === scene.selected ? palette.water : palette.ink;
    context.fillRect(0, top, view.width, ROW);
    context.globalAlpha = 1;
  }
  if (view.gutter < 40) return;
  const indent = 12 + item.depth * 14;
  context.font = `${item.subflow ? "600 " : ""}12px ${palette.sans}`;
  context.textBaseline = "middle";
  context.fillStyle = lit ? palette.ink : palette.ink2;
  if (item.subflow) paintChevron(context, indent - 2, top + ROW / 2, scene.opened.has(item.id), palette.ink3);
  context.fillText(shorten(context, item.node.label, view.gutter - indent - 20), indent + 10, top + ROW / 2 + 0.5);
}

function paintChevron(context: CanvasRenderingContext2D, x: number, y: number, open: boolean, color: string): void {
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  if (open) context.moveTo(x - 3, y - 1.5);
  else context.moveTo(x - 1.5, y - 3);
  if (open) context.lineTo(x, y + 1.5);
  else context.lineTo(x + 1.5, y);
  if (open) context.lineTo(x + 3, y - 1.5);
  else context.lineTo(x - 1.5, y + 3);
  context.stroke();
}

const fitted = new Map<string, string>();

/** The text cut to a width. Measuring is what costs most, so what has been fitted once is kept. */
function shorten(context: CanvasRenderingContext2D, text: string, width: number): string {
  const key = `${context.font}|${Math.round(width)}|${text}`;
  const known = fitted.get(key);
  if (known !== undefined) return known;
  let cut = text;
  if (context.measureText(text).width > width) {
    const keep = findFirst(text.length, (length) => context.measureText(`${text.slice(0, length + 1)}…`).width > width);
    cut = keep > 1 ? `${text.slice(0, keep)}…` : "";
  }
  if (fitted.size > 5000) fitted.clear();
  fitted.set(key, cut);
  return cut;
}

function paintLane(
  context: CanvasRenderingContext2D,
  items: Item[],
  top: number,
  height: number,
  scene: Scene,
  view: View,
  palette: Palette,
  phase: number,
): void {
  const y = top + (height - BAR) / 2;
  let drawn = Number.NEGATIVE_INFINITY;
  for (let index = firstAfter(items, view.from, scene.now); index < items.length; index++) {
    const item = items[index] as Item;
    if (item.start > view.to) break;
    // Thousands of items in a few hundred pixels: one per pixel is seen, and what failed is always one of them.
    const end = xOf(view, item.end ?? scene.now);
    if (end - drawn < 0.7 && item.tone === "completed" && item.id !== scene.selected) continue;
    drawn = end;
    paintItem(context, item, y, scene, view, palette, phase);
  }
}

function paintItem(
  context: CanvasRenderingContext2D,
  item: Item,
  y: number,
  scene: Scene,
  view: View,
  palette: Palette,
  phase: number,
): void {
  const left = Math.max(view.gutter, xOf(view, item.start));
  const right = Math.min(view.width + 4, xOf(view, item.end ?? scene.now));
  if (right < view.gutter) return;
  // Between attempts the task waited: a line through the middle.
  context.fillStyle = palette.tones.waiting;
  for (let index = 1; index < item.stretches.length; index++) {
    const from = Math.max(view.gutter, xOf(view, item.stretches[index - 1]?.end ?? scene.now));
    const to = Math.max(view.gutter, xOf(view, item.stretches[index]?.start ?? scene.now));
    context.fillRect(from, y + BAR / 2 - 0.75, Math.max(0, to - from), 1.5);
  }
  for (const stretch of item.stretches) {
    const from = Math.max(view.gutter, xOf(view, stretch.start));
    const to = Math.min(view.width + 4, xOf(view, stretch.end ?? scene.now));
    if (to < view.gutter) continue;
    const width = Math.max(2, to - from);
    context.fillStyle = palette.tones[stretch.tone];
    context.globalAlpha = stretch.past ? 0.55 : 1;
    context.beginPath();
    context.roundRect(from, stretch.past ? y + 2 : y, width, stretch.past ? BAR - 4 : BAR, Math.min(2.5, width / 2));
    context.fill();
    if (stretch.end === null) paintFlow(context, from, y, width, BAR, phase);
    context.globalAlpha = 1;
  }
  const width = right - left;
  if (!scene.rows && width > 46) {
    context.font = `500 10px ${palette.sans}`;
    context.textBaseline = "middle";
    context.fillStyle = palette.paper;
    context.fillText(shorten(context, item.node.label, width - 10), left + 5, y + BAR / 2 + 0.5);
  } else if (scene.rows && view.gutter < 40) {
    context.font = `11px ${palette.sans}`;
    context.textBaseline = "middle";
    context.fillStyle = palette.ink2;
    // Where there is most room: behind the bar if it fits there, or before it, or inside.
    const [behind, before] = [view.width - right - 12, left - 12];
    const wanted = Math.min(150, context.measureText(item.node.label).width);
    const inside = Math.max(behind, before) < wanted && width - 12 > Math.max(behind, before);
    const room = inside ? width - 12 : behind >= wanted || behind > before ? behind : before;
    const text = shorten(context, item.node.label, Math.min(150, room));
    if (inside) context.fillStyle = palette.paper;
    const x = inside ? left + 6 : room === behind ? right + 6 : left - context.measureText(text).width - 6;
    context.fillText(text, x, y + BAR / 2 + 0.5);
  }
  if (!scene.rows && (item.id === scene.selected || item.id === scene.hovered)) {
    context.strokeStyle = item.id === scene.selected ? palette.water : palette.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.roundRect(left - 1.5, y - 1.5, Math.max(2, width) + 3, BAR + 3, 4);
    context.stroke();
  }
}

/** Water runs through what is running. */
function paintFlow(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  phase: number,
): void {
  context.save();
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(2.5, width / 2));
  context.clip();
  context.fillStyle = "rgb(255 255 255 / 0.22)";
  for (let at = x - 14 + phase * 14; at < x + width; at += 14) {
    context.beginPath();
    context.moveTo(at + 4, y);
    context.lineTo(at + 9, y);
    context.lineTo(at + 5, y + height);
    context.lineTo(at, y + height);
    context.fill();
  }
  context.restore();
}

const MOST_LINES = 120;

/** What the chosen item waited for, and what waited for it. */
function paintLines(context: CanvasRenderingContext2D, id: string, scene: Scene, view: View, palette: Palette): void {
  const chosen = scene.places.get(id);
  if (!chosen) return;
  const height = laneHeight(scene);
  const middle = (lane: number) => AXIS + lane * height - view.scroll + height / 2;
  context.strokeStyle = palette.ink2;
  context.lineWidth = 1;
  const draw = (from: { item: Item; lane: number }, to: { item: Item; lane: number }) => {
    const x1 = Math.max(view.gutter, xOf(view, from.item.end ?? scene.now));
    const x2 = Math.max(view.gutter, xOf(view, to.item.start));
    const y1 = middle(from.lane);
    const y2 = middle(to.lane);
    const bend = Math.max(10, Math.abs(x2 - x1) / 2);
    context.beginPath();
    context.moveTo(x1, y1);
    context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2 - 2, y2);
    context.stroke();
    context.beginPath();
    context.arc(x2 - 2, y2, 2, 0, Math.PI * 2);
    context.fillStyle = palette.ink2;
    context.fill();
  };
  const before = chosen.item.parents.slice(0, MOST_LINES);
  const after = chosen.item.node.children.slice(0, MOST_LINES);
  for (const parent of before) {
    const place = scene.places.get(parent);
    if (place) draw(place, chosen);
  }
  for (const child of after) {
    const place = scene.places.get(child.id);
    if (place) draw(chosen, place);
  }
}
