import { useSyncExternalStore } from "react";

/** Widths from which on there is room for more: the breakpoints of the tokens, in px. */
const FROM = { sm: 640, md: 832, lg: 1088, xl: 1344 } as const;

export type Breakpoint = keyof typeof FROM;

const queries = new Map<Breakpoint, MediaQueryList>();

function queryOf(name: Breakpoint): MediaQueryList {
  const known = queries.get(name) ?? matchMedia(`(min-width: ${FROM[name]}px)`);
  queries.set(name, known);
  return known;
}

function widthClass(): number {
  return (Object.keys(FROM) as Breakpoint[]).filter((name) => queryOf(name).matches).length;
}

function subscribe(listener: () => void): () => void {
  const all = (Object.keys(FROM) as Breakpoint[]).map(queryOf);
  for (const query of all) query.addEventListener("change", listener);
  return () => {
    for (const query of all) query.removeEventListener("change", listener);
  };
}

/** Whether the window is at least as wide as the breakpoint. */
export function useIsFrom(): (name: Breakpoint) => boolean {
  const reached = useSyncExternalStore(subscribe, widthClass);
  return (name) => (Object.keys(FROM) as Breakpoint[]).indexOf(name) < reached;
}
