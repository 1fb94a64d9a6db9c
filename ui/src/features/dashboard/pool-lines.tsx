import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { workPoolPage, workPoolWorkers } from "@/api/work-pools";
import { buttonClass } from "@/components/button";
import { ROW_LINK } from "@/components/list";
import { Panel } from "@/components/page";
import { PoolStatus, SlotBar } from "@/features/work-pools/pool-parts";
import { plural } from "@/format/quantity";

/** The work pools at a glance: who is there to work, and how much of it is taken. */
export function PoolLines() {
  const { data: pools } = useQuery(workPoolPage(0, 6));
  const workers = useQueries({ queries: (pools ?? []).map((pool) => workPoolWorkers(pool.name)) });
  if (!pools?.length) return null;
  return (
    <Panel
      title="Work pools"
      actions={
        <Link to="/work-pools" className={buttonClass("bare", "sm")}>
          All
        </Link>
      }
    >
      <ul className="grid gap-px bg-line sm:grid-cols-2 lg:grid-cols-3">
        {pools.map((pool, index) => {
          const online = workers[index]?.data?.filter((worker) => worker.status === "ONLINE").length;
          return (
            <li key={pool.id} className="relative flex flex-col gap-2 bg-paper px-4 py-3 hover:bg-bed">
              <div className="flex items-center justify-between gap-3">
                <Link to="/work-pools/$name" params={{ name: pool.name }} className={`${ROW_LINK} cut`}>
                  {pool.name}
                </Link>
                <PoolStatus pool={pool} online={online} />
              </div>
              <div className="flex items-center justify-between gap-3 text-ink-2 text-xs">
                <span>{online === undefined ? pool.type : `${plural(online, "worker")} online`}</span>
                <SlotBar used={pool.active_slots} limit={pool.concurrency_limit} />
              </div>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
