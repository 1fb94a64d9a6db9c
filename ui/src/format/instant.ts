const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});
const longClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const longDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short" });
const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
const utc = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

export type Instant = string | number | Date;

export function toMillis(instant: Instant): number {
  return typeof instant === "number" ? instant : instant instanceof Date ? instant.getTime() : Date.parse(instant);
}

/** The seconds from one instant to another, to the microsecond as the server tells them; a `Date` knows milliseconds only. */
export function secondsBetween(from: Instant, to: Instant): number {
  return (toMillis(to) - toMillis(from)) / 1000 + (microsOf(to) - microsOf(from)) / 1e6;
}

/** What an instant written as text has beyond its milliseconds. */
function microsOf(instant: Instant): number {
  const digits = typeof instant === "string" ? /\.\d{3}(\d{1,3})/.exec(instant)?.[1] : undefined;
  return digits ? Number(digits.padEnd(3, "0")) : 0;
}

/** How far away an instant is: `now`, `12s ago`, `in 4m`, `yesterday 14:02`, `12 Nov`. */
export function formatRelative(instant: Instant, now: number): string {
  const at = toMillis(instant);
  if (Number.isNaN(at)) return "–";
  const seconds = Math.round((now - at) / 1000);
  const size = Math.abs(seconds);
  if (size < 2) return "now";
  if (size >= 6 * DAY) {
    return new Date(at).getFullYear() === new Date(now).getFullYear() ? shortDay.format(at) : longDay.format(at);
  }
  if (size >= 22 * HOUR) {
    const days = Math.round((startOfDay(now) - startOfDay(at)) / (DAY * 1000));
    if (days === 1) return `yesterday ${shortClock.format(at)}`;
    if (days === -1) return `tomorrow ${shortClock.format(at)}`;
    if (days !== 0) return `${weekday.format(at)} ${shortClock.format(at)}`;
  }
  const text =
    size < MINUTE ? `${size}s` : size < HOUR ? `${Math.floor(size / MINUTE)}m` : `${Math.floor(size / HOUR)}h`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/** Everything about an instant, for a hover: the local time to the millisecond, its zone, and UTC. */
export function formatExact(instant: Instant): string {
  const at = toMillis(instant);
  if (Number.isNaN(at)) return "";
  return `${day.format(at)}, ${clock.format(at)} ${zoneName(at)}\n${utc.format(at)} UTC`;
}

/** The time of day to the millisecond, as a log line shows it. */
export function formatClock(instant: Instant): string {
  return clock.format(toMillis(instant));
}

/** The time of day to the second. */
export function formatLongClock(instant: Instant): string {
  return longClock.format(toMillis(instant));
}

export function formatShortClock(instant: Instant): string {
  return shortClock.format(toMillis(instant));
}

export function formatDay(instant: Instant): string {
  return day.format(toMillis(instant));
}

/** `12 Nov`. */
export function formatShortDay(instant: Instant): string {
  return shortDay.format(toMillis(instant));
}

/** Day and time for a heading or an axis: `12 Nov 14:02`. */
export function formatDayClock(instant: Instant): string {
  const at = toMillis(instant);
  return `${shortDay.format(at)}, ${shortClock.format(at)}`;
}

function zoneName(at: number): string {
  return zone.formatToParts(at).find((part) => part.type === "timeZoneName")?.value ?? "";
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
