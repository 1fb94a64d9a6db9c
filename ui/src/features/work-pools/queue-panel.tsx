import { useQuery } from "@tanstack/react-query";
import { ListPlus, Pencil } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import type { WorkQueue } from "@/api/types";
import { useUpdateQueue, workPoolQueues } from "@/api/work-pools";
import { Button, IconButton } from "@/components/button";
import { Failure } from "@/components/failure";
import { type Column, List } from "@/components/list";
import { Panel } from "@/components/page";
import { SkeletonRows } from "@/components/skeleton";
import { Switch } from "@/components/switch";
import { say } from "@/components/toast";

const QueueDialog = lazy(() => import("./queue-dialog"));

/** The pool's queues in the order in which workers empty them. */
export function QueuePanel({ pool }: { pool: string }) {
  const [edited, setEdited] = useState<WorkQueue | "new" | null>(null);
  const { data, error, refetch } = useQuery(workPoolQueues(pool));
  const update = useUpdateQueue();
  const sorted = useMemo(
    () => [...(data ?? [])].sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1)),
    [data],
  );
  const columns = useMemo<Column<WorkQueue>[]>(
    () => [
      {
        name: "Queue",
        width: "minmax(0,1fr)",
        cell: (queue) => <span className="cut block font-medium">{queue.name}</span>,
      },
      { name: "Priority", width: "4rem", align: "right", cell: (queue) => queue.priority },
      {
        name: "At once",
        width: "4.5rem",
        align: "right",
        from: "sm",
        cell: (queue) => <span className="text-ink-2">{queue.concurrency_limit ?? "no limit"}</span>,
      },
      {
        name: "On",
        width: "4.5rem",
        align: "right",
        cell: (queue) => (
          <span className="inline-flex items-center gap-1">
            <IconButton label={`Change ${queue.name}`} size="sm" onClick={() => setEdited(queue)}>
              <Pencil />
            </IconButton>
            <Switch
              label={`${queue.name} is on`}
              on={!queue.is_paused}
              change={(on) =>
                update.mutate(
                  { pool, name: queue.name, update: { is_paused: !on } },
                  { onError: (failed) => say(failed.message, { failed: true }) },
                )
              }
            />
          </span>
        ),
      },
    ],
    [pool, update.mutate],
  );
  return (
    <Panel
      title="Queues"
      actions={
        <Button look="bare" size="sm" icon={<ListPlus />} onClick={() => setEdited("new")}>
          Add
        </Button>
      }
    >
      {error && !data ? (
        <Failure error={error} retry={refetch} />
      ) : !data ? (
        <SkeletonRows count={2} />
      ) : (
        <List label="Queues" columns={columns} rows={sorted} keyOf={(queue) => queue.id} />
      )}
      {edited && (
        <Suspense>
          <QueueDialog pool={pool} edited={edited === "new" ? null : edited} close={() => setEdited(null)} />
        </Suspense>
      )}
    </Panel>
  );
}
