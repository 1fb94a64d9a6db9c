import { readLogs } from "@/api/logs";
import type { Log, LogFilter } from "@/api/types";
import { levelOf } from "./levels";

/** One line of the file, as a terminal would have shown it. */
export function lineOf(log: Log): string {
  return `${log.timestamp} | ${levelOf(log.level).label.toUpperCase().padEnd(8)} | ${log.name} - ${log.message}`;
}

/** Saves every line that passes the filter as a text file. */
export async function downloadLogs(filter: LogFilter, name: string, signal: AbortSignal): Promise<void> {
  const parts: string[] = [];
  for await (const lines of readLogs(filter, signal)) parts.push(lines.map((line) => `${lineOf(line)}\n`).join(""));
  const address = URL.createObjectURL(new Blob(parts, { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
