import { ArrowDown, ArrowUp } from "lucide-react";
import { type CSSProperties, type ReactNode, useMemo } from "react";
import { cx } from "./cx";
import { type Breakpoint, useIsFrom } from "./screen";

export interface Column<Row> {
  name: string;
  /** A track of the grid: `minmax(12rem,2fr)`, `6rem`. */
  width: string;
  cell: (row: Row) => ReactNode;
  align?: "right";
  /** The window has to be at least so wide for this column to be there. */
  from?: Breakpoint;
  /** The orders this column's heading switches between. */
  sort?: { up?: string; down: string };
}

interface ListHeadProps<Row> {
  columns: Column<Row>[];
  tracks: CSSProperties;
  sort?: string | undefined;
  onSort?: ((sort: string) => void) | undefined;
}

/** The columns there is room for, and the grid they make. */
export function useColumns<Row>(columns: Column<Row>[]): { shown: Column<Row>[]; tracks: CSSProperties } {
  const isFrom = useIsFrom();
  const names = columns.filter((column) => !column.from || isFrom(column.from)).map((column) => column.name);
  const key = names.join("|");
  return useMemo(() => {
    const kept = key.split("|");
    const shown = columns.filter((column) => kept.includes(column.name));
    return { shown, tracks: { gridTemplateColumns: shown.map((column) => column.width).join(" ") } };
  }, [columns, key]);
}

const ROW = "grid items-center gap-x-4 px-4";

export function ListHead<Row>({ columns, tracks, sort, onSort }: ListHeadProps<Row>) {
  return (
    <div
      role="row"
      tabIndex={-1}
      style={tracks}
      className={cx(ROW, "h-8 border-line border-b bg-bed/60 text-ink-3 text-xs")}
    >
      {columns.map((column) => {
        const order = column.sort;
        const held = order && (sort === order.down || sort === order.up);
        return (
          <div
            key={column.name}
            role="columnheader"
            tabIndex={-1}
            aria-sort={held ? (sort === order.down ? "descending" : "ascending") : undefined}
            className={cx("cut outline-none", column.align === "right" && "text-right")}
          >
            {order && onSort ? (
              <button
                type="button"
                onClick={() => onSort(sort === order.down && order.up ? order.up : order.down)}
                className={cx("inline-flex items-center gap-1 hover:text-ink", held && "font-medium text-ink")}
              >
                {column.name}
                {held && (sort === order.down ? <ArrowDown className="size-3" /> : <ArrowUp className="size-3" />)}
              </button>
            ) : (
              column.name
            )}
          </div>
        );
      })}
    </div>
  );
}

interface ListRowProps<Row> {
  row: Row;
  columns: Column<Row>[];
  tracks: CSSProperties;
  className?: string;
}

export function ListRow<Row>({ row, columns, tracks, className }: ListRowProps<Row>) {
  return (
    <div
      role="row"
      tabIndex={-1}
      style={tracks}
      className={cx(ROW, "relative min-h-9 border-line border-b outline-none hover:bg-hover", className)}
    >
      {columns.map((column) => (
        <div key={column.name} role="cell" className={cx("min-w-0 py-1.5", column.align === "right" && "text-right")}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

interface ListProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
  sort?: string;
  onSort?: (sort: string) => void;
}

/** A short list, all of it on the page. For long ones there is `PagedList`. */
export function List<Row>({ label, columns, rows, keyOf, sort, onSort }: ListProps<Row>) {
  const { shown, tracks } = useColumns(columns);
  return (
    <div role="table" aria-label={label} aria-rowcount={rows.length}>
      <ListHead columns={shown} tracks={tracks} sort={sort} onSort={onSort} />
      {rows.map((row) => (
        <ListRow key={keyOf(row)} row={row} columns={shown} tracks={tracks} className="last:border-b-0" />
      ))}
    </div>
  );
}

/** Makes a link in a row take clicks on the whole row; other links in the row stand above it with `relative`. */
export const ROW_LINK =
  "link font-medium after:absolute after:inset-0 after:content-[''] focus-visible:after:outline-2 focus-visible:after:outline-water focus-visible:outline-none focus-visible:after:-outline-offset-2";
