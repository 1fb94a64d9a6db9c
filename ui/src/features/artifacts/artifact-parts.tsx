import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useDeleteArtifact } from "@/api/artifacts";
import { useFlowRunNames } from "@/api/flow-runs";
import { taskRunDetail } from "@/api/task-runs";
import type { Artifact } from "@/api/types";
import { CopyId } from "@/components/copy";
import { Confirm } from "@/components/dialog";
import { Menu } from "@/components/menu";
import { Fact, Facts } from "@/components/page";
import { RelativeTime } from "@/components/time";
import { say } from "@/components/toast";

export function ArtifactFacts({ artifact }: { artifact: Artifact }) {
  const runs = useFlowRunNames([artifact.flow_run_id]);
  const { data: task } = useQuery({
    ...taskRunDetail(artifact.task_run_id ?? ""),
    enabled: artifact.task_run_id !== null,
    retry: false,
  });
  return (
    <Facts className="border-line border-t bg-bed/60 px-4 py-3.5">
      <Fact name="Left by">
        {artifact.flow_run_id ? (
          <Link to="/runs/$id" params={{ id: artifact.flow_run_id }} search={{ tab: "artifacts" }} className="link">
            {runs.get(artifact.flow_run_id) ?? "…"}
          </Link>
        ) : (
          "no run"
        )}
      </Fact>
      {task && (
        <Fact name="In the task run">
          <Link to="/task-runs/$id" params={{ id: task.id }} className="link">
            {task.name}
          </Link>
        </Fact>
      )}
      <Fact name="Created">
        <RelativeTime at={artifact.created} />
      </Fact>
      <Fact name="Id">
        <CopyId id={artifact.id} />
      </Fact>
    </Facts>
  );
}

export function ArtifactMenu({ artifact, after }: { artifact: Artifact; after: () => void }) {
  const [asked, setAsked] = useState(false);
  const remove = useDeleteArtifact();
  const navigate = useNavigate();
  return (
    <>
      <Menu
        label="More for this artifact"
        choices={[{ label: "Delete this version…", icon: <Trash2 />, danger: true, run: () => setAsked(true) }]}
      />
      <Confirm
        open={asked}
        close={() => setAsked(false)}
        title="Delete this version?"
        verb="Delete it"
        danger
        busy={remove.isPending}
        confirm={() =>
          remove.mutate(artifact.id, {
            onSuccess: () => {
              say("The version is deleted.");
              after();
              if (!artifact.key) void navigate({ to: "/artifacts" });
            },
            onError: (error) => say(error.message, { failed: true }),
            onSettled: () => setAsked(false),
          })
        }
      >
        The version before it, if there is one, becomes the latest. This cannot be undone.
      </Confirm>
    </>
  );
}
