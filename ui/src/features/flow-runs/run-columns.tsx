import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useDeploymentNames } from "@/api/deployments";
import { useFlowNames } from "@/api/flows";
import type { FlowRun } from "@/api/types";
import { type Column, ROW_LINK } from "@/components/list";
import { isFinal } from "@/components/look";
import { FewTags } from "@/components/page";
import { Skeleton } from "@/components/skeleton";
import { State, StateIcon } from "@/components/state";
import { Duration, RelativeTime } from "@/components/time";

/** When the run began, or else when it is expected to. */
export function startOf(run: FlowRun): string | null {
  return run.start_time ?? run.expected_start_time;
}

export function RunDuration({ run, className }: { run: FlowRun; className?: string }) {
  return <Duration from={run.start_time} to={run.end_time} running={!isFinal(run.state_type)} className={className} />;
}

interface Origin {
  flow: string | undefined;
  deployment: string | undefined;
}

/** Where a run comes from: its flow, and the deployment if it has one. */
export function RunOrigin({ run, origin }: { run: FlowRun; origin: Origin }) {
  return (
    <span className="cut flex items-baseline gap-1 text-ink-2">
      {origin.flow ? (
        <Link to="/flows/$id" params={{ id: run.flow_id }} className="link cut relative">
          {origin.flow}
        </Link>
      ) : (
        <Skeleton className="w-24" />
      )}
      {run.deployment_id && origin.deployment && (
        <>
          <span className="text-ink-3">/</span>
          <Link to="/deployments/$id" params={{ id: run.deployment_id }} className="link cut relative">
            {origin.deployment}
          </Link>
        </>
      )}
    </span>
  );
}

/** What the columns of a list of runs show: everything by default; a flow's own list leaves out the flow, a deployment's both. */
export interface RunColumnOptions {
  without?: "flow" | "deployment";
  sorted?: boolean;
}

/** The columns of any list of flow runs; names of flows and deployments come with the rows in view. */
export function useRunColumns(rows: FlowRun[], { without, sorted }: RunColumnOptions = {}): Column<FlowRun>[] {
  const flows = useFlowNames(without ? [] : rows.map((run) => run.flow_id));
  const deployments = useDeploymentNames(without === "deployment" ? [] : rows.map((run) => run.deployment_id));
  return useMemo(() => {
    const origin = (run: FlowRun): Origin => ({
      flow: flows.get(run.flow_id),
      deployment: run.deployment_id ? deployments.get(run.deployment_id) : undefined,
    });
    const name: Column<FlowRun> = {
      name: "Run",
      width: "minmax(0,1.6fr)",
      sort: sorted ? { down: "NAME_DESC", up: "NAME_ASC" } : undefined,
      cell: (run) => (
        <div className="flex min-w-0 items-center gap-2.5">
          <StateIcon type={run.state_type} name={run.state_name} />
          <div className="min-w-0">
            <Link to="/runs/$id" params={{ id: run.id }} className={`${ROW_LINK} cut block`}>
              {run.name}
            </Link>
            <div className="cut text-xs sm:hidden">
              {without ? <StateWord run={run} /> : <RunOrigin run={run} origin={origin(run)} />}
            </div>
          </div>
        </div>
      ),
    };
    const columns: (Column<FlowRun> | false)[] = [
      name,
      !without && {
        name: "Flow",
        width: "minmax(0,2fr)",
        from: "sm",
        cell: (run) => <RunOrigin run={run} origin={origin(run)} />,
      },
      without === "flow" && {
        name: "Deployment",
        width: "minmax(0,1fr)",
        from: "sm",
        cell: (run) => <span className="cut block text-ink-2">{origin(run).deployment}</span>,
      },
      { name: "State", width: "8.5rem", from: "md", cell: (run) => <StateWord run={run} /> },
      {
        name: "Started",
        width: "7rem",
        align: "right",
        sort: sorted ? { down: "START_TIME_DESC", up: "START_TIME_ASC" } : undefined,
        cell: (run) => <RelativeTime at={startOf(run)} className="relative whitespace-nowrap text-ink-2" />,
      },
      {
        name: "Duration",
        width: "5rem",
        align: "right",
        from: "sm",
        cell: (run) => <RunDuration run={run} className="whitespace-nowrap" />,
      },
      { name: "Tags", width: "minmax(0,0.8fr)", from: "xl", cell: (run) => <FewTags tags={run.tags} /> },
    ];
    return columns.filter((column): column is Column<FlowRun> => Boolean(column));
  }, [flows, deployments, without, sorted]);
}

/** The word of the state; the mark stands at the name already. */
function StateWord({ run }: { run: FlowRun }) {
  return <State type={run.state_type} name={run.state_name} className="[&_svg]:hidden" />;
}
