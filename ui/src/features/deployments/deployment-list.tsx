import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useMemo } from "react";
import { usePauseDeployment } from "@/api/deployments";
import { useFlowNames } from "@/api/flows";
import type { Deployment } from "@/api/types";
import { IconButton } from "@/components/button";
import { type Column, List, ROW_LINK } from "@/components/list";
import { FewTags } from "@/components/page";
import { Switch } from "@/components/switch";
import { say } from "@/components/toast";
import { LastRuns, useLastRuns } from "@/features/flows/last-runs";
import { describeSchedule, describeZone } from "@/features/schedules/describe";
import { useQuickRun } from "./quick-run";

/** When a deployment runs by itself, in a few words. */
export function ScheduleWords({ deployment }: { deployment: Deployment }) {
  const active = deployment.schedules.filter((schedule) => schedule.active);
  const [first] = active;
  if (!first) return <span className="text-ink-3">{deployment.schedules.length ? "schedules off" : "by hand"}</span>;
  const zone = describeZone(first.schedule);
  return (
    <span className="cut block" data-tip={zone ? `Times of ${zone}` : undefined}>
      {describeSchedule(first.schedule)}
      {active.length > 1 && <span className="text-ink-3"> and {active.length - 1} more</span>}
    </span>
  );
}

interface DeploymentListProps {
  deployments: Deployment[];
  without?: "flow";
}

export function DeploymentList({ deployments, without }: DeploymentListProps) {
  const flows = useFlowNames(without ? [] : deployments.map((deployment) => deployment.flow_id));
  const last = useLastRuns(
    deployments.map((deployment) => deployment.id),
    "deployment",
  );
  const pause = usePauseDeployment();
  const quick = useQuickRun();
  const columns = useMemo<Column<Deployment>[]>(() => {
    const all: (Column<Deployment> | false)[] = [
      {
        name: "Deployment",
        width: "minmax(0,1.5fr)",
        cell: (deployment) => (
          <div className="min-w-0">
            <Link to="/deployments/$id" params={{ id: deployment.id }} className={`${ROW_LINK} cut block`}>
              {deployment.name}
            </Link>
            {!without && (
              <Link
                to="/flows/$id"
                params={{ id: deployment.flow_id }}
                className="link cut relative block w-fit max-w-full text-ink-3 text-xs"
              >
                {flows.get(deployment.flow_id) ?? " "}
              </Link>
            )}
          </div>
        ),
      },
      {
        name: "Runs by itself",
        width: "minmax(0,1.4fr)",
        from: "md",
        cell: (deployment) => <ScheduleWords deployment={deployment} />,
      },
      {
        name: "Last runs",
        width: "9.5rem",
        from: "sm",
        cell: (deployment) => <LastRuns runs={last.get(deployment.id)} />,
      },
      {
        name: "Work pool",
        width: "minmax(0,0.8fr)",
        from: "lg",
        cell: (deployment) =>
          deployment.work_pool_name && (
            <Link
              to="/work-pools/$name"
              params={{ name: deployment.work_pool_name }}
              className="link cut relative block text-ink-2"
            >
              {deployment.work_pool_name}
            </Link>
          ),
      },
      { name: "Tags", width: "minmax(0,0.8fr)", from: "xl", cell: (deployment) => <FewTags tags={deployment.tags} /> },
      {
        name: "On",
        width: "5.25rem",
        align: "right",
        cell: (deployment) => (
          <span className="relative inline-flex items-center gap-2">
            <IconButton label={`Run ${deployment.name} now`} size="sm" onClick={() => quick(deployment)}>
              <Play />
            </IconButton>
            <Switch
              label={`${deployment.name} is on`}
              on={!deployment.paused}
              change={(on) =>
                pause.mutate(
                  { id: deployment.id, paused: !on },
                  {
                    onSuccess: () =>
                      say(
                        on
                          ? `${deployment.name} runs by its schedules again.`
                          : `${deployment.name} is paused: its schedules make no runs.`,
                      ),
                    onError: (error) => say(error.message, { failed: true }),
                  },
                )
              }
            />
          </span>
        ),
      },
    ];
    return all.filter((column): column is Column<Deployment> => Boolean(column));
  }, [flows, last, without, pause.mutate, quick]);
  return <List label="Deployments" columns={columns} rows={deployments} keyOf={(deployment) => deployment.id} />;
}
