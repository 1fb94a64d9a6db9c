import { expect, it } from "vitest";
import { isFinal, lookOf, nameOfState } from "./look";

it.each([
  ["COMPLETED", "Completed", "completed", "check"],
  ["COMPLETED", "Cached", "completed", "cached"],
  ["COMPLETED", "RolledBack", "cancelled", "undone"],
  ["FAILED", "TimedOut", "failed", "timeout"],
  ["SCHEDULED", "Late", "waiting", "late"],
  ["SCHEDULED", "AwaitingRetry", "waiting", "again"],
  ["RUNNING", "Retrying", "running", "wheel"],
  ["PAUSED", "Suspended", "waiting", "pause"],
  ["COMPLETED", "My own name", "completed", "check"],
  // A user's state of that name which is of another type keeps the colour of its type.
  ["COMPLETED", "TimedOut", "completed", "check"],
])("%s called %s is %s with a %s", (type, name, tone, mark) => expect(lookOf(type, name)).toEqual({ tone, mark }));

it("gives no two states that end differently the same shape", () => {
  const marks = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"].map((type) => lookOf(type).mark);
  expect(new Set(marks).size).toBe(4);
});

it("writes names as people do", () => {
  expect(nameOfState("SCHEDULED", "AwaitingConcurrencySlot")).toBe("Awaiting concurrency slot");
  expect(nameOfState("FAILED")).toBe("Failed");
  expect(nameOfState(null)).toBe("Not started");
});

it("knows ends", () => {
  expect(["COMPLETED", "FAILED", "CANCELLED", "CRASHED"].every(isFinal)).toBe(true);
  expect(["RUNNING", "PAUSED", "CANCELLING", null, undefined].some(isFinal)).toBe(false);
});
