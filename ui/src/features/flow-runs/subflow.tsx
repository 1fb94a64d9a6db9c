import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useFlowRunNames } from "@/api/flow-runs";
import { taskRunDetail } from "@/api/task-runs";

/** The way up from a subflow run to the run that called it. */
export function Subflow({ taskRun }: { taskRun: string }) {
  const { data: task } = useQuery(taskRunDetail(taskRun));
  const names = useFlowRunNames([task?.flow_run_id]);
  if (!task?.flow_run_id) return null;
  return (
    <>
      <span>· subflow of</span>
      <Link to="/runs/$id" params={{ id: task.flow_run_id }} className="link">
        {names.get(task.flow_run_id) ?? "…"}
      </Link>
    </>
  );
}
