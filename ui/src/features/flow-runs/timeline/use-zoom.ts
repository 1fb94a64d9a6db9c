import { select } from "d3-selection";
import { type D3ZoomEvent, type ZoomBehavior, type ZoomTransform, zoom, zoomIdentity } from "d3-zoom";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";

/** The part of the whole span that is in view, as shares from 0 to 1. */
export interface Part {
  from: number;
  to: number;
}

export const WHOLE: Part = { from: 0, to: 1 };

interface Zoom {
  part: Part;
  /** Shows a part, clipped to what there is. */
  show: (part: Part) => void;
  scale: (factor: number) => void;
}

/**
 * Horizontal zoom and pan of a canvas: pinch, ctrl and wheel, or drag; the plain wheel is left to the page. `gutter` px at
 * the left do not move.
 */
export function useZoom(
  canvas: RefObject<HTMLCanvasElement | null>,
  width: number,
  gutter: number,
  most: number,
): Zoom {
  const [part, setPart] = useState<Part>(WHOLE);
  const behavior = useRef<ZoomBehavior<HTMLCanvasElement, unknown> | null>(null);
  const inner = Math.max(1, width - gutter);

  useEffect(() => {
    const node = canvas.current;
    if (!node || width === 0) return;
    const own = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent([1, most])
      .extent([
        [gutter, 0],
        [width, 1],
      ])
      .translateExtent([
        [gutter, 0],
        [width, 1],
      ])
      .filter((event: MouseEvent | WheelEvent | TouchEvent) => {
        if (event.type === "wheel")
          return (
            event.ctrlKey ||
            event.metaKey ||
            event.shiftKey ||
            Math.abs((event as WheelEvent).deltaX) > Math.abs((event as WheelEvent).deltaY)
          );
        return event.type !== "dblclick" && !("button" in event && event.button);
      })
      .wheelDelta((event: WheelEvent) => {
        const delta = event.deltaY || event.deltaX;
        return -delta * (event.deltaMode === 1 ? 0.05 : event.deltaMode ? 1 : 0.002) * (event.ctrlKey ? 6 : 1.5);
      })
      .on("zoom", (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => setPart(partOf(event.transform, gutter, inner)));
    behavior.current = own;
    const selection = select(node);
    selection.call(own);
    return () => {
      selection.on(".zoom", null);
    };
  }, [canvas, width, gutter, inner, most]);

  const show = useCallback(
    (wanted: Part) => {
      const node = canvas.current;
      if (!node || !behavior.current) return;
      const size = Math.max(wanted.to - wanted.from, 1 / most);
      const k = Math.max(1, 1 / size);
      const from = Math.min(Math.max(0, wanted.from), 1 - 1 / k);
      behavior.current.transform(
        select(node),
        zoomIdentity.translate(gutter - (gutter + from * inner) * k, 0).scale(k),
      );
    },
    [canvas, gutter, inner, most],
  );
  const scale = useCallback(
    (factor: number) => {
      if (canvas.current && behavior.current) behavior.current.scaleBy(select(canvas.current), factor);
    },
    [canvas],
  );
  return useMemo(() => ({ part, show, scale }), [part, show, scale]);
}

export function partOf(transform: ZoomTransform, gutter: number, inner: number): Part {
  const from = (transform.invertX(gutter) - gutter) / inner;
  const to = (transform.invertX(gutter + inner) - gutter) / inner;
  return { from: Math.max(0, from), to: Math.min(1, to) };
}
