import type { State as RunState } from "@/api/types";
import { Empty } from "@/components/empty";
import { State } from "@/components/state";
import { RelativeTime } from "@/components/time";
import { formatDuration } from "@/format/duration";
import { formatClock } from "@/format/instant";

/** Every state the run was in, the newest first, and how long it stayed. */
export function StateHistory({ states }: { states: RunState[] }) {
  if (states.length === 0) return <Empty title="No state yet" />;
  const stays = states.map((state, index) => {
    const next = states[index + 1];
    return { state, seconds: next ? (Date.parse(next.timestamp) - Date.parse(state.timestamp)) / 1000 : null };
  });
  return (
    <ol className="overflow-hidden rounded-lg border border-line bg-paper">
      {stays.reverse().map(({ state, seconds }) => (
        <li
          key={state.id}
          className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-4 gap-y-1 border-line border-b px-4 py-2.5 last:border-0 sm:grid-cols-[10rem_minmax(0,1fr)_5.5rem_6.5rem_5.5rem]"
        >
          <State type={state.type} name={state.name} className="[&_svg]:translate-y-[3px] [&_svg]:self-start" />
          <span className="whitespace-pre-wrap break-words text-ink-2 empty:hidden max-sm:order-last max-sm:col-span-2 sm:empty:block">
            {state.message}
          </span>
          <span className="text-right text-ink-3 text-xs max-sm:hidden">
            {seconds === null ? "" : `for ${formatDuration(seconds)}`}
          </span>
          <time className="text-right font-mono text-ink-3 text-xs max-sm:hidden">{formatClock(state.timestamp)}</time>
          <RelativeTime at={state.timestamp} className="text-right text-ink-2 text-xs" />
        </li>
      ))}
    </ol>
  );
}
