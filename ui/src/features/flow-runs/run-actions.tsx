import { useNavigate } from "@tanstack/react-router";
import { Ban, Play, RotateCw, SlidersHorizontal, Trash2 } from "lucide-react";
import { useState } from "react";
import { useCancelFlowRun, useDeleteFlowRun, useResumeFlowRun, useRetryFlowRun } from "@/api/flow-runs";
import type { FlowRun, OrchestrationResult } from "@/api/types";
import { Button } from "@/components/button";
import { Confirm } from "@/components/dialog";
import { isFinal } from "@/components/look";
import { Menu } from "@/components/menu";
import { say } from "@/components/toast";

/** The orchestrator may say no in an answer that is a success: then its reason is what people need. */
function report(result: OrchestrationResult, done: string, wanted: string[]): void {
  if (result.status === "ACCEPT" || wanted.includes(result.state?.type ?? "")) {
    say(done);
    return;
  }
  const details = result.details as { reason?: string | null };
  say(details.reason || "The run did not change.", { failed: true });
}

const fail = (error: Error) => say(error.message, { failed: true });

/** What can be done with a run as it stands. */
export function RunActions({ run }: { run: FlowRun }) {
  const navigate = useNavigate();
  const [asked, setAsked] = useState<"cancel" | "delete" | null>(null);
  const cancel = useCancelFlowRun();
  const retry = useRetryFlowRun();
  const resume = useResumeFlowRun();
  const remove = useDeleteFlowRun();
  const ended = isFinal(run.state_type);
  const close = () => setAsked(null);
  return (
    <>
      {run.state_type === "PAUSED" && (
        <Button
          look="ink"
          icon={<Play />}
          busy={resume.isPending}
          onClick={() =>
            resume.mutate(run.id, {
              onSuccess: (result) => report(result, "The run goes on.", ["RUNNING", "SCHEDULED"]),
              onError: fail,
            })
          }
        >
          Resume
        </Button>
      )}
      {!ended && (
        <Button icon={<Ban />} disabled={run.state_type === "CANCELLING"} onClick={() => setAsked("cancel")}>
          Cancel
        </Button>
      )}
      {ended && run.deployment_id && (
        <Button
          icon={<RotateCw />}
          busy={retry.isPending}
          onClick={() =>
            retry.mutate(run.id, {
              onSuccess: (result) => report(result, "The run is tried again.", ["SCHEDULED"]),
              onError: fail,
            })
          }
        >
          Retry
        </Button>
      )}
      <Menu
        label="More for this run"
        choices={[
          run.deployment_id !== null && {
            label: "Run again with changes…",
            icon: <SlidersHorizontal />,
            run: () =>
              navigate({
                to: "/deployments/$id/run",
                params: { id: run.deployment_id ?? "" },
                search: { like: run.id },
              }),
          },
          { label: "Delete…", icon: <Trash2 />, danger: true, run: () => setAsked("delete") },
        ]}
      />
      <Confirm
        open={asked === "cancel"}
        close={close}
        title={`Cancel ${run.name}?`}
        verb="Cancel the run"
        busy={cancel.isPending}
        confirm={() =>
          cancel.mutate(run.id, {
            onSuccess: (result) => report(result, `${run.name} is being cancelled.`, ["CANCELLING", "CANCELLED"]),
            onError: fail,
            onSettled: close,
          })
        }
      >
        Its process is ended, with everything it started. What has finished stays recorded.
      </Confirm>
      <Confirm
        open={asked === "delete"}
        close={close}
        title={`Delete ${run.name}?`}
        verb="Delete the run"
        danger
        busy={remove.isPending}
        confirm={() =>
          remove.mutate(run.id, {
            onSuccess: () => {
              say(`${run.name} is deleted.`);
              void navigate({ to: "/runs" });
            },
            onError: fail,
            onSettled: close,
          })
        }
      >
        Its task runs, logs and artifacts go with it. This cannot be undone.
      </Confirm>
    </>
  );
}
