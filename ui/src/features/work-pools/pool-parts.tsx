import type { WorkPool } from "@/api/types";
import { cx } from "@/components/cx";

/** Whether runs sent to the pool will be started. */
export function PoolStatus({ pool, online }: { pool: WorkPool; online: number | undefined }) {
  const [word, tone, tip] = pool.is_paused
    ? ["Paused", "waiting", "Runs wait until the pool is resumed"]
    : online === 0
      ? ["No worker", "failed", "Nobody is there to start runs"]
      : online === undefined && pool.status === "NOT_READY"
        ? ["Not ready", "failed", "No worker has been seen"]
        : ["Ready", "completed", "Runs are started as they come"];
  return <StatusWord tone={tone as "waiting"} word={word as string} tip={tip} />;
}

interface StatusWordProps {
  tone: "completed" | "failed" | "waiting" | "cancelled";
  word: string;
  tip?: string | undefined;
}

/** A status that is not a run's: a dot whose shape goes with its colour, and the word. */
export function StatusWord({ tone, word, tip }: StatusWordProps) {
  return (
    <span
      data-tip={tip}
      className={cx(`tone-${tone}`, "relative inline-flex items-center gap-1.5 whitespace-nowrap font-medium text-xs")}
    >
      <svg viewBox="0 0 8 8" aria-hidden="true" className="size-2 text-tone">
        {tone === "completed" && <circle cx="4" cy="4" r="4" fill="currentColor" />}
        {tone === "failed" && <rect width="8" height="8" rx="1.5" fill="currentColor" />}
        {tone === "waiting" && <path d="M1.5 0h1.7v8H1.5zM4.8 0h1.7v8H4.8z" fill="currentColor" />}
        {tone === "cancelled" && <circle cx="4" cy="4" r="3.2" fill="none" stroke="currentColor" strokeWidth="1.5" />}
      </svg>
      <span className="text-tone-ink">{word}</span>
    </span>
  );
}

/** Slots taken, of those there are. */
export function SlotBar({ used, limit }: { used: number | null | undefined; limit: number | null | undefined }) {
  const taken = used ?? 0;
  if (limit === null || limit === undefined)
    return <span className="text-ink-3">{taken ? `${taken} running` : "no limit"}</span>;
  return (
    <span className="inline-flex items-center gap-2" data-tip={`${taken} of ${limit} slots in use`}>
      <span aria-hidden="true" className="flex h-1.5 w-16 overflow-hidden rounded-full bg-line">
        <span
          className={cx("h-full bg-running", taken > 0 && "flowing")}
          style={{ width: `${limit ? Math.min(1, taken / limit) * 100 : 0}%` }}
        />
      </span>
      <span>
        {taken}/{limit}
      </span>
    </span>
  );
}
