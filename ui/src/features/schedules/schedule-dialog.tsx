import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useId, useMemo, useState } from "react";
import { schedulePreview, useCreateSchedule, useUpdateSchedule } from "@/api/deployments";
import type { DeploymentSchedule, Schedule } from "@/api/types";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Check, Field, Input, TextArea } from "@/components/field";
import { Picker } from "@/components/picker";
import { Select } from "@/components/select";
import { Segments } from "@/components/tabs";
import { say } from "@/components/toast";
import { describeSchedule } from "./describe";
import { type Draft, draftOf, scheduleOf, UNIT_SECONDS, type Unit } from "./draft";

interface ScheduleDialogProps {
  deployment: string;
  /** The schedule to change; none to add one. */
  edited: DeploymentSchedule | null;
  close: () => void;
}

const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const UNITS = (Object.keys(UNIT_SECONDS) as Unit[]).map((unit) => ({ value: unit, label: unit }));

const KINDS = [
  { name: "interval", label: "Interval" },
  { name: "cron", label: "Cron" },
  { name: "rrule", label: "Rule" },
] as const;

export default function ScheduleDialog({ deployment, edited, close }: ScheduleDialogProps) {
  const [draft, setDraft] = useState(() => draftOf(edited?.schedule ?? null, LOCAL));
  const [tried, setTried] = useState<string | null>(null);
  const create = useCreateSchedule();
  const update = useUpdateSchedule();
  const form = useId();
  const change = (part: Partial<Draft>) => {
    setTried(null);
    setDraft((held) => ({ ...held, ...part }));
  };
  const meant = scheduleOf(draft);
  const save = () => {
    if ("missing" in meant) return setTried(meant.missing);
    const done = {
      onSuccess: () => {
        say(edited ? "The schedule is changed." : "The schedule is added.");
        close();
      },
      onError: (error: Error) => setTried(error.message),
    };
    if (edited) update.mutate({ id: deployment, scheduleId: edited.id, update: { schedule: meant } }, done);
    else create.mutate({ id: deployment, schedule: { schedule: meant, active: true } }, done);
  };
  return (
    <Dialog
      open
      close={close}
      title={edited ? "Change the schedule" : "Add a schedule"}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="ink" type="submit" form={form} busy={create.isPending || update.isPending}>
            {edited ? "Save" : "Add"}
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
        <Segments
          label="Kind of schedule"
          chosen={draft.kind}
          choose={(kind) => change({ kind })}
          options={[...KINDS]}
        />
        <KindFields draft={draft} change={change} error={tried} />
        <Zone zone={draft.zone} change={(zone) => change({ zone })} />
        <Preview schedule={"missing" in meant ? null : meant} />
      </form>
    </Dialog>
  );
}

interface KindFieldsProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  error: string | null;
}

function KindFields({ draft, change, error }: KindFieldsProps) {
  if (draft.kind === "cron") {
    return (
      <>
        <Field label="Cron line" hint="minute, hour, day of the month, month, weekday" error={error}>
          {(ids) => (
            <Input
              {...ids}
              value={draft.cron}
              placeholder="30 6 * * 1-5"
              className="font-mono"
              onChange={(event) => change({ cron: event.target.value })}
            />
          )}
        </Field>
        <Check
          label="When day and weekday are both given, either is enough"
          checked={draft.dayOr}
          onChange={(dayOr) => change({ dayOr })}
        />
      </>
    );
  }
  if (draft.kind === "rrule") {
    return (
      <Field label="Rule" hint="A recurrence rule of iCalendar (RFC 5545)" error={error}>
        {(ids) => (
          <TextArea
            {...ids}
            rows={3}
            value={draft.rrule}
            placeholder="FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=0"
            className="font-mono text-xs"
            onChange={(event) => change({ rrule: event.target.value })}
          />
        )}
      </Field>
    );
  }
  return (
    <div className="grid grid-cols-[6rem_1fr] gap-x-2">
      <Field label="Every" error={error} className="contents!">
        {(ids) => (
          <>
            <Input
              {...ids}
              inputMode="decimal"
              value={draft.count}
              onChange={(event) => change({ count: event.target.value })}
              className="row-start-2"
            />
            <Select
              label="Unit"
              options={UNITS}
              value={draft.unit}
              change={(unit) => change({ unit })}
              className="row-start-2"
            />
          </>
        )}
      </Field>
    </div>
  );
}

function Zone({ zone, change }: { zone: string; change: (zone: string) => void }) {
  const options = useMemo(
    () =>
      [...new Set(["UTC", LOCAL, zone, ...Intl.supportedValuesOf("timeZone")])].map((name) => ({
        value: name,
        label: name,
      })),
    [zone],
  );
  return (
    <Field label="Time zone" hint={zone === LOCAL ? "The one of this browser" : undefined}>
      {(ids) => <Picker {...ids} options={options} value={zone} change={change} />}
    </Field>
  );
}

/** When it would run: as the server works it out, in the schedule's own time zone. */
function Preview({ schedule }: { schedule: Schedule | null }) {
  const key = useDeferredValue(JSON.stringify(schedule));
  const asked = useMemo(() => JSON.parse(key) as Schedule | null, [key]);
  const { data, error } = useQuery(schedulePreview(asked));
  if (!schedule) return null;
  const zone = schedule.timezone ?? "UTC";
  return (
    <div className="rounded-md border border-line bg-bed px-3.5 py-2.5">
      {error ? (
        <p className="text-failed-ink text-xs">{error.message}</p>
      ) : (
        <p className="font-medium">{describeSchedule(schedule)}</p>
      )}
      {!error && data && data.length > 0 && (
        <ol className="mt-1.5 flex flex-col gap-0.5 text-ink-2 text-xs">
          {data.map((at) => (
            <li key={at}>{inZone(at, zone)}</li>
          ))}
        </ol>
      )}
    </div>
  );
}

function inZone(at: string, zone: string): string {
  const options: Intl.DateTimeFormatOptions = {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }).format(new Date(at));
  } catch {
    return new Intl.DateTimeFormat("en-GB", options).format(new Date(at));
  }
}
