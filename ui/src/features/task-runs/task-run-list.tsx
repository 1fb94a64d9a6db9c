import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { PAGE } from "@/api/queries";
import { taskRunCount, taskRunPage } from "@/api/task-runs";
import type { Selection, TaskRun, TaskRunSort } from "@/api/types";
import { Empty } from "@/components/empty";
import { Facet } from "@/components/facet";
import { Failure } from "@/components/failure";
import { type Column, ROW_LINK } from "@/components/list";
import { isFinal } from "@/components/look";
import { FewTags, Panel } from "@/components/page";
import { PagedList } from "@/components/paged-list";
import { SkeletonRows } from "@/components/skeleton";
import { State, StateIcon, StateMark } from "@/components/state";
import { Duration, RelativeTime } from "@/components/time";
import { NameField } from "@/features/flow-runs/run-filters";

const STATES = [
  { type: "RUNNING", label: "Running" },
  { type: "COMPLETED", label: "Completed" },
  { type: "FAILED", label: "Failed" },
  { type: "CRASHED", label: "Crashed" },
  { type: "SCHEDULED", label: "Scheduled" },
  { type: "PENDING", label: "Pending" },
  { type: "CANCELLED", label: "Cancelled" },
] as const;

const OPTIONS = STATES.map(({ type, label }) => ({ value: type, label, icon: <StateMark type={type} /> }));

const COLUMNS: Column<TaskRun>[] = [
  {
    name: "Task run",
    width: "minmax(0,2fr)",
    sort: { down: "NAME_DESC", up: "NAME_ASC" },
    cell: (task) => (
      <div className="flex min-w-0 items-center gap-2.5">
        <StateIcon type={task.state_type} name={task.state_name} />
        <Link to="/task-runs/$id" params={{ id: task.id }} className={`${ROW_LINK} cut`}>
          {task.name}
        </Link>
      </div>
    ),
  },
  {
    name: "State",
    width: "9rem",
    from: "sm",
    cell: (task) => <State type={task.state_type} name={task.state_name} className="[&_svg]:hidden" />,
  },
  {
    name: "Attempts",
    width: "4.5rem",
    from: "md",
    align: "right",
    cell: (task) => <span className="text-ink-2">{task.run_count || "–"}</span>,
  },
  {
    name: "Started",
    width: "6.5rem",
    from: "sm",
    align: "right",
    sort: { down: "EXPECTED_START_TIME_DESC", up: "EXPECTED_START_TIME_ASC" },
    cell: (task) => <RelativeTime at={task.start_time} className="relative whitespace-nowrap text-ink-2" />,
  },
  {
    name: "Duration",
    width: "5rem",
    align: "right",
    sort: { down: "DURATION_DESC", up: "DURATION_ASC" },
    cell: (task) => (
      <Duration
        from={task.start_time}
        to={task.end_time}
        running={!isFinal(task.state_type)}
        className="whitespace-nowrap"
      />
    ),
  },
  { name: "Tags", width: "minmax(0,0.7fr)", from: "lg", cell: (task) => <FewTags tags={task.tags} /> },
];

interface TaskRunListProps {
  flowRun: string;
  find: string | undefined;
  change: (find: string | undefined) => void;
}

/** The task runs of one flow run; thousands of them are no trouble. */
export function TaskRunList({ flowRun, find, change }: TaskRunListProps) {
  const [types, setTypes] = useState<(typeof STATES)[number]["type"][]>([]);
  const [sort, setSort] = useState<TaskRunSort>("EXPECTED_START_TIME_ASC");
  const selection = useMemo<Selection>(
    () => ({
      task_runs: {
        flow_run_id: { any_: [flowRun] },
        ...(find ? { name: { like_: find } } : {}),
        ...(types.length ? { state: { type: { any_: types } } } : {}),
      },
    }),
    [flowRun, find, types],
  );
  const { data: count, error, refetch } = useQuery(taskRunCount(selection, flowRun));
  const rename = useCallback((text: string) => change(text || undefined), [change]);
  return (
    <div className="flex flex-col gap-3">
      <search className="flex flex-wrap items-center gap-2">
        <NameField name={find ?? ""} change={rename} />
        <Facet label="State" options={OPTIONS} chosen={types} change={setTypes} />
      </search>
      <Panel>
        {error && count === undefined ? (
          <Failure error={error} retry={refetch} />
        ) : count === undefined ? (
          <SkeletonRows />
        ) : count === 0 ? (
          <Empty title={find || types.length ? "No task run passes these filters" : "No task has run"}>
            {!find && !types.length && "A flow may do its work without tasks; then there is nothing to see here."}
          </Empty>
        ) : (
          <PagedList
            label="Task runs"
            columns={COLUMNS}
            count={count}
            pageSize={PAGE}
            page={(index) => taskRunPage(selection, sort, index * PAGE, PAGE, flowRun)}
            keyOf={(task) => task.id}
            rowHeight={37}
            sort={sort}
            onSort={(next) => setSort(next as TaskRunSort)}
          />
        )}
      </Panel>
    </div>
  );
}
