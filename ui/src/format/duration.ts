const UNITS: [string, number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/** A length of time in its two most telling units: `84 ms`, `4.2 s`, `3m 07s`, `2d 4h`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds === 0) return "0 s";
  if (seconds < 0.0095) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const first = UNITS.findIndex(([, size]) => whole >= size);
  const [unit, size] = UNITS[first] ?? ["s", 1];
  const next = UNITS[first + 1];
  if (!next) return `${whole}${unit}`;
  const rest = Math.floor((whole % size) / next[1]);
  if (rest === 0 && unit !== "m") return `${Math.floor(whole / size)}${unit}`;
  return `${Math.floor(whole / size)}${unit} ${unit === "m" ? String(rest).padStart(2, "0") : rest}${next[0]}`;
}

/** The same in words, for a sentence: `every 15 minutes`. */
export function describeInterval(seconds: number): string {
  for (const [word, size] of [
    ["week", 604_800],
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
    ["second", 1],
  ] as const) {
    if (seconds >= size && seconds % size === 0) {
      const count = seconds / size;
      return count === 1 ? `every ${word}` : `every ${count} ${word}s`;
    }
  }
  return `every ${formatDuration(seconds)}`;
}
