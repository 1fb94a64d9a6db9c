const grouped = new Intl.NumberFormat("en-US");

export function formatCount(count: number): string {
  return grouped.format(count);
}

/** A count in at most four signs: `982`, `1.2k`, `34k`, `1.1M`. */
export function formatShortCount(count: number): string {
  if (count < 1000) return String(count);
  const [value, unit] = count < 999_500 ? [count / 1000, "k"] : [count / 1_000_000, "M"];
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}${unit}`;
}

/** `1 task run`, `2 task runs`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

export function formatPercent(share: number): string {
  if (share > 0.995 && share < 1) return "99%";
  if (share > 0 && share < 0.005) return "<1%";
  return `${Math.round(share * 100)}%`;
}
