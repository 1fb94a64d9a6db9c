import type { HistoryInterval } from "@/api/types";
import { lookOf, TONES, type Tone } from "@/components/look";

export type Span = "24h" | "7d" | "30d";

/** How a span is cut: enough pieces to show a shape, few enough to point at one. */
const PIECES: Record<Span, { count: number; seconds: number }> = {
  "24h": { count: 48, seconds: 1_800 },
  "7d": { count: 84, seconds: 7_200 },
  "30d": { count: 60, seconds: 43_200 },
};

export interface Window {
  start: string;
  end: string;
  seconds: number;
}

/** The span up to now in whole pieces, so that its bounds, and the question to the server, stay the same for a while. */
export function windowOf(span: Span, now: number): Window {
  const { count, seconds } = PIECES[span];
  const step = seconds * 1000;
  const offset = new Date(now).getTimezoneOffset() * 60_000;
  const end = (Math.floor((now - offset) / step) + 1) * step + offset;
  return { start: new Date(end - count * step).toISOString(), end: new Date(end).toISOString(), seconds };
}

export type Counts = Partial<Record<Tone, number>>;

export interface Piece {
  start: string;
  end: string;
  counts: Counts;
  total: number;
}

/** Counts by tone per interval. */
export function piecesOf(history: HistoryInterval[]): Piece[] {
  return history.map((interval) => {
    const counts: Counts = {};
    for (const state of interval.states) {
      const { tone } = lookOf(state.state_type, state.state_name);
      counts[tone] = (counts[tone] ?? 0) + state.count_runs;
    }
    return { start: interval.interval_start, end: interval.interval_end, counts, total: sumOf(counts) };
  });
}

export function sumOf(counts: Counts): number {
  return TONES.reduce((sum, tone) => sum + (counts[tone] ?? 0), 0);
}

export function addUp(pieces: Piece[]): Counts {
  const counts: Counts = {};
  for (const piece of pieces) {
    for (const tone of TONES) if (piece.counts[tone]) counts[tone] = (counts[tone] ?? 0) + (piece.counts[tone] ?? 0);
  }
  return counts;
}

/** The share of ended runs that ended well; null while none has ended. Cancelling is a wish, not a failure. */
export function successOf(counts: Counts): number | null {
  const well = counts.completed ?? 0;
  const ended = well + (counts.failed ?? 0) + (counts.crashed ?? 0);
  return ended ? well / ended : null;
}

/** The smallest round even number that is not below: the top of a scale that is marked in the middle too. */
export function roundUp(most: number): number {
  if (most <= 4) return 4;
  const size = 10 ** Math.floor(Math.log10(most));
  const tops = [1, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size);
  return tops.find((top) => top >= most && top % 2 === 0) ?? size * 10;
}
