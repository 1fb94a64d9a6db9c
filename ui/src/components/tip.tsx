import { useEffect, useRef, useState } from "react";

const DELAY = 300;
const EDGE = 8;

interface Shown {
  text: string;
  x: number;
  top: number;
  bottom: number;
}

/**
 * The one tooltip of the page. Anything with `data-tip` has it, on hover and on keyboard focus; a table of a thousand
 * rows costs no more than one of ten.
 */
export function TipLayer() {
  const [shown, setShown] = useState<Shown | null>(null);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let timer = 0;
    let target: HTMLElement | null = null;

    const show = () => {
      const text = target?.dataset.tip;
      if (!target?.isConnected || !text) return;
      const place = target.getBoundingClientRect();
      setShown({ text, x: place.left + place.width / 2, top: place.top, bottom: place.bottom });
    };
    const hide = () => {
      clearTimeout(timer);
      target = null;
      setShown(null);
    };
    const enter = (event: Event) => {
      const next = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-tip]") : null;
      if (next === target) return;
      hide();
      target = next;
      if (next) timer = window.setTimeout(show, event.type === "focusin" ? 0 : DELAY);
    };
    const focus = (event: FocusEvent) => {
      if (event.target instanceof Element && event.target.matches(":focus-visible")) enter(event);
    };
    const dismiss = (event: KeyboardEvent) => {
      if (event.key === "Escape") hide();
    };

    document.addEventListener("pointerover", enter);
    document.addEventListener("focusin", focus);
    for (const event of ["focusout", "pointerdown"]) document.addEventListener(event, hide);
    document.addEventListener("keydown", dismiss);
    window.addEventListener("scroll", hide, { capture: true, passive: true });
    return () => {
      hide();
      document.removeEventListener("pointerover", enter);
      document.removeEventListener("focusin", focus);
      for (const event of ["focusout", "pointerdown"]) document.removeEventListener(event, hide);
      document.removeEventListener("keydown", dismiss);
      window.removeEventListener("scroll", hide, { capture: true });
    };
  }, []);

  useEffect(() => {
    const node = box.current;
    if (!node || !shown) return;
    const { width, height } = node.getBoundingClientRect();
    const left = Math.min(Math.max(EDGE, shown.x - width / 2), window.innerWidth - width - EDGE);
    const above = shown.top - height - 6;
    node.style.left = `${left}px`;
    node.style.top = `${above < EDGE ? shown.bottom + 6 : above}px`;
    node.style.visibility = "visible";
  }, [shown]);

  if (!shown) return null;
  return (
    <div
      ref={box}
      role="tooltip"
      style={{ visibility: "hidden" }}
      className="fading pointer-events-none fixed z-50 max-w-80 whitespace-pre-line break-words rounded-md bg-ink px-2 py-1 text-on-ink text-xs"
    >
      {shown.text}
    </div>
  );
}
