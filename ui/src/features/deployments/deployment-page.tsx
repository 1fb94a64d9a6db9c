import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Play, SlidersHorizontal, Trash2 } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { deploymentDetail, useDeleteDeployment, usePauseDeployment } from "@/api/deployments";
import { isLost } from "@/api/fetch";
import { flowRunPage } from "@/api/flow-runs";
import { flowDetail } from "@/api/flows";
import type { Deployment, Selection } from "@/api/types";
import { Button, buttonClass } from "@/components/button";
import { CopyId } from "@/components/copy";
import { Confirm } from "@/components/dialog";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { Json } from "@/components/json";
import { Menu } from "@/components/menu";
import { Fact, Facts, Heading, Page, Panel, Tags } from "@/components/page";
import { Skeleton } from "@/components/skeleton";
import { Switch } from "@/components/switch";
import { Tabs } from "@/components/tabs";
import { RelativeTime } from "@/components/time";
import { say } from "@/components/toast";
import { RunList } from "@/features/flow-runs/run-list";
import { SchedulePanel } from "@/features/schedules/schedule-panel";
import { Lost } from "@/features/shell/lost";
import { StatusWord } from "@/features/work-pools/pool-parts";
import { ParameterTable } from "./parameter-table";
import { useQuickRun } from "./quick-run";

const DurationChart = lazy(() => import("@/features/flows/duration-chart"));
const Markdown = lazy(() => import("@/features/artifacts/markdown"));
const route = getRouteApi("/deployments/$id");

export function DeploymentPage() {
  const { id } = route.useParams();
  const { data: deployment, error, refetch } = useQuery(deploymentDetail(id));
  if (isLost(error)) return <Lost />;
  if (deployment) return <Overview key={id} deployment={deployment} />;
  return (
    <Page name="Deployment">
      {error ? <Failure error={error} retry={refetch} /> : <Skeleton className="h-7 w-64" />}
    </Page>
  );
}

function Overview({ deployment }: { deployment: Deployment }) {
  const { data: flow } = useQuery(flowDetail(deployment.flow_id));
  const begun = useMemo<Selection>(
    () => ({
      flow_runs: {
        deployment_id: { any_: [deployment.id] },
        state: { type: { any_: ["RUNNING", "COMPLETED", "FAILED", "CRASHED", "CANCELLED", "PAUSED"] } },
      },
    }),
    [deployment.id],
  );
  const { data: last } = useQuery(flowRunPage(begun, "START_TIME_DESC", 0, 200));
  return (
    <Page name={deployment.name}>
      <Heading
        above={
          <>
            <Link to="/deployments" className="link">
              Deployments
            </Link>
            <span>/</span>
            <Link to="/flows/$id" params={{ id: deployment.flow_id }} className="link">
              {flow?.name ?? "…"}
            </Link>
          </>
        }
        title={deployment.name}
        below={
          <>
            <Status deployment={deployment} />
            {deployment.work_pool_name && (
              <span>
                runs in{" "}
                <Link
                  to="/work-pools/$name"
                  params={{ name: deployment.work_pool_name }}
                  className="link font-medium text-ink"
                >
                  {deployment.work_pool_name}
                </Link>
                {deployment.work_queue_name &&
                  deployment.work_queue_name !== "default" &&
                  `, queue ${deployment.work_queue_name}`}
              </span>
            )}
            <Tags tags={deployment.tags} />
          </>
        }
        actions={<Actions deployment={deployment} />}
      />
      {deployment.description && deployment.description !== "None" && (
        <Suspense fallback={null}>
          <div className="text-ink-2 [&_.markdown]:text-sm">
            <Markdown>{deployment.description}</Markdown>
          </div>
        </Suspense>
      )}
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.6fr)]">
        <SchedulePanel deployment={deployment} />
        <Panel title="How long its runs take" className="pb-1">
          {last && last.length > 0 ? (
            <Suspense fallback={<div className="h-42" />}>
              <DurationChart runs={last} />
            </Suspense>
          ) : (
            <p className="px-4 py-5 text-ink-2">{last ? "It has not run yet." : " "}</p>
          )}
        </Panel>
      </div>
      <DeploymentTabs deployment={deployment} />
    </Page>
  );
}

function Status({ deployment }: { deployment: Deployment }) {
  if (deployment.paused) return <StatusWord tone="waiting" word="Paused" tip="Its schedules make no runs" />;
  if (!deployment.work_pool_name)
    return <StatusWord tone="cancelled" word="No work pool" tip="Its runs are started by the process that serves it" />;
  return deployment.status === "READY" ? (
    <StatusWord tone="completed" word="Ready" tip="A worker is there for its runs" />
  ) : (
    <StatusWord tone="failed" word="Not ready" tip="No worker has asked for its runs lately" />
  );
}

function Actions({ deployment }: { deployment: Deployment }) {
  const quick = useQuickRun();
  const pause = usePauseDeployment();
  const remove = useDeleteDeployment();
  const navigate = useNavigate();
  const [asked, setAsked] = useState(false);
  return (
    <>
      <span className="mr-2 inline-flex items-center gap-2 text-ink-2">
        <Switch
          label="The deployment is on"
          on={!deployment.paused}
          change={(on) =>
            pause.mutate(
              { id: deployment.id, paused: !on },
              { onError: (error) => say(error.message, { failed: true }) },
            )
          }
        />
        {deployment.paused ? "Off" : "On"}
      </span>
      <Link to="/deployments/$id/run" params={{ id: deployment.id }} className={buttonClass()}>
        <SlidersHorizontal /> Custom run
      </Link>
      <Button look="ink" icon={<Play />} onClick={() => quick(deployment)}>
        Quick run
      </Button>
      <Menu
        label="More for this deployment"
        choices={[{ label: "Delete…", icon: <Trash2 />, danger: true, run: () => setAsked(true) }]}
      />
      <Confirm
        open={asked}
        close={() => setAsked(false)}
        title={`Delete ${deployment.name}?`}
        verb="Delete the deployment"
        danger
        busy={remove.isPending}
        confirm={() =>
          remove.mutate(deployment.id, {
            onSuccess: () => {
              say(`${deployment.name} is deleted.`);
              void navigate({ to: "/deployments" });
            },
            onError: (error) => say(error.message, { failed: true }),
            onSettled: () => setAsked(false),
          })
        }
      >
        Its schedules go with it, and runs that have not begun. What has run stays recorded.
      </Confirm>
    </>
  );
}

function DeploymentTabs({ deployment }: { deployment: Deployment }) {
  const { tab = "runs" } = route.useSearch();
  const navigate = route.useNavigate();
  const runs = useMemo<Selection>(
    () => ({ flow_runs: { deployment_id: { any_: [deployment.id] }, state: { type: { not_any_: ["SCHEDULED"] } } } }),
    [deployment.id],
  );
  const upcoming = useMemo<Selection>(
    () => ({ flow_runs: { deployment_id: { any_: [deployment.id] }, state: { type: { any_: ["SCHEDULED"] } } } }),
    [deployment.id],
  );
  return (
    <Tabs
      label="About this deployment"
      chosen={tab}
      choose={(name) =>
        navigate({ search: { tab: name === "runs" ? undefined : name }, replace: true, resetScroll: false })
      }
      tabs={[
        { name: "runs", label: "Runs" },
        { name: "upcoming", label: "Upcoming" },
        { name: "parameters", label: "Parameters" },
        { name: "details", label: "Details" },
      ]}
    >
      {tab === "runs" && (
        <Panel>
          <RunList
            selection={runs}
            sort="START_TIME_DESC"
            without="deployment"
            none={<Empty title="It has not run yet">Start it with Quick run, or give it a schedule.</Empty>}
          />
        </Panel>
      )}
      {tab === "upcoming" && (
        <Panel>
          <RunList
            selection={upcoming}
            sort="EXPECTED_START_TIME_ASC"
            without="deployment"
            none={
              <Empty title="Nothing is scheduled">An active schedule makes runs ahead of time; they stand here.</Empty>
            }
          />
        </Panel>
      )}
      {tab === "parameters" && <ParameterTable deployment={deployment} />}
      {tab === "details" && <Details deployment={deployment} />}
    </Tabs>
  );
}

function Details({ deployment }: { deployment: Deployment }) {
  return (
    <Panel className="p-4">
      <Facts>
        <Fact name="Id">
          <CopyId id={deployment.id} />
        </Fact>
        <Fact name="Created">
          <RelativeTime at={deployment.created} />
        </Fact>
        <Fact name="Updated">
          <RelativeTime at={deployment.updated} />
        </Fact>
        <Fact name="Version">{deployment.version ?? "–"}</Fact>
        <Fact name="Queue">{deployment.work_queue_name ?? "–"}</Fact>
        <Fact name="Runs at once">{deployment.concurrency_limit ?? "no limit"}</Fact>
        <Fact name="Entrypoint" wide>
          <code className="break-all font-mono text-xs">{deployment.entrypoint ?? "–"}</code>
        </Fact>
        {deployment.path && (
          <Fact name="Path" wide>
            <code className="break-all font-mono text-xs">{deployment.path}</code>
          </Fact>
        )}
        {deployment.pull_steps && deployment.pull_steps.length > 0 && (
          <Fact name="Before it runs" wide>
            <Json value={deployment.pull_steps} className="mt-1" />
          </Fact>
        )}
        {deployment.job_variables && Object.keys(deployment.job_variables).length > 0 && (
          <Fact name="Job variables" wide>
            <Json value={deployment.job_variables} className="mt-1" />
          </Fact>
        )}
      </Facts>
    </Panel>
  );
}
