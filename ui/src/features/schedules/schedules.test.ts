import { describe, expect, it } from "vitest";
import type { Schedule } from "@/api/types";
import { describeCron, describeRule, describeSchedule } from "./describe";
import { draftOf, scheduleOf } from "./draft";

describe("a cron line in words", () => {
  it.each([
    ["* * * * *", "Every minute"],
    ["*/15 * * * *", "Every 15 minutes"],
    ["0 * * * *", "Every hour"],
    ["5 * * * *", "Every hour at :05"],
    ["0 */6 * * *", "Every 6 hours"],
    ["30 6 * * 1-5", "06:30, Monday to Friday"],
    ["30 6 * * mon-fri", "06:30, Monday to Friday"],
    ["0 9,17 * * *", "09:00 and 17:00, every day"],
    ["0 8 * * 0,6", "08:00, at weekends"],
    ["0 8 * * 7", "08:00, Sundays"],
    ["0 0 1,15 * *", "00:00, on the 1st, 15th of the month"],
    ["@daily", "00:00, every day"],
  ])("%s is %s", (cron, words) => expect(describeCron(cron)).toBe(words));

  it.each(["0 0 1 1 *", "0 0 L * *", "0 8 * * 1#2", "1 2 3", "*/5 9-17 * * *"])("%s stays as it is", (cron) =>
    expect(describeCron(cron)).toBe(cron),
  );
});

describe("a rule in words", () => {
  it.each([
    ["FREQ=DAILY", "Every day"],
    ["RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9", "Every week on Monday, Thursday at 09:00"],
    ["FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=30", "Every month on the last Friday at 18:30"],
    ["FREQ=MONTHLY;BYDAY=2TU", "Every month on the 2nd Tuesday"],
    ["DTSTART:20260101T000000\nRRULE:FREQ=HOURLY;INTERVAL=2", "Every 2 hours"],
  ])("%s is %s", (rule, words) => expect(describeRule(rule)).toBe(words));

  it("stays as it is where words would be too many", () => {
    expect(describeRule("FREQ=YEARLY;BYYEARDAY=100")).toBe("FREQ=YEARLY;BYYEARDAY=100");
  });
});

describe("a draft", () => {
  it.each<Schedule>([
    { interval: 5_400, timezone: "UTC", anchor_date: "2026-01-01T00:00:00Z" },
    { interval: 604_800, timezone: "Europe/Berlin" },
    { cron: "30 6 * * 1-5", timezone: "Asia/Tokyo", day_or: false },
    { rrule: "FREQ=DAILY", timezone: "UTC" },
  ])("of a schedule means that schedule: %j", (schedule) => {
    expect(scheduleOf(draftOf(schedule, "UTC"))).toEqual(schedule);
  });

  it.each([
    [{ kind: "cron", cron: "1 2 3 4 5 6" }, /five fields.*6/],
    [{ kind: "cron", cron: " " }, /cron line/],
    [{ kind: "rrule", rrule: "weekly" }, /rule/],
    [{ kind: "interval", count: "0" }, /greater than 0/],
    [{ kind: "interval", count: "soon" }, /greater than 0/],
  ] as const)("%j says what is missing", (part, said) => {
    expect(scheduleOf({ ...draftOf(null, "UTC"), ...part })).toEqual({ missing: expect.stringMatching(said) });
  });

  it("is described as it will run", () => {
    expect(describeSchedule({ interval: 900 })).toBe("Every 15 minutes");
  });
});
