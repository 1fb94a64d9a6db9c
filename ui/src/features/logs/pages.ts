import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { logCount, logPage } from "@/api/logs";
import type { Log, LogFilter } from "@/api/types";

export const LINES = 200;

interface Lines {
  /** How many lines there are, as far as is known; undefined before anything is known. */
  count: number | undefined;
  /** The line of that place, if it is in view and has come. */
  at: (index: number) => Log | undefined;
  error: Error | null;
  retry: () => void;
}

/** Random access to the lines that pass a filter: only pages in view are asked for. */
export function useLines(filter: LogFilter, first: number, last: number): Lines {
  const counted = useQuery({ ...logCount(filter), placeholderData: keepPreviousData });
  const from = Math.floor(first / LINES);
  const to = Math.max(from, Math.floor(Math.max(0, last) / LINES));
  const pages = useQueries({
    queries: Array.from({ length: to - from + 1 }, (_, index) => logPage(filter, (from + index) * LINES, LINES)),
    combine: (results) => ({
      data: results.map((result) => result.data),
      error: results.find((result) => result.error)?.error ?? null,
    }),
  });

  // A server that does not count: the list grows by a page as long as the last page in view is full.
  const [reached, setReached] = useState(0);
  const key = JSON.stringify(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => setReached(0), [key]);
  useEffect(() => {
    const tail = pages.data[pages.data.length - 1];
    if (counted.data === null && tail)
      setReached((known) => Math.max(known, to * LINES + tail.length + (tail.length === LINES ? LINES : 0)));
  }, [counted.data, pages.data, to]);

  return {
    count: counted.data === null ? reached : counted.data,
    at: (index) => pages.data[Math.floor(index / LINES) - from]?.[index % LINES],
    error: counted.error ?? pages.error,
    retry: counted.refetch,
  };
}
