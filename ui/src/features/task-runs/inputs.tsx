import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { taskRunPage } from "@/api/task-runs";
import type { TaskRun } from "@/api/types";
import { Panel } from "@/components/page";
import { StateIcon } from "@/components/state";

interface Source {
  input_type: string;
  id?: string;
  name?: string;
  type?: string;
}

/** Where each argument came from: other runs, the flow's parameters, or the code. */
export function Inputs({ task }: { task: TaskRun }) {
  const inputs = Object.entries(task.task_inputs as Record<string, Source[]>);
  const ids = inputs.flatMap(([, sources]) =>
    sources.flatMap((source) => (source.input_type === "task_run" && source.id ? [source.id] : [])),
  );
  const { data } = useQuery({
    ...taskRunPage({ task_runs: { id: { any_: ids.slice(0, 200) } } }, "NAME_ASC", 0, 200),
    enabled: ids.length > 0,
  });
  const known = new Map(data?.map((one) => [one.id, one]));
  return (
    <Panel>
      <dl>
        {inputs.map(([name, sources]) => (
          <div key={name} className="flex flex-wrap gap-x-6 gap-y-1 border-line border-b px-4 py-2.5 last:border-0">
            <dt className="w-40 shrink-0 break-words font-medium font-mono text-xs leading-5">{name}</dt>
            <dd className="flex min-w-0 flex-1 flex-wrap gap-x-4 gap-y-1">
              {sources.length === 0 && <span className="text-ink-3">a value in the code</span>}
              {sources.map((source, index) => (
                <SourceLine key={index} source={source} task={source.id ? known.get(source.id) : undefined} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function SourceLine({ source, task }: { source: Source; task: TaskRun | undefined }) {
  if (source.input_type === "task_run" && source.id) {
    return (
      <Link to="/task-runs/$id" params={{ id: source.id }} className="link inline-flex items-center gap-1.5">
        {task && <StateIcon type={task.state_type} name={task.state_name} />}
        {task?.name ?? `${source.id.slice(0, 8)}…`}
      </Link>
    );
  }
  if (source.input_type === "flow_run" && source.id) {
    return (
      <Link to="/runs/$id" params={{ id: source.id }} className="link">
        a flow run
      </Link>
    );
  }
  if (source.input_type === "parameter") return <span>the flow's parameter {source.name}</span>;
  return <span className="text-ink-2">a {source.type ?? "value"} in the code</span>;
}
