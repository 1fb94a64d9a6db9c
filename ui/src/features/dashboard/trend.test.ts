import { expect, it } from "vitest";
import { addUp, piecesOf, roundUp, successOf, sumOf, windowOf } from "./trend";

const state = (state_type: "COMPLETED" | "FAILED" | "SCHEDULED", state_name: string, count_runs: number) => ({
  state_type,
  state_name,
  count_runs,
  sum_estimated_run_time: 0,
  sum_estimated_lateness: 0,
});

const history = [
  {
    interval_start: "a",
    interval_end: "b",
    states: [state("COMPLETED", "Completed", 3), state("COMPLETED", "Cached", 2), state("FAILED", "Failed", 1)],
  },
  { interval_start: "b", interval_end: "c", states: [state("SCHEDULED", "Late", 4)] },
];

it("counts by what is shown, not by name", () => {
  const pieces = piecesOf(history);
  expect(pieces.map((piece) => piece.counts)).toEqual([{ completed: 5, failed: 1 }, { waiting: 4 }]);
  expect(addUp(pieces)).toEqual({ completed: 5, failed: 1, waiting: 4 });
  expect(sumOf(addUp(pieces))).toBe(10);
});

it("counts as success what ended well of what ended", () => {
  expect(successOf({ completed: 9, failed: 1, running: 5, cancelled: 3 })).toBe(0.9);
  expect(successOf({ running: 5 })).toBeNull();
});

it("asks for whole pieces, so that the question stays the same", () => {
  const now = Date.parse("2026-11-23T12:07:00Z");
  const window = windowOf("24h", now);
  expect(windowOf("24h", now + 60_000)).toEqual(window);
  expect((Date.parse(window.end) - Date.parse(window.start)) / 1000 / window.seconds).toBe(48);
  expect(Date.parse(window.end)).toBeGreaterThan(now);
});

it.each([
  [0, 4],
  [3, 4],
  [5, 6],
  [7, 8],
  [11, 20],
  [31, 40],
  [101, 200],
  [999, 1000],
])("puts the top of a scale for %d at %d", (most, top) => {
  expect(roundUp(most)).toBe(top);
});
