import type { WorkPool } from "@/api/types";
import { useUpdateWorkPool } from "@/api/work-pools";
import { Switch } from "@/components/switch";
import { say } from "@/components/toast";

export function PoolSwitch({ pool }: { pool: WorkPool }) {
  const update = useUpdateWorkPool();
  return (
    <span className="relative inline-flex">
      <Switch
        label={`${pool.name} is on`}
        on={!pool.is_paused}
        change={(on) =>
          update.mutate(
            { name: pool.name, update: { is_paused: !on } },
            {
              onSuccess: () =>
                say(on ? `${pool.name} gives out runs again.` : `${pool.name} is paused: its runs wait.`),
              onError: (error) => say(error.message, { failed: true }),
            },
          )
        }
      />
    </span>
  );
}
