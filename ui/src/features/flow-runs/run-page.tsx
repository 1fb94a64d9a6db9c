import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { artifactCount } from "@/api/artifacts";
import { deploymentDetail } from "@/api/deployments";
import { isLost } from "@/api/fetch";
import { flowRunDetail, flowRunGraph, flowRunStates } from "@/api/flow-runs";
import { flowDetail } from "@/api/flows";
import { logCount } from "@/api/logs";
import { taskRunCount } from "@/api/task-runs";
import type { FlowRun, Graph, LogFilter } from "@/api/types";
import { CopyId } from "@/components/copy";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { Json } from "@/components/json";
import { isFinal, lookOf } from "@/components/look";
import { Fact, Facts, Heading, Page, Panel, Tags } from "@/components/page";
import { Skeleton } from "@/components/skeleton";
import { State } from "@/components/state";
import { Tabs } from "@/components/tabs";
import { RelativeTime } from "@/components/time";
import { ArtifactCards } from "@/features/artifacts/artifact-cards";
import { LogView } from "@/features/logs/log-view";
import { Lost } from "@/features/shell/lost";
import { TaskRunList } from "@/features/task-runs/task-run-list";
import { formatShortCount, plural } from "@/format/quantity";
import type { RunPageSearch } from "@/routes/router";
import { RunActions } from "./run-actions";
import { RunCanvas } from "./run-canvas";
import { RunDuration, startOf } from "./run-columns";
import { StateHistory } from "./state-history";
import { Subflow } from "./subflow";

const route = getRouteApi("/runs/$id");

export function RunPage() {
  const { id } = route.useParams();
  const { data: run, error, refetch } = useQuery(flowRunDetail(id));
  if (isLost(error)) return <Lost />;
  if (error && !run) {
    return (
      <Page name="Run">
        <Failure error={error} retry={refetch} />
      </Page>
    );
  }
  if (!run) {
    return (
      <Page name="Run">
        <Skeleton className="h-7 w-64" />
        <Skeleton className="h-48 w-full rounded-lg" />
      </Page>
    );
  }
  return <Run key={id} run={run} />;
}

function Run({ run }: { run: FlowRun }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: flow } = useQuery(flowDetail(run.flow_id));
  const { data: deployment } = useQuery({
    ...deploymentDetail(run.deployment_id ?? ""),
    enabled: run.deployment_id !== null,
  });
  const turn = useCallback(
    (part: Partial<RunPageSearch>, replace = true) =>
      navigate({ search: (held) => ({ ...held, ...part }), replace, resetScroll: false }),
    [navigate],
  );
  return (
    <Page name={run.name}>
      <Heading
        above={
          <>
            <Link to="/flows/$id" params={{ id: run.flow_id }} className="link">
              {flow?.name ?? "…"}
            </Link>
            {run.deployment_id && (
              <>
                <span>/</span>
                <Link to="/deployments/$id" params={{ id: run.deployment_id }} className="link">
                  {deployment?.name ?? "…"}
                </Link>
              </>
            )}
            {run.parent_task_run_id && <Subflow taskRun={run.parent_task_run_id} />}
          </>
        }
        title={run.name}
        below={
          <>
            <State type={run.state_type} name={run.state_name} />
            <span>
              {run.start_time ? "began " : "expected "}
              <RelativeTime at={startOf(run)} />
            </span>
            {run.start_time && (
              <span>
                {isFinal(run.state_type) ? "ran for" : "for"} <RunDuration run={run} className="font-medium text-ink" />
              </span>
            )}
            {run.run_count > 1 && <span>{plural(run.run_count, "attempt")}</span>}
            <Tags tags={run.tags} />
          </>
        }
        actions={<RunActions run={run} />}
      />
      <Message run={run} />
      <RunCanvas
        run={run}
        view={search.view}
        chooseView={(view) => turn({ view })}
        selected={search.task}
        select={(task) => turn({ task: task ?? undefined })}
        showLogs={(task) => turn({ tab: undefined, task })}
        listTasks={(find) => turn({ tab: "tasks", find })}
      />
      <RunTabs run={run} search={search} turn={turn} />
    </Page>
  );
}

/** Why it ended as it did: what people came to read. */
function Message({ run }: { run: FlowRun }) {
  const { tone } = lookOf(run.state_type, run.state_name);
  const message = run.state?.message;
  if (!message || !["failed", "crashed", "waiting", "cancelled"].includes(tone)) return null;
  return (
    <div className={`tone-${tone} border-tone rounded-lg border bg-tone-soft px-4 py-2.5`}>
      <p className="max-h-60 overflow-y-auto whitespace-pre-wrap break-words font-mono text-xs leading-5">{message}</p>
    </div>
  );
}

interface RunTabsProps {
  run: FlowRun;
  search: RunPageSearch;
  turn: (part: Partial<RunPageSearch>, replace?: boolean) => void;
}

function RunTabs({ run, search, turn }: RunTabsProps) {
  const { tab = "logs", task, level, find } = search;
  const ofRun = useMemo<LogFilter>(() => ({ flow_run_id: { any_: [run.id] } }), [run.id]);
  // A subflow may be chosen too; its lines are on its own page.
  const { data: chosen } = useQuery({
    ...flowRunGraph(run.id),
    select: (graph) => graph.nodes.find(([id]) => id === task)?.[1],
  });
  const taskRun = chosen?.kind === "task-run" ? chosen.id : undefined;
  const scope = useMemo<LogFilter>(
    () => (taskRun ? { ...ofRun, task_run_id: { any_: [taskRun] } } : ofRun),
    [ofRun, taskRun],
  );
  const { data: lines } = useQuery(logCount(ofRun));
  const { data: tasks } = useQuery(taskRunCount({ task_runs: { flow_run_id: { any_: [run.id] } } }, run.id));
  const { data: artifacts } = useQuery(artifactCount({ flow_run_id: { any_: [run.id] } }));
  const short = (count: number | null | undefined) => (count ? formatShortCount(count) : undefined);
  const findTasks = useCallback((text: string | undefined) => turn({ find: text }), [turn]);
  const { data: names } = useQuery({ ...flowRunGraph(run.id), select: namesOf });
  const changeLogs = useCallback((part: Partial<RunPageSearch>) => turn(part), [turn]);
  return (
    <Tabs
      label="About this run"
      chosen={tab}
      choose={(name) => turn({ tab: name === "logs" ? undefined : name, find: undefined, level: undefined }, false)}
      tabs={[
        { name: "logs", label: "Logs", count: short(lines) },
        { name: "tasks", label: "Task runs", count: short(tasks) },
        { name: "artifacts", label: "Artifacts", count: short(artifacts) },
        { name: "parameters", label: "Parameters", count: short(Object.keys(run.parameters).length) },
        { name: "states", label: "States" },
        { name: "details", label: "Details" },
      ]}
    >
      {tab === "logs" && (
        <LogView
          scope={scope}
          level={level}
          find={find}
          change={changeLogs}
          live={!isFinal(run.state_type)}
          name={run.name}
          names={names}
          narrowed={taskRun && chosen ? { label: chosen.label, lift: () => turn({ task: undefined }) } : undefined}
        />
      )}
      {tab === "tasks" && <TaskRunList flowRun={run.id} find={find} change={findTasks} />}
      {tab === "artifacts" && <ArtifactCards filter={{ flow_run_id: { any_: [run.id] } }} />}
      {tab === "parameters" && <Parameters run={run} />}
      {tab === "states" && <States id={run.id} />}
      {tab === "details" && <Details run={run} />}
    </Tabs>
  );
}

const namesOf = (graph: Graph) =>
  new Map(graph.nodes.flatMap(([id, node]) => (node.kind === "task-run" ? [[id, node.label]] : [])));

function Parameters({ run }: { run: FlowRun }) {
  if (Object.keys(run.parameters).length === 0) {
    return (
      <Panel>
        <Empty title="This run was given no parameters" />
      </Panel>
    );
  }
  return <Json value={run.parameters} />;
}

function States({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(flowRunStates(id));
  if (error && !data) return <Failure error={error} retry={refetch} />;
  return data ? <StateHistory states={data} /> : <Skeleton className="w-1/2" />;
}

function Details({ run }: { run: FlowRun }) {
  return (
    <Panel className="p-4">
      <Facts>
        <Fact name="Id">
          <CopyId id={run.id} />
        </Fact>
        <Fact name="Created">
          <RelativeTime at={run.created} />
        </Fact>
        {(run.created_by?.display_value || run.auto_scheduled) && (
          <Fact name="Created by">{run.created_by?.display_value ?? "A schedule"}</Fact>
        )}
        <Fact name="Expected to start">
          <RelativeTime at={run.expected_start_time} />
        </Fact>
        <Fact name="Began">
          <RelativeTime at={run.start_time} />
        </Fact>
        <Fact name="Ended">
          <RelativeTime at={run.end_time} />
        </Fact>
        <Fact name="Attempts">{run.run_count}</Fact>
        <Fact name="Retries allowed">{run.empirical_policy?.retries ?? 0}</Fact>
        {run.flow_version && (
          <Fact name="Flow version">
            <span className="cut block" data-tip={run.flow_version}>
              {run.flow_version}
            </span>
          </Fact>
        )}
        {run.work_pool_name && (
          <Fact name="Work pool">
            <Link to="/work-pools/$name" params={{ name: run.work_pool_name }} className="link">
              {run.work_pool_name}
            </Link>
          </Fact>
        )}
        {run.work_queue_name && <Fact name="Queue">{run.work_queue_name}</Fact>}
        {run.infrastructure_pid && <Fact name="Process">{run.infrastructure_pid}</Fact>}
        {run.idempotency_key && <Fact name="Idempotency key">{run.idempotency_key}</Fact>}
        {run.job_variables && Object.keys(run.job_variables).length > 0 && (
          <Fact name="Job variables" wide>
            <Json value={run.job_variables} className="mt-1" />
          </Fact>
        )}
      </Facts>
    </Panel>
  );
}
