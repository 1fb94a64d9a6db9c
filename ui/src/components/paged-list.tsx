import { type UseQueryOptions, useQueries } from "@tanstack/react-query";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { type Column, ListHead, ListRow, useColumns } from "./list";
import { Skeleton } from "./skeleton";

/** Further down, nobody scrolls: they filter. It also bounds what a page can ask of the database. */
const MOST = 20_000;

interface PagedListProps<Row> {
  label: string;
  columns: Column<Row>[];
  count: number;
  pageSize: number;
  /** The query of one page, counted from 0. Only pages in view are asked for, and kept up to date. */
  page: (index: number) => UseQueryOptions<Row[], Error, Row[], readonly unknown[]>;
  keyOf: (row: Row) => string;
  rowHeight: number;
  sort?: string;
  onSort?: (sort: string) => void;
  /** Told which rows are in view, for what belongs to them and is asked for separately. */
  onRows?: (rows: Row[]) => void;
}

export function PagedList<Row>(props: PagedListProps<Row>) {
  const { label, columns, pageSize, page, keyOf, rowHeight, sort, onSort, onRows } = props;
  const count = Math.min(props.count, MOST);
  const body = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const { shown, tracks } = useColumns(columns);

  useLayoutEffect(() => {
    const place = () => setTop((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    place();
    const watcher = new ResizeObserver(place);
    watcher.observe(document.body);
    return () => watcher.disconnect();
  }, []);

  const rows = useWindowVirtualizer({ count, estimateSize: () => rowHeight, overscan: 12, scrollMargin: top });
  const items = rows.getVirtualItems();
  const first = Math.floor((items[0]?.index ?? 0) / pageSize);
  const last = Math.floor((items[items.length - 1]?.index ?? 0) / pageSize);
  const pages = useQueries({
    queries: Array.from({ length: last - first + 1 }, (_, index) => page(first + index)),
    combine: (results) => results.map((result) => result.data),
  });

  useEffect(() => {
    onRows?.(pages.flatMap((rows) => rows ?? []));
  }, [pages, onRows]);

  return (
    <div role="table" aria-label={label} aria-rowcount={count}>
      <ListHead columns={shown} tracks={tracks} sort={sort} onSort={onSort} />
      <div ref={body} role="rowgroup" className="relative" style={{ height: rows.getTotalSize() }}>
        {items.map((item) => {
          const row = pages[Math.floor(item.index / pageSize) - first]?.[item.index % pageSize];
          return (
            <div
              key={row ? keyOf(row) : `place-${item.index}`}
              className="absolute inset-x-0 top-0"
              style={{ height: item.size, transform: `translateY(${item.start - rows.options.scrollMargin}px)` }}
            >
              {row ? (
                <ListRow row={row} columns={shown} tracks={tracks} className="h-full" />
              ) : (
                <div className="flex h-full items-center gap-4 border-line border-b px-4">
                  <Skeleton className="size-4 rounded-full" />
                  <Skeleton className="w-1/3" />
                </div>
              )}
            </div>
          );
        })}
      </div>
      {props.count > MOST && (
        <p className="border-line border-t px-4 py-2 text-ink-3 text-xs">
          The first {MOST.toLocaleString("en-US")}; filter to see others.
        </p>
      )}
    </div>
  );
}
