import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import type { WorkPool } from "@/api/types";
import { workPoolPage, workPoolWorkers } from "@/api/work-pools";
import { Button } from "@/components/button";
import { CommandLine } from "@/components/copy";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { type Column, List, ROW_LINK } from "@/components/list";
import { Heading, Page, Panel } from "@/components/page";
import { SkeletonRows } from "@/components/skeleton";
import { plural } from "@/format/quantity";
import { PoolStatus, SlotBar } from "./pool-parts";
import { PoolSwitch } from "./pool-switch";

const PoolDialog = lazy(() => import("./pool-dialog"));
const MOST = 200;

export function WorkPoolsPage() {
  const [creating, setCreating] = useState(false);
  const { data, error, refetch } = useQuery(workPoolPage(0, MOST));
  const workers = useQueries({
    queries: (data ?? []).map((pool) => workPoolWorkers(pool.name)),
    combine: (results) => results.map((result) => result.data?.filter((worker) => worker.status === "ONLINE").length),
  });
  const columns = useMemo<Column<WorkPool>[]>(() => {
    const online = new Map(data?.map((pool, index) => [pool.name, workers[index]]));
    return [
      {
        name: "Work pool",
        width: "minmax(0,1.3fr)",
        cell: (pool) => (
          <div className="min-w-0">
            <Link to="/work-pools/$name" params={{ name: pool.name }} className={`${ROW_LINK} cut block`}>
              {pool.name}
            </Link>
            {pool.description && <div className="cut text-ink-3 text-xs">{pool.description}</div>}
          </div>
        ),
      },
      { name: "Type", width: "7rem", from: "sm", cell: (pool) => <span className="text-ink-2">{pool.type}</span> },
      { name: "Status", width: "7rem", cell: (pool) => <PoolStatus pool={pool} online={online.get(pool.name)} /> },
      {
        name: "Workers",
        width: "8rem",
        from: "md",
        cell: (pool) => (
          <span className="text-ink-2">
            {online.get(pool.name) === undefined ? "" : `${plural(online.get(pool.name) ?? 0, "worker")} online`}
          </span>
        ),
      },
      {
        name: "Slots",
        width: "8.5rem",
        from: "lg",
        cell: (pool) => <SlotBar used={pool.active_slots} limit={pool.concurrency_limit} />,
      },
      { name: "On", width: "3rem", align: "right", cell: (pool) => <PoolSwitch pool={pool} /> },
    ];
  }, [data, workers]);
  const create = (
    <Button look="ink" icon={<Plus />} onClick={() => setCreating(true)}>
      New work pool
    </Button>
  );
  return (
    <Page name="Work pools">
      <Heading
        title="Work pools"
        below={data && data.length > 0 && <span>{plural(data.length, "work pool")}</span>}
        actions={data && data.length > 0 && create}
      />
      <Panel>
        {error && !data ? (
          <Failure error={error} retry={refetch} />
        ) : !data ? (
          <SkeletonRows />
        ) : data.length === 0 ? (
          <Empty title="No work pool yet" action={create}>
            A work pool is where deployments send their runs, and where workers fetch them.
            <div className="mt-3 min-w-0">
              <CommandLine>headrace work-pool create my-pool -t process</CommandLine>
            </div>
          </Empty>
        ) : (
          <List label="Work pools" columns={columns} rows={data} keyOf={(pool) => pool.id} />
        )}
      </Panel>
      {creating && (
        <Suspense>
          <PoolDialog edited={null} close={() => setCreating(false)} />
        </Suspense>
      )}
    </Page>
  );
}
