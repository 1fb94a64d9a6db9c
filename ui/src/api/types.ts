/** Names for the shapes of the wire, as the generated types know them. They are not mirrored: the wire's names are ours. */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** An answer carries every field that its type names, whether the type calls it required or not. */
type Whole<T> = T extends (infer Item)[]
  ? Whole<Item>[]
  : T extends object
    ? { [Name in keyof T]-?: Whole<T[Name]> }
    : T;

export type StateType = Schemas["StateType"];
export type State = Whole<Schemas["State"]>;
export type Flow = Whole<Schemas["Flow"]>;
export type FlowRun = Whole<Schemas["FlowRun"]>;
export type TaskRun = Whole<Schemas["TaskRun"]>;
export type Log = Whole<Schemas["Log"]>;
export type Artifact = Whole<Schemas["Artifact"]>;
/** The newest artifact of a key: unlike others, it has one. */
export type ArtifactCollection = Whole<Schemas["ArtifactCollection"]> & { key: string };
export type HistoryInterval = Whole<Schemas["RunHistoryInterval"]>;
export type ServerFacts = Whole<Schemas["ServerFacts"]>;
export type UiSettings = Whole<Schemas["UiSettings"]>;
export type RunNews = { kind: string; id: string; flow_run_id: string | null };
export type OrchestrationResult = Whole<Schemas["OrchestrationResult"]>;

/** A schedule is one of three kinds, told apart by what it names. */
export type IntervalSchedule = { interval: number; anchor_date?: string; timezone?: string | null };
export type CronSchedule = { cron: string; timezone?: string | null; day_or?: boolean };
export type RRuleSchedule = { rrule: string; timezone?: string | null };
export type Schedule = IntervalSchedule | CronSchedule | RRuleSchedule;

type Scheduled<T> = Omit<T, "schedule"> & { schedule: Schedule };

export type Deployment = Whole<Omit<Schemas["Deployment"], "schedules">> & { schedules: DeploymentSchedule[] };
export type DeploymentUpdate = Schemas["DeploymentUpdate"];
export type DeploymentFlowRunCreate = Schemas["DeploymentFlowRunCreate"];
export type DeploymentSchedule = Scheduled<Whole<Schemas["DeploymentSchedule"]>>;
export type DeploymentScheduleCreate = Scheduled<Schemas["DeploymentScheduleCreate"]>;
export type DeploymentScheduleUpdate = Partial<Scheduled<Schemas["DeploymentScheduleUpdate"]>>;

export type WorkPool = Whole<Schemas["WorkPool"]>;
export type WorkPoolCreate = Schemas["WorkPoolCreate"];
export type WorkPoolUpdate = Schemas["WorkPoolUpdate"];
export type WorkQueue = Whole<Schemas["WorkQueue"]>;
export type WorkQueueCreate = Schemas["WorkQueueCreate"];
export type WorkQueueUpdate = Schemas["WorkQueueUpdate"];
export type Worker = Whole<Schemas["Worker"]>;
export type WorkerKind = Whole<Schemas["WorkerKind"]>;

export type FlowFilter = Schemas["FlowFilter"];
export type FlowRunFilter = Schemas["FlowRunFilter"];
export type TaskRunFilter = Schemas["TaskRunFilter"];
export type DeploymentFilter = Schemas["DeploymentFilter"];
export type WorkPoolFilter = Schemas["WorkPoolFilter"];
export type LogFilter = Schemas["LogFilter"];
export type ArtifactFilter = Schemas["ArtifactFilter"];
export type FlowRunSort = Schemas["FlowRunSort"];
export type TaskRunSort = Schemas["TaskRunSort"];

/** Which runs, by what they belong to and what they are: the body of every list and count of runs. */
export interface Selection {
  flows?: FlowFilter;
  flow_runs?: FlowRunFilter;
  task_runs?: TaskRunFilter;
  deployments?: DeploymentFilter;
  work_pools?: WorkPoolFilter;
}

/** One stretch of a task run's life on the way to its end. */
export interface Attempt {
  start_time: string;
  end_time: string | null;
  state_type: StateType;
  state_name?: string | null;
}

/** A node of a run's graph: the contract's, with what our server adds to it. */
export interface GraphNode {
  id: string;
  kind: "flow-run" | "task-run";
  label: string;
  state_type: StateType;
  state_name?: string | null;
  task_key?: string | null;
  start_time: string | null;
  end_time: string | null;
  parents: { id: string }[];
  /** The task runs in which it was called. */
  encapsulating?: { id: string }[];
  children: { id: string }[];
  attempts?: Attempt[];
}

export interface Graph {
  start_time: string | null;
  end_time: string | null;
  root_node_ids: string[];
  nodes: [string, GraphNode][];
  states: { id: string; timestamp: string; type: StateType; name: string }[];
  artifacts: { id: string; created: string; key: string | null; type: string | null }[];
}
