import { describe, expect, it } from "vitest";
import { describeInterval, formatDuration } from "./duration";
import { formatExact, formatRelative, secondsBetween } from "./instant";
import { formatCount, formatPercent, formatShortCount, plural } from "./quantity";

describe("durations", () => {
  it.each([
    [0, "0 s"],
    [0.00042, "0.42 ms"],
    [0.0843, "84 ms"],
    [0.9999, "1.0 s"],
    [4.21, "4.2 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.6, "1m 00s"],
    [187, "3m 07s"],
    [3_600, "1h"],
    [5_460, "1h 31m"],
    [187_200, "2d 4h"],
    [-2, "−2.0 s"],
  ])("%d seconds is %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it("are exact to the microsecond", () => {
    expect(secondsBetween("2026-11-26T20:54:51.353912Z", "2026-11-26T20:54:51.354040Z")).toBeCloseTo(0.000128, 9);
    expect(secondsBetween("2026-11-26T20:54:51Z", "2026-11-26T20:54:52.5Z")).toBe(1.5);
    expect(secondsBetween("2026-11-26T20:54:51.1234Z", 1_795_726_491_123)).toBeCloseTo(-0.0004, 9);
  });

  it.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY])("%s is none", (value) =>
    expect(formatDuration(value)).toBe("–"),
  );

  it.each([
    [60, "every minute"],
    [900, "every 15 minutes"],
    [3_600, "every hour"],
    [86_400, "every day"],
    [1_209_600, "every 2 weeks"],
    [90, "every 90 seconds"],
    [0.5, "every 500 ms"],
  ])("an interval of %d seconds is %s", (seconds, text) => expect(describeInterval(seconds)).toBe(text));
});

describe("times", () => {
  const now = new Date(2026, 10, 23, 12, 0, 0).getTime();
  const ago = (seconds: number) => formatRelative(now - seconds * 1000, now);

  it.each([
    [0, "now"],
    [1, "now"],
    [42, "42s ago"],
    [60, "1m ago"],
    [3_599, "59m ago"],
    [3_600, "1h ago"],
    [20 * 3_600, "20h ago"],
    [-42, "in 42s"],
    [-7_200, "in 2h"],
  ])("%d seconds ago is %s", (seconds, text) => expect(ago(seconds)).toBe(text));

  it("names the day when hours would have to be counted", () => {
    expect(formatRelative(new Date(2026, 10, 22, 9, 30), now)).toBe("yesterday 09:30");
    expect(formatRelative(new Date(2026, 10, 24, 18, 5), now)).toBe("tomorrow 18:05");
    expect(formatRelative(new Date(2026, 10, 20, 7, 0), now)).toBe("Fri 07:00");
    expect(formatRelative(new Date(2026, 9, 2), now)).toBe("2 Oct");
    expect(formatRelative(new Date(2025, 9, 2), now)).toBe("2 Oct 2025");
  });

  it("gives the exact time in two zones", () => {
    const text = formatExact("2026-11-23T12:00:00.123Z");
    expect(text).toContain(".123");
    expect(text).toMatch(/\n23 Nov, 12:00:00 UTC$/);
    expect(formatExact("nonsense")).toBe("");
  });
});

describe("quantities", () => {
  it.each([
    [999, "999"],
    [1_000, "1.0k"],
    [9_960, "10k"],
    [34_400, "34k"],
    [1_100_000, "1.1M"],
  ])("%d is %s for short", (count, text) => expect(formatShortCount(count)).toBe(text));

  it("are grouped and named", () => {
    expect(formatCount(1_234_567)).toBe("1,234,567");
    expect(plural(1, "task run")).toBe("1 task run");
    expect(plural(2_000, "task run")).toBe("2,000 task runs");
  });

  it("never round a failure away", () => {
    expect(formatPercent(0.9999)).toBe("99%");
    expect(formatPercent(1)).toBe("100%");
    expect(formatPercent(0.0001)).toBe("<1%");
    expect(formatPercent(0)).toBe("0%");
  });
});
