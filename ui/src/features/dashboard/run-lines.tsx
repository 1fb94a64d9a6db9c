import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { flowRunPage } from "@/api/flow-runs";
import { useFlowNames } from "@/api/flows";
import type { FlowRun, FlowRunSort, Selection } from "@/api/types";
import { Failure } from "@/components/failure";
import { ROW_LINK } from "@/components/list";
import { isFinal } from "@/components/look";
import { Panel } from "@/components/page";
import { SkeletonRows } from "@/components/skeleton";
import { StateIcon } from "@/components/state";
import { Duration, RelativeTime } from "@/components/time";

interface RunLinesProps {
  title: string;
  selection: Selection;
  sort: FlowRunSort;
  /** Said when there are none. */
  none: ReactNode;
  more: ReactNode;
  count?: number;
  /** Which time stands at the right. */
  time: (run: FlowRun) => string | null;
  /** What stands under the name: the flow, or what went wrong. */
  say?: "message";
}

/** A few runs in two lines each. */
export function RunLines({ title, selection, sort, none, more, count = 7, time, say }: RunLinesProps) {
  const { data, error, refetch } = useQuery(flowRunPage(selection, sort, 0, count));
  const flows = useFlowNames(data?.map((run) => run.flow_id) ?? []);
  return (
    <Panel title={title} actions={more} className="flex flex-col">
      {error && !data ? (
        <Failure error={error} retry={refetch} />
      ) : !data ? (
        <SkeletonRows count={5} />
      ) : data.length === 0 ? (
        <p className="flex flex-1 items-center justify-center px-6 py-12 text-center text-ink-3">{none}</p>
      ) : (
        <ul>
          {data.map((run) => (
            <li
              key={run.id}
              className="relative flex items-start gap-2.5 border-line border-b px-4 py-2 last:border-0 hover:bg-hover"
            >
              <StateIcon type={run.state_type} name={run.state_name} className="mt-0.5" />
              <div className="min-w-0 flex-1">
                <Link to="/runs/$id" params={{ id: run.id }} className={`${ROW_LINK} cut block`}>
                  {run.name}
                </Link>
                <div className="cut text-ink-2 text-xs">{flows.get(run.flow_id) ?? " "}</div>
                {say === "message" && run.state?.message && (
                  <div className="cut mt-0.5 text-ink-3 text-xs">{run.state.message}</div>
                )}
              </div>
              <div className="shrink-0 text-right text-xs">
                <RelativeTime at={time(run)} className="relative text-ink-2" />
                {run.start_time && (
                  <div className="text-ink-3">
                    <Duration from={run.start_time} to={run.end_time} running={!isFinal(run.state_type)} />
                  </div>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
