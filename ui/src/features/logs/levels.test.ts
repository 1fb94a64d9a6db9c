import { expect, it } from "vitest";
import { lineOf } from "./download";
import { cutAt, levelOf } from "./levels";

it.each([
  [5, "debug"],
  [10, "debug"],
  [25, "info"],
  [30, "warning"],
  [45, "error"],
  [50, "critical"],
  [99, "critical"],
])("%d is %s", (number, word) => {
  expect(levelOf(number).word).toBe(word);
});

it("marks what was looked for, and leaves out what was looked away from", () => {
  const marked = (text: string, wanted: string) =>
    cutAt(text, wanted)
      .map((part) => (part.match ? `[${part.text}]` : part.text))
      .join("");
  expect(marked("Reading page 3 of 40", "PAGE 40")).toBe("Reading [page] 3 of [40]");
  expect(marked("a.b (c)", "(c) a.b")).toBe("[a.b] [(c)]");
  expect(marked("page", "-page")).toBe("page");
  expect(marked("page", "")).toBe("page");
});

it("writes a line as a terminal would", () => {
  const log = {
    id: "",
    created: null,
    updated: null,
    name: "app",
    level: 30,
    message: "slow",
    timestamp: "2026-11-23T12:00:00Z",
    flow_run_id: null,
    task_run_id: null,
  };
  expect(lineOf(log)).toBe("2026-11-23T12:00:00Z | WARNING  | app - slow");
});
