import { createSortedRowModel, rowSortingFeature, tableFeatures, useTable } from "@tanstack/react-table";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo } from "react";
import { cx } from "@/components/cx";
import { formatCount } from "@/format/quantity";
import type { TableData } from "./artifact-data";

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });

type Row = Record<string, unknown>;

/** Beyond this nobody reads a table, they download it. */
const MOST = 1000;

export default function TableView({ table }: { table: TableData }) {
  const data = useMemo(() => table.rows.slice(0, MOST), [table]);
  const numeric = useMemo(
    () =>
      new Set(
        table.columns.filter(
          (name) =>
            data.some((row) => typeof row[name] === "number") &&
            data.every((row) => row[name] === null || row[name] === undefined || typeof row[name] === "number"),
        ),
      ),
    [table.columns, data],
  );
  // Prose needs room to be read in; where there is none, the table scrolls.
  const long = useMemo(
    () => new Set(table.columns.filter((name) => data.some((row) => show(row[name]).length > 30))),
    [table.columns, data],
  );
  const columns = useMemo(
    () => table.columns.map((name) => ({ id: name, header: name, accessorFn: (row: Row) => row[name] })),
    [table.columns],
  );
  const view = useTable<typeof features, Row>({ features, columns, data });
  return (
    <div>
      <div className="scroll-x max-h-[70dvh] overflow-y-auto">
        <table className="w-full border-collapse text-sm">
          <thead className="sticky top-0 bg-bed shadow-[0_1px_0_var(--line)]">
            {view.getHeaderGroups().map((group) => (
              <tr key={group.id}>
                {group.headers.map((header) => {
                  const sorted = header.column.getIsSorted();
                  return (
                    <th
                      key={header.id}
                      aria-sort={sorted ? (sorted === "asc" ? "ascending" : "descending") : undefined}
                      className={cx(
                        "border-line border-b px-4 py-1.5 font-medium text-ink-2 text-xs",
                        numeric.has(header.id) ? "text-right" : "text-left",
                      )}
                    >
                      <button
                        type="button"
                        onClick={header.column.getToggleSortingHandler()}
                        className="inline-flex items-center gap-1 whitespace-nowrap hover:text-ink"
                      >
                        {header.id}
                        {sorted &&
                          (sorted === "asc" ? <ArrowUp className="size-3" /> : <ArrowDown className="size-3" />)}
                      </button>
                    </th>
                  );
                })}
              </tr>
            ))}
          </thead>
          <tbody>
            {view.getRowModel().rows.map((row) => (
              <tr key={row.id} className="border-line border-b last:border-0 hover:bg-hover">
                {table.columns.map((name) => (
                  <td
                    key={name}
                    className={cx(
                      "max-w-96 break-words px-4 py-1.5 align-top",
                      numeric.has(name) ? "whitespace-nowrap text-right" : long.has(name) && "min-w-60",
                    )}
                  >
                    {show(row.original[name])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {table.rows.length > MOST && (
        <p className="border-line border-t px-4 py-2 text-ink-3 text-xs">
          The first {formatCount(MOST)} of {formatCount(table.rows.length)} rows
        </p>
      )}
    </div>
  );
}

function show(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}
