import type { Artifact } from "@/api/types";

export type Cell = string | number | boolean | null;
export interface TableData {
  columns: string[];
  rows: Record<string, unknown>[];
}

/** The data as the client sent it: a value, or its JSON as a text. */
function opened(data: unknown): unknown {
  if (typeof data !== "string") return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** Rows and columns of a table artifact: a list of records, a list of lists, or columns of values; null if it is none. */
export function tableOf(data: unknown): TableData | null {
  const value = opened(data);
  if (Array.isArray(value)) {
    if (value.every((row) => row !== null && typeof row === "object" && !Array.isArray(row))) {
      const rows = value as Record<string, unknown>[];
      return { columns: [...new Set(rows.flatMap((row) => Object.keys(row)))], rows };
    }
    if (value.every(Array.isArray)) {
      const lists = value as unknown[][];
      const width = Math.max(0, ...lists.map((list) => list.length));
      const columns = Array.from({ length: width }, (_, index) => String(index + 1));
      return {
        columns,
        rows: lists.map((list) => Object.fromEntries(columns.map((name, index) => [name, list[index]]))),
      };
    }
    return null;
  }
  if (value !== null && typeof value === "object" && Object.values(value).every(Array.isArray)) {
    const lists = value as Record<string, unknown[]>;
    const columns = Object.keys(lists);
    const length = Math.max(0, ...columns.map((name) => lists[name]?.length ?? 0));
    return {
      columns,
      rows: Array.from({ length }, (_, index) =>
        Object.fromEntries(columns.map((name) => [name, lists[name]?.[index]])),
      ),
    };
  }
  return null;
}

/** Address and text of a link artifact, whose data is markdown or a bare address. */
export function linkOf(data: unknown): { href: string; text: string } | null {
  if (typeof data !== "string") return null;
  const found = /^\s*\[([^\]]*)\]\(([^)\s]+)\)\s*$/.exec(data);
  const href = found?.[2] ?? data.trim();
  if (!/^(https?:|mailto:|\/)/i.test(href)) return null;
  return { href, text: found?.[1] || href };
}

export function progressOf(data: unknown): number | null {
  const value = typeof data === "string" ? Number.parseFloat(data) : data;
  return typeof value === "number" && Number.isFinite(value) ? Math.min(100, Math.max(0, value)) : null;
}

/** One line that says what is inside, for a list. */
export function gistOf(artifact: Pick<Artifact, "type" | "data">): string {
  const { type, data } = artifact;
  if (type === "table") {
    const table = tableOf(data);
    return table ? `${table.rows.length} rows, ${table.columns.length} columns` : "";
  }
  if (type === "link" || type === "image") return linkOf(data)?.text ?? String(data ?? "");
  if (type === "progress") return `${Math.round(progressOf(data) ?? 0)}%`;
  const text = typeof data === "string" ? data : JSON.stringify(data ?? "");
  const line = text.split("\n").find((part) => part.trim()) ?? "";
  return line
    .replace(/^[#>*\s-]+/, "")
    .replace(/[*_`]/g, "")
    .slice(0, 140);
}
