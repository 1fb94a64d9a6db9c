import type { Schedule } from "@/api/types";
import { isCron, isRule, type Kind, kindOf } from "./describe";

/** A schedule as the dialog holds it, which may not be one yet. */
export interface Draft {
  kind: Kind;
  count: string;
  unit: Unit;
  anchor: string;
  cron: string;
  dayOr: boolean;
  rrule: string;
  zone: string;
}

export const UNIT_SECONDS = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400, weeks: 604_800 } as const;
export type Unit = keyof typeof UNIT_SECONDS;

export function draftOf(schedule: Schedule | null, zone: string): Draft {
  const empty: Draft = {
    kind: "interval",
    count: "1",
    unit: "hours",
    anchor: "",
    cron: "",
    dayOr: true,
    rrule: "",
    zone,
  };
  if (!schedule) return empty;
  const held = { ...empty, kind: kindOf(schedule), zone: schedule.timezone ?? "UTC" };
  if (isCron(schedule)) return { ...held, cron: schedule.cron, dayOr: schedule.day_or ?? true };
  if (isRule(schedule)) return { ...held, rrule: schedule.rrule };
  const [unit, size] = (Object.entries(UNIT_SECONDS) as [Unit, number][])
    .reverse()
    .find(([, length]) => schedule.interval >= length && schedule.interval % length === 0) ?? ["seconds", 1];
  return { ...held, count: String(schedule.interval / size), unit, anchor: schedule.anchor_date ?? "" };
}

/** The schedule the draft means, or what is missing for it to be one. Whether it is a good one, the server says. */
export function scheduleOf(draft: Draft): Schedule | { missing: string } {
  if (draft.kind === "cron") {
    const cron = draft.cron.trim().replace(/\s+/g, " ");
    if (!cron) return { missing: "Write a cron line, such as 30 6 * * 1-5." };
    if (!cron.startsWith("@") && cron.split(" ").length !== 5)
      return {
        missing: `A cron line has five fields: minute, hour, day, month, weekday. This one has ${cron.split(" ").length}.`,
      };
    return { cron, timezone: draft.zone, day_or: draft.dayOr };
  }
  if (draft.kind === "rrule") {
    const rrule = draft.rrule.trim();
    if (!/FREQ=/i.test(rrule)) return { missing: "Write a rule, such as FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9." };
    return { rrule, timezone: draft.zone as "UTC" };
  }
  const count = Number(draft.count);
  if (!Number.isFinite(count) || count <= 0) return { missing: "Say how often: a number greater than 0." };
  return {
    interval: count * UNIT_SECONDS[draft.unit],
    timezone: draft.zone,
    ...(draft.anchor ? { anchor_date: draft.anchor } : {}),
  };
}
