import { useCallback, useSyncExternalStore } from "react";
import { formatDuration } from "@/format/duration";
import { formatExact, formatRelative, type Instant, secondsBetween, toMillis } from "@/format/instant";

const listeners = new Set<() => void>();
let timer = 0;

function notify(): void {
  if (document.hidden) return;
  for (const listener of listeners) listener();
}

/** One clock for the whole page; it stands still while nobody looks. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!timer) timer = window.setInterval(notify, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = 0;
    }
  };
}

/** What `render` makes of the present moment, kept up to date; the caller is drawn again only when the text changes. */
export function useTicking(render: (now: number) => string): string {
  return useSyncExternalStore(subscribe, () => render(Date.now()));
}

interface TimeProps {
  at: Instant | null | undefined;
  className?: string;
}

/** How long ago or in how long; the exact time on hover. */
export function RelativeTime({ at, className }: TimeProps) {
  const text = useTicking(
    useCallback((now) => (at === null || at === undefined ? "–" : formatRelative(at, now)), [at]),
  );
  if (at === null || at === undefined) return <span className={className}>–</span>;
  return (
    <time dateTime={new Date(toMillis(at)).toISOString()} data-tip={formatExact(at)} className={className}>
      {text}
    </time>
  );
}

interface DurationProps {
  from: Instant | null | undefined;
  to: Instant | null | undefined;
  /** Still going on: without an end, it is counted up to now. */
  running?: boolean;
  className?: string;
}

/** How long something took, or takes so far. */
export function Duration({ from, to, running, className }: DurationProps) {
  const text = useTicking(
    useCallback(
      (now) => {
        if (from === null || from === undefined) return "–";
        if (to !== null && to !== undefined) return formatDuration(secondsBetween(from, to));
        return running ? formatDuration(Math.max(0, Math.floor((now - toMillis(from)) / 1000))) : "–";
      },
      [from, to, running],
    ),
  );
  return <span className={className}>{text}</span>;
}
