import { type PointerEvent, useEffect, useRef } from "react";
import { densityOf, type Item } from "./layout";
import { readPalette } from "./palette";
import type { Part } from "./use-zoom";

const HEIGHT = 34;

interface OverviewProps {
  items: Item[];
  from: number;
  to: number;
  now: number;
  part: Part;
  show: (part: Part) => void;
  width: number;
  gutter: number;
  theme: string;
}

/** The whole run in one strip, how much went on when and where something failed, with the part in view; drag to move it. */
export function Overview({ items, from, to, now, part, show, width, gutter, theme }: OverviewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const held = useRef<number | null>(null);
  const inner = Math.max(1, width - gutter);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  useEffect(() => {
    const node = canvas.current;
    const context = node?.getContext("2d");
    if (!node || !context || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    node.width = inner * ratio;
    node.height = HEIGHT * ratio;
    context.scale(ratio, ratio);
    const palette = readPalette();
    const count = Math.max(1, Math.floor(inner / 2));
    const { load, failed } = densityOf(items, from, to, count, now);
    const most = Math.max(1, ...load);
    const step = inner / count;
    context.fillStyle = palette.tones.completed;
    context.globalAlpha = 0.45;
    context.beginPath();
    context.moveTo(0, HEIGHT);
    load.forEach((value, index) => {
      const y = HEIGHT - 1 - (value / most) * (HEIGHT - 8);
      context.lineTo(index * step, y);
      context.lineTo((index + 1) * step, y);
    });
    context.lineTo(inner, HEIGHT);
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = palette.tones.failed;
    for (let index = 0; index < count; index++) {
      if (failed[index]) context.fillRect(index * step, 0, Math.max(2, step), 4);
    }
    if (part.to - part.from < 0.999) {
      context.fillStyle = palette.bed;
      context.globalAlpha = 0.7;
      context.fillRect(0, 0, part.from * inner, HEIGHT);
      context.fillRect(part.to * inner, 0, inner, HEIGHT);
      context.globalAlpha = 1;
      context.strokeStyle = palette.water;
      context.lineWidth = 1.5;
      context.strokeRect(
        part.from * inner + 0.75,
        0.75,
        Math.max(3, (part.to - part.from) * inner - 1.5),
        HEIGHT - 1.5,
      );
    }
  }, [items, from, to, now, part, inner, width, theme]);

  const shareOf = (event: PointerEvent) => (event.clientX - event.currentTarget.getBoundingClientRect().left) / inner;
  const move = (event: PointerEvent) => {
    if (held.current === null) return;
    const size = part.to - part.from;
    const start = shareOf(event) - held.current;
    show({ from: start, to: start + size });
  };
  return (
    <div className="border-line border-b bg-bed" style={{ paddingLeft: gutter }}>
      <canvas
        ref={canvas}
        className="block cursor-grab touch-none active:cursor-grabbing"
        style={{ width: inner, height: HEIGHT }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const share = shareOf(event);
          const size = part.to - part.from;
          const inside = share >= part.from && share <= part.to && size < 0.999;
          held.current = inside ? share - part.from : Math.min(size, 0.2) / 2;
          if (!inside) show({ from: share - Math.min(size, 0.2) / 2, to: share + Math.min(size, 0.2) / 2 });
        }}
        onPointerMove={move}
        onPointerUp={() => {
          held.current = null;
        }}
      />
    </div>
  );
}
