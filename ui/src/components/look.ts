/**
 * How each state of a run looks: a tone (its colour) and a mark (its shape). Solid shapes are ends, open ones are on the
 * way; no two states that matter share a shape, so that nothing depends on seeing colours.
 */
export type Tone = "completed" | "running" | "failed" | "crashed" | "scheduled" | "pending" | "waiting" | "cancelled";

export type Mark =
  | "check"
  | "cached"
  | "undone"
  | "wheel"
  | "cross"
  | "timeout"
  | "burst"
  | "clock"
  | "late"
  | "again"
  | "queue"
  | "dots"
  | "pause"
  | "stop"
  | "stopping";

export interface Look {
  tone: Tone;
  mark: Mark;
}

const BY_TYPE: Record<string, Look> = {
  COMPLETED: { tone: "completed", mark: "check" },
  RUNNING: { tone: "running", mark: "wheel" },
  FAILED: { tone: "failed", mark: "cross" },
  CRASHED: { tone: "crashed", mark: "burst" },
  SCHEDULED: { tone: "scheduled", mark: "clock" },
  PENDING: { tone: "pending", mark: "dots" },
  PAUSED: { tone: "waiting", mark: "pause" },
  CANCELLING: { tone: "cancelled", mark: "stopping" },
  CANCELLED: { tone: "cancelled", mark: "stop" },
};

const BY_NAME: Record<string, Look> = {
  Late: { tone: "waiting", mark: "late" },
  AwaitingRetry: { tone: "waiting", mark: "again" },
  AwaitingConcurrencySlot: { tone: "waiting", mark: "queue" },
  Cached: { tone: "completed", mark: "cached" },
  RolledBack: { tone: "cancelled", mark: "undone" },
  TimedOut: { tone: "failed", mark: "timeout" },
};

/** Tones in the order in which a bar or a legend shows them: what flows first, then how it ended. */
export const TONES: Tone[] = [
  "completed",
  "running",
  "pending",
  "scheduled",
  "waiting",
  "cancelled",
  "crashed",
  "failed",
];

export const TONE_WORDS: Record<Tone, string> = {
  completed: "Completed",
  running: "Running",
  pending: "Pending",
  scheduled: "Scheduled",
  waiting: "Waiting",
  cancelled: "Cancelled",
  crashed: "Crashed",
  failed: "Failed",
};

export function lookOf(type: string | null | undefined, name?: string | null): Look {
  const fallback: Look = { tone: "pending", mark: "dots" };
  if (!type) return fallback;
  const named = name ? BY_NAME[name] : undefined;
  const typed = BY_TYPE[type] ?? fallback;
  // A name of the user's own, or one that ended up with another type, must not change the colour.
  return named && (named.tone === typed.tone || type === "SCHEDULED" || name === "RolledBack") ? named : typed;
}

/** `AwaitingRetry` as people write it: `Awaiting retry`. */
export function nameOfState(type: string | null | undefined, name?: string | null): string {
  const text = name || (type ? type[0] + type.slice(1).toLowerCase() : "Not started");
  const spaced = text.replace(/([a-z])([A-Z])/g, "$1 $2");
  return spaced[0] + spaced.slice(1).toLowerCase();
}

const FINAL = new Set(["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]);

export function isFinal(type: string | null | undefined): boolean {
  return FINAL.has(type ?? "");
}
