import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { artifactCount } from "@/api/artifacts";
import { isLost } from "@/api/fetch";
import { flowRunDetail } from "@/api/flow-runs";
import { logCount } from "@/api/logs";
import { taskRunDetail, taskRunStates } from "@/api/task-runs";
import type { LogFilter, TaskRun } from "@/api/types";
import { buttonClass } from "@/components/button";
import { CopyId } from "@/components/copy";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { isFinal, lookOf } from "@/components/look";
import { Fact, Facts, Heading, Page, Panel, Tags } from "@/components/page";
import { Skeleton } from "@/components/skeleton";
import { State } from "@/components/state";
import { Tabs } from "@/components/tabs";
import { Duration, RelativeTime } from "@/components/time";
import { ArtifactCards } from "@/features/artifacts/artifact-cards";
import { StateHistory } from "@/features/flow-runs/state-history";
import { LogView } from "@/features/logs/log-view";
import { Lost } from "@/features/shell/lost";
import { formatDuration } from "@/format/duration";
import { formatShortCount, plural } from "@/format/quantity";
import type { TaskPageSearch } from "@/routes/router";
import { Inputs } from "./inputs";

const route = getRouteApi("/task-runs/$id");

export function TaskRunPage() {
  const { id } = route.useParams();
  const { data: task, error, refetch } = useQuery(taskRunDetail(id));
  if (isLost(error)) return <Lost />;
  if (task) return <Task key={id} task={task} />;
  return (
    <Page name="Task run">{error ? <Failure error={error} retry={refetch} /> : <Skeleton className="h-7 w-64" />}</Page>
  );
}

function Task({ task }: { task: TaskRun }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: run } = useQuery({ ...flowRunDetail(task.flow_run_id ?? ""), enabled: task.flow_run_id !== null });
  const turn = useCallback(
    (part: Partial<TaskPageSearch>) =>
      navigate({ search: (held) => ({ ...held, ...part }), replace: true, resetScroll: false }),
    [navigate],
  );
  const { tone } = lookOf(task.state_type, task.state_name);
  return (
    <Page name={task.name}>
      <Heading
        above={
          task.flow_run_id && (
            <Link to="/runs/$id" params={{ id: task.flow_run_id }} className="link">
              {run?.name ?? "…"}
            </Link>
          )
        }
        title={task.name}
        below={
          <>
            <State type={task.state_type} name={task.state_name} />
            {task.start_time && (
              <span>
                began <RelativeTime at={task.start_time} />
              </span>
            )}
            {task.start_time && (
              <span>
                ran for{" "}
                <Duration
                  from={task.start_time}
                  to={task.end_time}
                  running={!isFinal(task.state_type)}
                  className="font-medium text-ink"
                />
              </span>
            )}
            {task.run_count > 1 && <span>{plural(task.run_count, "attempt")}</span>}
            <Tags tags={task.tags} />
          </>
        }
        actions={
          task.flow_run_id && (
            <Link to="/runs/$id" params={{ id: task.flow_run_id }} search={{ task: task.id }} className={buttonClass()}>
              In the timeline
            </Link>
          )
        }
      />
      {task.state?.message && tone !== "completed" && (
        <div className={`tone-${tone} border-tone rounded-lg border bg-tone-soft px-4 py-2.5`}>
          <p className="max-h-72 overflow-y-auto whitespace-pre-wrap break-words font-mono text-xs leading-5">
            {task.state.message}
          </p>
        </div>
      )}
      <TaskTabs task={task} search={search} turn={turn} />
    </Page>
  );
}

function TaskTabs({
  task,
  search,
  turn,
}: {
  task: TaskRun;
  search: TaskPageSearch;
  turn: (part: Partial<TaskPageSearch>) => void;
}) {
  const { tab = "logs", level, find } = search;
  const scope = useMemo<LogFilter>(() => ({ task_run_id: { any_: [task.id] } }), [task.id]);
  const { data: lines } = useQuery(logCount(scope));
  const { data: artifacts } = useQuery(artifactCount({ task_run_id: { any_: [task.id] } }));
  const { data: states, error, refetch } = useQuery(taskRunStates(task.id));
  const inputs = Object.keys(task.task_inputs ?? {}).length;
  return (
    <Tabs
      label="About this task run"
      chosen={tab}
      choose={(name) => turn({ tab: name === "logs" ? undefined : name })}
      tabs={[
        { name: "logs", label: "Logs", count: lines ? formatShortCount(lines) : undefined },
        { name: "inputs", label: "Inputs", count: inputs || undefined },
        { name: "artifacts", label: "Artifacts", count: artifacts || undefined },
        { name: "states", label: "States" },
        { name: "details", label: "Details" },
      ]}
    >
      {tab === "logs" && (
        <LogView
          scope={scope}
          level={level}
          find={find}
          change={turn}
          live={!isFinal(task.state_type)}
          name={task.name}
        />
      )}
      {tab === "inputs" &&
        (inputs ? (
          <Inputs task={task} />
        ) : (
          <Panel>
            <Empty title="This task run was given no inputs" />
          </Panel>
        ))}
      {tab === "artifacts" && <ArtifactCards filter={{ task_run_id: { any_: [task.id] } }} />}
      {tab === "states" &&
        (error && !states ? (
          <Failure error={error} retry={refetch} />
        ) : states ? (
          <StateHistory states={states} />
        ) : (
          <Skeleton className="w-1/2" />
        ))}
      {tab === "details" && <Details task={task} />}
    </Tabs>
  );
}

function Details({ task }: { task: TaskRun }) {
  const delay = task.empirical_policy?.retry_delay;
  return (
    <Panel className="p-4">
      <Facts>
        <Fact name="Id">
          <CopyId id={task.id} />
        </Fact>
        <Fact name="Task">{task.task_key}</Fact>
        <Fact name="Call">{task.dynamic_key}</Fact>
        <Fact name="Created">
          <RelativeTime at={task.created} />
        </Fact>
        <Fact name="Began">
          <RelativeTime at={task.start_time} />
        </Fact>
        <Fact name="Ended">
          <RelativeTime at={task.end_time} />
        </Fact>
        <Fact name="Attempts">{task.run_count}</Fact>
        <Fact name="Retries allowed">{task.empirical_policy?.retries ?? 0}</Fact>
        <Fact name="Delay between them">
          {Array.isArray(delay) ? delay.map((part) => formatDuration(part)).join(", ") : formatDuration(delay ?? null)}
        </Fact>
        <Fact name="Version">{task.task_version ?? "–"}</Fact>
        {task.cache_key && (
          <Fact name="Cache key" wide>
            <code className="break-all font-mono text-xs">{task.cache_key}</code>
          </Fact>
        )}
        {task.cache_expiration && (
          <Fact name="Cached until">
            <RelativeTime at={task.cache_expiration} />
          </Fact>
        )}
      </Facts>
    </Panel>
  );
}
