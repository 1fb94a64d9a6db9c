import type { CronSchedule, RRuleSchedule, Schedule } from "@/api/types";
import { describeInterval } from "@/format/duration";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const SHORT = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const RULE_DAYS: Record<string, string> = {
  SU: "Sunday",
  MO: "Monday",
  TU: "Tuesday",
  WE: "Wednesday",
  TH: "Thursday",
  FR: "Friday",
  SA: "Saturday",
};

export type Kind = "interval" | "cron" | "rrule";

/** A server may name the other kinds too, as null. */
export function isCron(schedule: Schedule): schedule is CronSchedule {
  return "cron" in schedule && typeof schedule.cron === "string";
}

export function isRule(schedule: Schedule): schedule is RRuleSchedule {
  return "rrule" in schedule && typeof schedule.rrule === "string";
}

export function kindOf(schedule: Schedule): Kind {
  return isCron(schedule) ? "cron" : isRule(schedule) ? "rrule" : "interval";
}

/** A schedule in words, as far as they stay short; else the expression itself. */
export function describeSchedule(schedule: Schedule): string {
  if (isCron(schedule)) return describeCron(schedule.cron);
  if (isRule(schedule)) return describeRule(schedule.rrule);
  return capital(describeInterval(schedule.interval));
}

export function describeZone(schedule: Schedule): string | null {
  return schedule.timezone && schedule.timezone !== "UTC" ? schedule.timezone : null;
}

const capital = (text: string) => (text[0] ?? "").toUpperCase() + text.slice(1);

const SHORTHANDS: Record<string, string> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};

export function describeCron(expression: string): string {
  const line = SHORTHANDS[expression.trim().toLowerCase()] ?? expression.trim();
  const [minute, hour, day, month, weekday, ...rest] = line.split(/\s+/);
  if (!minute || !hour || !day || !month || !weekday || rest.length) return expression;
  const when = daysOf(day, month, weekday);
  if (when === null) return expression;
  const every = /^\*\/(\d+)$/.exec(minute);
  if (hour === "*" && minute === "*") return `Every minute${when && `, ${when}`}`;
  if (hour === "*" && every) return `Every ${every[1]} minutes${when && `, ${when}`}`;
  if (hour === "*" && /^\d+$/.test(minute))
    return minute === "0"
      ? `Every hour${when && `, ${when}`}`
      : `Every hour at :${minute.padStart(2, "0")}${when && `, ${when}`}`;
  const hours = /^\*\/(\d+)$/.exec(hour);
  if (hours && minute === "0") return `Every ${hours[1]} hours${when && `, ${when}`}`;
  if (/^\d+$/.test(minute) && /^\d+(,\d+)*$/.test(hour)) {
    const times = hour.split(",").map((one) => `${one.padStart(2, "0")}:${minute.padStart(2, "0")}`);
    return `${times.join(" and ")}${when ? `, ${when}` : ", every day"}`;
  }
  return expression;
}

/** The days in words; empty for every day, null where words would be longer than the expression. */
function daysOf(day: string, month: string, weekday: string): string | null {
  if (month !== "*") return null;
  if (day === "*" && weekday === "*") return "";
  if (day === "*") {
    const text = weekday.toUpperCase().replace(/[A-Z]{3}/g, (name) => String(SHORT.indexOf(name)));
    if (text === "1-5") return "Monday to Friday";
    if (text === "0,6" || text === "6,0") return "at weekends";
    const range = /^(\d)-(\d)$/.exec(text);
    if (range) return `${DAYS[Number(range[1]) % 7]} to ${DAYS[Number(range[2]) % 7]}`;
    if (/^\d(,\d)*$/.test(text))
      return text
        .split(",")
        .map((one) => `${DAYS[Number(one) % 7]}s`)
        .join(", ");
    return null;
  }
  if (weekday === "*" && /^\d+(,\d+)*$/.test(day))
    return `on the ${day.split(",").map(ordinal).join(", ")} of the month`;
  return null;
}

function ordinal(text: string): string {
  const number = Number(text);
  const tail = number % 10;
  const suffix =
    number % 100 > 10 && number % 100 < 14 ? "th" : tail === 1 ? "st" : tail === 2 ? "nd" : tail === 3 ? "rd" : "th";
  return `${number}${suffix}`;
}

const UNITS: Record<string, string> = {
  SECONDLY: "second",
  MINUTELY: "minute",
  HOURLY: "hour",
  DAILY: "day",
  WEEKLY: "week",
  MONTHLY: "month",
  YEARLY: "year",
};

export function describeRule(rule: string): string {
  const line = rule.split(/\n/).find((part) => /FREQ=/i.test(part)) ?? rule;
  const parts = new Map(
    line
      .replace(/^RRULE:/i, "")
      .split(";")
      .map((part) => part.toUpperCase().split("=") as [string, string]),
  );
  const unit = UNITS[parts.get("FREQ") ?? ""];
  if (
    !unit ||
    [...parts.keys()].some(
      (name) => !["FREQ", "INTERVAL", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND", "COUNT", "UNTIL"].includes(name),
    )
  )
    return line;
  const every = Number(parts.get("INTERVAL") ?? 1);
  const days = parts.get("BYDAY")?.split(",").map(ruleDay);
  if (days?.includes(null)) return line;
  const hour = parts.get("BYHOUR");
  const at =
    hour && /^\d+$/.test(hour) ? ` at ${hour.padStart(2, "0")}:${(parts.get("BYMINUTE") ?? "0").padStart(2, "0")}` : "";
  return `Every ${every > 1 ? `${every} ${unit}s` : unit}${days ? ` on ${days.join(", ")}` : ""}${at}`;
}

function ruleDay(text: string): string | null {
  const found = /^([+-]?\d+)?([A-Z]{2})$/.exec(text.trim());
  const day = found ? RULE_DAYS[found[2] ?? ""] : undefined;
  if (!found || !day) return null;
  const which = found[1] ? Number(found[1]) : 0;
  return which === 0
    ? day
    : which === -1
      ? `the last ${day}`
      : which > 0
        ? `the ${ordinal(String(which))} ${day}`
        : null;
}
