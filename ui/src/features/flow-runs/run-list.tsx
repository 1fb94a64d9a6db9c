import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { flowRunCount, flowRunPage } from "@/api/flow-runs";
import { PAGE } from "@/api/queries";
import type { FlowRun, FlowRunSort, Selection } from "@/api/types";
import { Failure } from "@/components/failure";
import { PagedList } from "@/components/paged-list";
import { useIsFrom } from "@/components/screen";
import { SkeletonRows } from "@/components/skeleton";
import { useRunColumns } from "./run-columns";

interface RunListProps {
  selection: Selection;
  sort: FlowRunSort;
  without?: "flow" | "deployment";
  none: React.ReactNode;
}

/** The runs of something, as a part of its page. */
export function RunList({ selection, sort, without, none }: RunListProps) {
  const { data: count, error, refetch } = useQuery(flowRunCount(selection));
  const [rows, setRows] = useState<FlowRun[]>([]);
  const columns = useRunColumns(rows, { without });
  const isFrom = useIsFrom();
  if (error && count === undefined) return <Failure error={error} retry={refetch} />;
  if (count === undefined) return <SkeletonRows />;
  if (count === 0) return none;
  return (
    <PagedList
      label="Flow runs"
      columns={columns}
      count={count}
      pageSize={PAGE}
      page={(index) => flowRunPage(selection, sort, index * PAGE, PAGE)}
      keyOf={(run) => run.id}
      rowHeight={isFrom("sm") ? 37 : 53}
      onRows={setRows}
    />
  );
}
