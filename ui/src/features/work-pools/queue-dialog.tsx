import { useId, useState } from "react";
import type { WorkQueue, WorkQueueCreate } from "@/api/types";
import { useCreateQueue, useDeleteQueue, useUpdateQueue } from "@/api/work-pools";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Field, Input } from "@/components/field";
import { say } from "@/components/toast";

interface QueueDialogProps {
  pool: string;
  edited: WorkQueue | null;
  close: () => void;
}

export default function QueueDialog({ pool, edited, close }: QueueDialogProps) {
  const [name, setName] = useState(edited?.name ?? "");
  const [priority, setPriority] = useState(String(edited?.priority ?? 1));
  const [limit, setLimit] = useState(edited?.concurrency_limit?.toString() ?? "");
  const [error, setError] = useState<string | null>(null);
  const create = useCreateQueue();
  const update = useUpdateQueue();
  const remove = useDeleteQueue();
  const form = useId();
  const done = { onSuccess: close, onError: (failed: Error) => setError(failed.message) };

  const save = () => {
    const rank = Number(priority);
    const slots = limit.trim() === "" ? null : Number(limit);
    if (!name.trim()) return setError("Give the queue a name.");
    if (!Number.isInteger(rank) || rank < 1) return setError("The priority is a whole number from 1 on.");
    if (slots !== null && (!Number.isInteger(slots) || slots < 0))
      return setError("Runs at once: a whole number, or nothing for no limit.");
    if (edited) update.mutate({ pool, name: edited.name, update: { priority: rank, concurrency_limit: slots } }, done);
    else
      create.mutate(
        { pool, queue: { name: name.trim(), priority: rank, concurrency_limit: slots } as WorkQueueCreate },
        done,
      );
  };
  return (
    <Dialog
      open
      close={close}
      title={edited ? `Change ${edited.name}` : "New queue"}
      footer={
        <>
          {edited && edited.name !== "default" && (
            <Button
              look="bare"
              className="mr-auto text-failed-ink"
              busy={remove.isPending}
              onClick={() =>
                remove.mutate(
                  { pool, name: edited.name },
                  {
                    onSuccess: () => {
                      say(`The queue ${edited.name} is deleted.`);
                      close();
                    },
                    onError: done.onError,
                  },
                )
              }
            >
              Delete
            </Button>
          )}
          <Button onClick={close}>Cancel</Button>
          <Button look="ink" type="submit" form={form} busy={create.isPending || update.isPending}>
            {edited ? "Save" : "Create"}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        {!edited && (
          <Field label="Name">
            {(ids) => (
              <Input
                {...ids}
                autoFocus
                value={name}
                placeholder="urgent"
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        )}
        <div className="grid grid-cols-2 gap-4">
          <Field label="Priority" hint="1 is emptied first">
            {(ids) => (
              <Input
                {...ids}
                inputMode="numeric"
                value={priority}
                onChange={(event) => setPriority(event.target.value)}
              />
            )}
          </Field>
          <Field label="Runs at once" optional>
            {(ids) => (
              <Input {...ids} inputMode="numeric" value={limit} onChange={(event) => setLimit(event.target.value)} />
            )}
          </Field>
        </div>
        {error && (
          <p role="alert" className="text-failed-ink">
            {error}
          </p>
        )}
      </form>
    </Dialog>
  );
}
