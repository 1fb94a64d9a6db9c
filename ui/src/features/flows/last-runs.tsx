import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { flowRunPage } from "@/api/flow-runs";
import type { FlowRun, Selection } from "@/api/types";
import { cx } from "@/components/cx";
import { lookOf, nameOfState } from "@/components/look";
import { formatDuration } from "@/format/duration";
import { formatDayClock } from "@/format/instant";

const COUNT = 16;

/**
 * The last runs of each flow, or of each deployment. One question brings the newest runs of all of them; only those that
 * have none among these are asked for one by one.
 */
export function useLastRuns(ids: string[], of: "flow" | "deployment" = "flow"): Map<string, FlowRun[]> {
  const key = ids.join();
  const wanted = useMemo(() => (key ? key.split(",") : []), [key]);
  const { data: shared } = useQuery({
    ...flowRunPage(runsOf(wanted, of), "START_TIME_DESC", 0, 200),
    enabled: wanted.length > 0,
  });
  const found = useMemo(() => {
    const groups = new Map<string, FlowRun[]>();
    for (const run of shared ?? []) {
      const owner = of === "flow" ? run.flow_id : (run.deployment_id ?? "");
      const group = groups.get(owner) ?? [];
      if (group.length < COUNT) groups.set(owner, [...group, run]);
    }
    return groups;
  }, [shared, of]);
  const missing = useMemo(() => (shared ? wanted.filter((id) => !found.has(id)) : []), [shared, wanted, found]);
  const others = useQueries({
    queries: missing.map((id) => flowRunPage(runsOf([id], of), "START_TIME_DESC", 0, COUNT)),
    combine: (results) => results.map((result) => result.data),
  });
  return useMemo(() => {
    const all = new Map(found);
    missing.forEach((id, index) => {
      const runs = others[index];
      if (runs) all.set(id, runs);
    });
    return all;
  }, [found, missing, others]);
}

function runsOf(ids: string[], of: "flow" | "deployment"): Selection {
  const state = { type: { any_: [...BEGUN] } };
  return of === "flow"
    ? { flows: { id: { any_: ids } }, flow_runs: { state } }
    : { flow_runs: { deployment_id: { any_: ids }, state } };
}

const BEGUN = ["RUNNING", "COMPLETED", "FAILED", "CRASHED", "CANCELLED", "PAUSED", "CANCELLING"] as const;

/** The last runs as bars, the newest at the right: colour and foot tell how each ended, height how long it took. */
export function LastRuns({ runs }: { runs: FlowRun[] | undefined }) {
  if (!runs) return <span className="block h-5" />;
  if (runs.length === 0) return <span className="text-ink-3 text-xs">never run</span>;
  const longest = Math.max(1e-9, ...runs.map((run) => run.total_run_time || run.estimated_run_time || 0));
  return (
    <span className="relative inline-flex h-5 items-end gap-[2px]">
      {[...runs].reverse().map((run) => {
        const took = run.total_run_time || run.estimated_run_time || 0;
        const { tone } = lookOf(run.state_type, run.state_name);
        const bad = tone === "failed" || tone === "crashed";
        return (
          <Link
            key={run.id}
            to="/runs/$id"
            params={{ id: run.id }}
            aria-label={`${run.name}: ${nameOfState(run.state_type, run.state_name)}`}
            data-tip={`${run.name}\n${nameOfState(run.state_type, run.state_name)} · ${formatDuration(took)}\n${run.start_time ? formatDayClock(run.start_time) : ""}`}
            className="group flex h-5 w-[7px] flex-col items-center justify-end"
          >
            <span
              className={cx(
                `tone-${tone} bg-tone w-[5px] rounded-[1.5px] group-hover:w-[7px]`,
                bad && "rounded-none",
                tone === "running" && "flowing",
              )}
              style={{ height: `${Math.max(3, (took / longest) * 20)}px` }}
            />
          </Link>
        );
      })}
    </span>
  );
}
