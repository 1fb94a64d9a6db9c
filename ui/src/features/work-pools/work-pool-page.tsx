import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Pencil, Trash2 } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { deploymentPage } from "@/api/deployments";
import { isLost } from "@/api/fetch";
import type { Selection, Worker, WorkPool } from "@/api/types";
import { useDeleteWorkPool, workPoolDetail, workPoolWorkers } from "@/api/work-pools";
import { buttonClass } from "@/components/button";
import { CommandLine, CopyId } from "@/components/copy";
import { Confirm } from "@/components/dialog";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { type Column, List } from "@/components/list";
import { Menu } from "@/components/menu";
import { Heading, Page, Panel } from "@/components/page";
import { Skeleton, SkeletonRows } from "@/components/skeleton";
import { RelativeTime } from "@/components/time";
import { say } from "@/components/toast";
import { DeploymentList } from "@/features/deployments/deployment-list";
import { RunList } from "@/features/flow-runs/run-list";
import { Lost } from "@/features/shell/lost";
import { PoolStatus, SlotBar, StatusWord } from "./pool-parts";
import { PoolSwitch } from "./pool-switch";
import { QueuePanel } from "./queue-panel";

const PoolDialog = lazy(() => import("./pool-dialog"));
const route = getRouteApi("/work-pools/$name");

export function WorkPoolPage() {
  const { name } = route.useParams();
  const { data: pool, error, refetch } = useQuery(workPoolDetail(name));
  if (isLost(error)) return <Lost />;
  if (pool) return <Overview key={name} pool={pool} />;
  return (
    <Page name={name}>{error ? <Failure error={error} retry={refetch} /> : <Skeleton className="h-7 w-64" />}</Page>
  );
}

function Overview({ pool }: { pool: WorkPool }) {
  const { data: workers } = useQuery(workPoolWorkers(pool.name));
  const of = useMemo<Selection>(() => ({ work_pools: { name: { any_: [pool.name] } } }), [pool.name]);
  const runs = useMemo<Selection>(() => ({ ...of, flow_runs: { state: { type: { not_any_: ["SCHEDULED"] } } } }), [of]);
  const waiting = useMemo<Selection>(() => ({ ...of, flow_runs: { state: { type: { any_: ["SCHEDULED"] } } } }), [of]);
  const { data: deployments } = useQuery(deploymentPage(of, "NAME_ASC", 0, 100));
  const online = workers?.filter((worker) => worker.status === "ONLINE").length;
  return (
    <Page name={pool.name}>
      <Heading
        above={
          <Link to="/work-pools" className="link">
            Work pools
          </Link>
        }
        title={pool.name}
        below={
          <>
            <PoolStatus pool={pool} online={online} />
            <span>{pool.type}</span>
            <SlotBar used={pool.active_slots} limit={pool.concurrency_limit} />
            <CopyId id={pool.id} />
          </>
        }
        actions={<Actions pool={pool} />}
      />
      {pool.description && <p className="-mt-2 max-w-3xl text-ink-2">{pool.description}</p>}
      <div className="grid gap-5 lg:grid-cols-2">
        <Workers pool={pool} workers={workers} />
        <QueuePanel pool={pool.name} />
      </div>
      <Panel title="Waiting to be fetched">
        <RunList
          selection={waiting}
          sort="EXPECTED_START_TIME_ASC"
          none={<p className="px-4 py-5 text-ink-3">Nothing waits.</p>}
        />
      </Panel>
      {deployments && deployments.length > 0 && (
        <Panel title="Deployments">
          <DeploymentList deployments={deployments} />
        </Panel>
      )}
      <Panel
        title="Runs"
        actions={
          <Link to="/runs" search={{ pool: pool.name, since: "all" }} className={buttonClass("bare", "sm")}>
            Filter
          </Link>
        }
      >
        <RunList
          selection={runs}
          sort="START_TIME_DESC"
          none={<Empty title="Nothing has run in this pool">Deploy a flow to it, and start a worker.</Empty>}
        />
      </Panel>
    </Page>
  );
}

const COLUMNS: Column<Worker>[] = [
  {
    name: "Worker",
    width: "minmax(0,1fr)",
    cell: (worker) => <span className="cut block font-medium">{worker.name}</span>,
  },
  {
    name: "Status",
    width: "6rem",
    cell: (worker) => (
      <StatusWord
        tone={worker.status === "ONLINE" ? "completed" : "cancelled"}
        word={worker.status === "ONLINE" ? "Online" : "Offline"}
      />
    ),
  },
  {
    name: "Last seen",
    width: "6rem",
    align: "right",
    cell: (worker) => <RelativeTime at={worker.last_heartbeat_time} className="text-ink-2" />,
  },
];

/** A name as a shell takes it for one word. */
const quoted = (name: string) => (/^[\w.@:+-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`);

function Workers({ pool, workers }: { pool: WorkPool; workers: Worker[] | undefined }) {
  const start = <CommandLine>{`headrace worker start -p ${quoted(pool.name)}`}</CommandLine>;
  return (
    <Panel title="Workers">
      {!workers ? (
        <SkeletonRows count={2} />
      ) : workers.length === 0 ? (
        <Empty title="No worker yet" action={start} className="py-8!">
          A worker fetches this pool's runs and executes them. Start one on any machine that reaches this server:
        </Empty>
      ) : (
        <>
          <List label="Workers" columns={COLUMNS} rows={workers} keyOf={(worker) => worker.id} />
          {workers.every((worker) => worker.status !== "ONLINE") && (
            <div className="border-line border-t p-3">{start}</div>
          )}
        </>
      )}
    </Panel>
  );
}

function Actions({ pool }: { pool: WorkPool }) {
  const [asked, setAsked] = useState<"edit" | "delete" | null>(null);
  const remove = useDeleteWorkPool();
  const navigate = useNavigate();
  return (
    <>
      <span className="mr-2 inline-flex items-center gap-2 text-ink-2">
        <PoolSwitch pool={pool} />
        {pool.is_paused ? "Paused" : "On"}
      </span>
      <Menu
        label="More for this work pool"
        choices={[
          { label: "Change…", icon: <Pencil />, run: () => setAsked("edit") },
          { label: "Delete…", icon: <Trash2 />, danger: true, run: () => setAsked("delete") },
        ]}
      />
      {asked === "edit" && (
        <Suspense>
          <PoolDialog edited={pool} close={() => setAsked(null)} />
        </Suspense>
      )}
      <Confirm
        open={asked === "delete"}
        close={() => setAsked(null)}
        title={`Delete ${pool.name}?`}
        verb="Delete the work pool"
        danger
        busy={remove.isPending}
        confirm={() =>
          remove.mutate(pool.name, {
            onSuccess: () => {
              say(`${pool.name} is deleted.`);
              void navigate({ to: "/work-pools" });
            },
            onError: (error) => say(error.message, { failed: true }),
            onSettled: () => setAsked(null),
          })
        }
      >
        Its queues go with it, and deployments that send runs to it have no place to run any more. What has run stays
        recorded.
      </Confirm>
    </>
  );
}
