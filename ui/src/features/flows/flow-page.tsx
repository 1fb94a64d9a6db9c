import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { deploymentPage } from "@/api/deployments";
import { isLost } from "@/api/fetch";
import { flowRunPage } from "@/api/flow-runs";
import { flowDetail, useDeleteFlow } from "@/api/flows";
import type { Flow, Selection } from "@/api/types";
import { buttonClass } from "@/components/button";
import { CopyId } from "@/components/copy";
import { Confirm } from "@/components/dialog";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { Menu } from "@/components/menu";
import { Heading, Page, Panel, Tags } from "@/components/page";
import { Skeleton } from "@/components/skeleton";
import { RelativeTime } from "@/components/time";
import { say } from "@/components/toast";
import { DeploymentList } from "@/features/deployments/deployment-list";
import { RunList } from "@/features/flow-runs/run-list";
import { Lost } from "@/features/shell/lost";

const DurationChart = lazy(() => import("./duration-chart"));
const route = getRouteApi("/flows/$id");

export function FlowPage() {
  const { id } = route.useParams();
  const { data: flow, error, refetch } = useQuery(flowDetail(id));
  if (isLost(error)) return <Lost />;
  if (flow) return <Overview key={id} flow={flow} />;
  return (
    <Page name="Flow">{error ? <Failure error={error} retry={refetch} /> : <Skeleton className="h-7 w-64" />}</Page>
  );
}

function Overview({ flow }: { flow: Flow }) {
  const of = useMemo<Selection>(() => ({ flows: { id: { any_: [flow.id] } } }), [flow.id]);
  const begun = useMemo<Selection>(
    () => ({
      ...of,
      flow_runs: { state: { type: { any_: ["RUNNING", "COMPLETED", "FAILED", "CRASHED", "CANCELLED", "PAUSED"] } } },
    }),
    [of],
  );
  const runs = useMemo<Selection>(() => ({ ...of, flow_runs: { state: { type: { not_any_: ["SCHEDULED"] } } } }), [of]);
  const { data: last } = useQuery(flowRunPage(begun, "START_TIME_DESC", 0, 200));
  const { data: deployments } = useQuery(deploymentPage(of, "NAME_ASC", 0, 100));
  return (
    <Page name={flow.name}>
      <Heading
        above={
          <Link to="/flows" className="link">
            Flows
          </Link>
        }
        title={flow.name}
        below={
          <>
            <span>
              known since <RelativeTime at={flow.created} />
            </span>
            <CopyId id={flow.id} />
            <Tags tags={flow.tags} />
          </>
        }
        actions={<FlowMenu flow={flow} />}
      />
      {last && last.length > 2 && (
        <Panel title="How long its runs take" className="pb-1">
          <Suspense fallback={<div className="h-42" />}>
            <DurationChart runs={last} />
          </Suspense>
        </Panel>
      )}
      {deployments && deployments.length > 0 && (
        <Panel title="Deployments">
          <DeploymentList deployments={deployments} without="flow" />
        </Panel>
      )}
      <Panel
        title="Runs"
        actions={
          <Link to="/runs" search={{ flow: flow.id, since: "all" }} className={buttonClass("bare", "sm")}>
            Filter
          </Link>
        }
      >
        <RunList
          selection={runs}
          sort="START_TIME_DESC"
          without="flow"
          none={<Empty title="This flow has not run yet" />}
        />
      </Panel>
    </Page>
  );
}

function FlowMenu({ flow }: { flow: Flow }) {
  const [asked, setAsked] = useState(false);
  const remove = useDeleteFlow();
  const navigate = useNavigate();
  return (
    <>
      <Menu
        label="More for this flow"
        choices={[{ label: "Delete…", icon: <Trash2 />, danger: true, run: () => setAsked(true) }]}
      />
      <Confirm
        open={asked}
        close={() => setAsked(false)}
        title={`Delete ${flow.name}?`}
        verb="Delete the flow"
        danger
        busy={remove.isPending}
        confirm={() =>
          remove.mutate(flow.id, {
            onSuccess: () => {
              say(`${flow.name} is deleted.`);
              void navigate({ to: "/flows" });
            },
            onError: (error) => say(error.message, { failed: true }),
            onSettled: () => setAsked(false),
          })
        }
      >
        All its runs go with it: task runs, logs, artifacts and deployments. The code stays where it is. This cannot be
        undone.
      </Confirm>
    </>
  );
}
