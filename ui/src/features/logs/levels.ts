/** Levels as Python numbers them; what stands between two belongs to the lower. */
export const LEVELS = [
  { word: "debug", from: 10, label: "Debug", tone: "text-ink-3" },
  { word: "info", from: 20, label: "Info", tone: "text-ink-2" },
  { word: "warning", from: 30, label: "Warning", tone: "text-waiting-ink font-medium" },
  { word: "error", from: 40, label: "Error", tone: "text-failed-ink font-medium" },
  { word: "critical", from: 50, label: "Critical", tone: "text-failed-ink font-semibold" },
] as const;

export type Level = (typeof LEVELS)[number];

export function levelOf(number: number): Level {
  return [...LEVELS].reverse().find((level) => number >= level.from) ?? LEVELS[0];
}

/** Where `wanted` occurs in `text`: the text cut into parts that match and parts that don't. */
export function cutAt(text: string, wanted: string): { text: string; match: boolean }[] {
  const words = wanted
    .split(/\s+/)
    .filter((word) => word && !/^[-!]/.test(word))
    .map((word) => word.replace(/"/g, ""));
  if (!words.length) return [{ text, match: false }];
  const pattern = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "gi");
  return text
    .split(pattern)
    .map((part, index) => ({ text: part, match: index % 2 === 1 }))
    .filter((part) => part.text);
}
