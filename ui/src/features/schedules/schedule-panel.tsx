import { CalendarPlus, Pencil, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useDeleteSchedule, useUpdateSchedule } from "@/api/deployments";
import type { Deployment, DeploymentSchedule } from "@/api/types";
import { Button, IconButton } from "@/components/button";
import { cx } from "@/components/cx";
import { Confirm } from "@/components/dialog";
import { Panel } from "@/components/page";
import { Switch } from "@/components/switch";
import { say } from "@/components/toast";
import { describeSchedule, isCron, isRule, kindOf } from "./describe";

const ScheduleDialog = lazy(() => import("./schedule-dialog"));

const KINDS = { cron: "Cron", rrule: "Rule", interval: "Interval" } as const;

/** When the deployment runs by itself: every schedule, on or off, to change, to add, to remove. */
export function SchedulePanel({ deployment }: { deployment: Deployment }) {
  const [edited, setEdited] = useState<DeploymentSchedule | "new" | null>(null);
  const [removed, setRemoved] = useState<DeploymentSchedule | null>(null);
  const remove = useDeleteSchedule();
  return (
    <Panel
      title="Schedules"
      actions={
        <Button look="bare" size="sm" icon={<CalendarPlus />} onClick={() => setEdited("new")}>
          Add
        </Button>
      }
    >
      {deployment.schedules.length === 0 ? (
        <p className="px-4 py-5 text-ink-2">
          It runs when somebody starts it.{" "}
          <button
            type="button"
            onClick={() => setEdited("new")}
            className="font-medium underline decoration-line-strong underline-offset-3 hover:decoration-current"
          >
            Add a schedule
          </button>{" "}
          and it runs by itself.
        </p>
      ) : (
        <ul>
          {deployment.schedules.map((schedule) => (
            <Line
              key={schedule.id}
              deployment={deployment}
              schedule={schedule}
              edit={() => setEdited(schedule)}
              remove={() => setRemoved(schedule)}
            />
          ))}
        </ul>
      )}
      {deployment.paused && deployment.schedules.length > 0 && (
        <p className="border-line border-t bg-bed px-4 py-2 text-ink-2 text-xs">
          The deployment is paused: no schedule makes runs until it is resumed.
        </p>
      )}
      {edited && (
        <Suspense>
          <ScheduleDialog
            deployment={deployment.id}
            edited={edited === "new" ? null : edited}
            close={() => setEdited(null)}
          />
        </Suspense>
      )}
      <Confirm
        open={removed !== null}
        close={() => setRemoved(null)}
        title="Remove the schedule?"
        verb="Remove it"
        danger
        busy={remove.isPending}
        confirm={() =>
          removed &&
          remove.mutate(
            { id: deployment.id, scheduleId: removed.id },
            {
              onSuccess: () => say("The schedule is removed."),
              onError: (error) => say(error.message, { failed: true }),
              onSettled: () => setRemoved(null),
            },
          )
        }
      >
        {removed && <b>{describeSchedule(removed.schedule)}.</b>} Runs it has made and that have not begun are removed
        with it.
      </Confirm>
    </Panel>
  );
}

interface LineProps {
  deployment: Deployment;
  schedule: DeploymentSchedule;
  edit: () => void;
  remove: () => void;
}

function Line({ deployment, schedule, edit, remove }: LineProps) {
  const update = useUpdateSchedule();
  const words = describeSchedule(schedule.schedule);
  const expression = isCron(schedule.schedule)
    ? schedule.schedule.cron
    : isRule(schedule.schedule)
      ? schedule.schedule.rrule
      : null;
  const parameters = Object.keys(schedule.parameters ?? {});
  return (
    <li className="flex items-center gap-3 border-line border-b py-2 pr-2 pl-4 last:border-0">
      <Switch
        label={`${words} is on`}
        on={schedule.active}
        change={(active) =>
          update.mutate(
            { id: deployment.id, scheduleId: schedule.id, update: { active } },
            { onError: (error) => say(error.message, { failed: true }) },
          )
        }
      />
      <div className={cx("min-w-0 flex-1", !schedule.active && "text-ink-3")}>
        <div className="break-words font-medium">{words}</div>
        <div className="cut text-ink-3 text-xs">
          {[
            schedule.schedule.timezone ?? "UTC",
            expression && expression !== words ? expression : null,
            KINDS[kindOf(schedule.schedule)],
            parameters.length ? `sets ${parameters.join(", ")}` : null,
          ]
            .filter(Boolean)
            .join(" · ")}
        </div>
      </div>
      <div className="flex shrink-0">
        <IconButton label="Change the schedule" size="sm" onClick={edit}>
          <Pencil />
        </IconButton>
        <IconButton label="Remove the schedule" size="sm" onClick={remove}>
          <Trash2 />
        </IconButton>
      </div>
    </li>
  );
}
