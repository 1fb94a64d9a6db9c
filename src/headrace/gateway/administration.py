"""What people and their tools may ask: look at, filter, change and delete every noun.

Lists are bounded: `page.limit` is at most 200 where the contract says so, and filters are always applied by the database.
All verbs raise `ObjectNotFound` for an id or name that does not exist in the workspace, `InvalidRequest` for a request that
cannot mean anything, and `Unavailable` when nothing answers in time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from headrace.gateway.automations import Automations
from headrace.gateway.blocks import Blocks
from headrace.gateway.event_log import EventLog
from headrace.gateway.limits import Limits
from headrace.gateway.occupancy import Occupancy
from headrace.gateway.overviews import Overviews
from headrace.gateway.searches import Searches
from headrace.gateway.variables import Variables
from headrace.gateway.webhooks import Webhooks
from headrace.schema.artifact import Artifact, ArtifactCollection, ArtifactCreate, ArtifactSort, ArtifactUpdate
from headrace.schema.deployment import (
    Deployment,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentSort,
    DeploymentUpdate,
)
from headrace.schema.event import Cursor
from headrace.schema.explanation import Explanation
from headrace.schema.filters import (
    ArtifactCollectionFilter,
    ArtifactFilter,
    LogFilter,
    ResultFilter,
    RunSelection,
    WorkerFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from headrace.schema.flow import Flow, FlowSort, FlowUpdate
from headrace.schema.graph import Graph
from headrace.schema.log import Log, LogCreate, LogSort, LogTail
from headrace.schema.loop import LoopStatus
from headrace.schema.result import ResultRecord
from headrace.schema.run import (
    FlowRun,
    FlowRunSort,
    FlowRunUpdate,
    Page,
    RunHistoryInterval,
    RunSpan,
    TaskRun,
    TaskRunSort,
    TaskRunUpdate,
)
from headrace.schema.schedule import (
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    ScheduleSpan,
)
from headrace.schema.state import State, StateType
from headrace.schema.task_worker import TaskWorker
from headrace.schema.wire import Labels
from headrace.schema.work_pool import (
    Worker,
    WorkPool,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
    WorkQueueCreate,
    WorkQueueUpdate,
)


class Administration(
    Variables, Blocks, Automations, Webhooks, Occupancy, Limits, Searches, Overviews, EventLog, Protocol
):
    """The verbs of administration, by noun."""

    # flows

    def read_flow(self, flow_id: UUID) -> Flow:
        """Return the flow."""
        ...

    def read_flow_by_name(self, name: str) -> Flow:
        """Return the flow of that name."""
        ...

    def list_flows(
        self, selection: RunSelection | None = None, sort: FlowSort = FlowSort.NAME_ASC, page: Page = Page()
    ) -> list[Flow]:
        """Return flows that the selection names, in order: flows with such runs, with such task runs."""
        ...

    def count_flows(self, selection: RunSelection | None = None) -> int:
        """Count flows that the selection names."""
        ...

    def update_flow(self, flow_id: UUID, update: FlowUpdate) -> None:
        """Replace the flow's tags."""
        ...

    def delete_flow(self, flow_id: UUID) -> None:
        """Delete the flow with its deployments and runs, their task runs, logs, artifacts, results and events."""
        ...

    # flow runs

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Return the flow run."""
        ...

    def list_flow_runs(
        self, selection: RunSelection | None = None, sort: FlowRunSort = FlowRunSort.ID_DESC, page: Page = Page()
    ) -> list[FlowRun]:
        """Return flow runs that the selection names, in order."""
        ...

    def count_flow_runs(self, selection: RunSelection | None = None) -> int:
        """Count flow runs that the selection names."""
        ...

    def flow_run_history(
        self, start: datetime, end: datetime, interval: float, selection: RunSelection | None = None
    ) -> list[RunHistoryInterval]:
        """Count flow runs by state in each interval of `interval` seconds between `start` and `end`.

        A run belongs to the interval of its expected start. At most 500 intervals.
        """
        ...

    def flow_run_lateness(self, selection: RunSelection | None = None) -> float | None:
        """Return how late the runs that the selection names began on average, in seconds; None when there are none.

        A run that waits is as late as it has been waiting since its expected start.
        """
        ...

    def list_flow_run_spans(
        self, selection: RunSelection | None = None, sort: FlowRunSort = FlowRunSort.ID_DESC, page: Page = Page()
    ) -> list[RunSpan]:
        """Return what a chart needs of flow runs that the selection names, in order. `page.limit` is at most 1,000."""
        ...

    def read_flow_run_graph(self, flow_run_id: UUID, since: datetime | None = None) -> Graph:
        """Return what ran in the flow run and what depended on what; with `since`, what had not ended by then.

        Raises `InvalidRequest` for a run of more than 10,000 nodes.
        """
        ...

    def explain_flow_run(self, flow_run_id: UUID) -> Explanation:
        """Return why the run is not running: the reasons, in the order of what to do first, each with the next step."""
        ...

    def label_flow_run(self, flow_run_id: UUID, labels: Labels) -> None:
        """Add labels; one with a key that is there already takes its place."""
        ...

    def update_flow_run(self, flow_run_id: UUID, update: FlowRunUpdate) -> None:
        """Change what the update names."""
        ...

    def delete_flow_run(self, flow_run_id: UUID) -> None:
        """Delete the run with its task runs, logs, artifacts, results and events."""
        ...

    def list_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        """Return every state the run was in, oldest first."""
        ...

    def read_flow_run_state(self, state_id: UUID) -> State:
        """Return the state with this id."""
        ...

    # task runs

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        """Return the task run."""
        ...

    def list_task_runs(
        self, selection: RunSelection | None = None, sort: TaskRunSort = TaskRunSort.ID_DESC, page: Page = Page()
    ) -> list[TaskRun]:
        """Return task runs that the selection names, in order."""
        ...

    def count_task_runs(self, selection: RunSelection | None = None) -> int:
        """Count task runs that the selection names."""
        ...

    def task_run_history(
        self, start: datetime, end: datetime, interval: float, selection: RunSelection | None = None
    ) -> list[RunHistoryInterval]:
        """Count task runs by state in intervals, as `flow_run_history` counts flow runs."""
        ...

    def count_task_runs_by_state(self, selection: RunSelection | None = None) -> dict[StateType, int]:
        """Count task runs that the selection names by the type of their state; a type without any is left out."""
        ...

    def count_task_runs_by_flow_run(self, flow_run_ids: list[UUID]) -> dict[UUID, int]:
        """Count the task runs of each of these flow runs, at most 200 of them."""
        ...

    def update_task_run(self, task_run_id: UUID, update: TaskRunUpdate) -> None:
        """Change what the update names."""
        ...

    def delete_task_run(self, task_run_id: UUID) -> None:
        """Delete the task run with its logs, artifacts, results and events."""
        ...

    def list_task_run_states(self, task_run_id: UUID) -> list[State]:
        """Return every state the task run was in, oldest first."""
        ...

    def read_task_run_state(self, state_id: UUID) -> State:
        """Return the state with this id."""
        ...

    # task workers

    def list_task_workers(self, task_keys: list[str] | None = None) -> list[TaskWorker]:
        """Return the workers of background tasks that are there, by name; of at least one of the tasks, if any are named."""
        ...

    # background loops

    def list_loops(self) -> list[LoopStatus]:
        """Return the background loops that were ever run over the database, by name, and which process has each."""
        ...

    # logs

    def create_logs(self, logs: list[LogCreate]) -> None:
        """Keep log lines, for clients that have no journal."""
        ...

    def list_logs(
        self, logs: LogFilter | None = None, sort: LogSort = LogSort.TIMESTAMP_ASC, page: Page = Page()
    ) -> list[Log]:
        """Return log lines in order of time; lines of the same instant in the order they were written."""
        ...

    def count_logs(self, logs: LogFilter | None = None) -> int:
        """Count log lines."""
        ...

    def tail_logs(self, logs: LogFilter | None = None, after: int | None = None) -> LogTail:
        """Return log lines in the order they were written, those after the place `after`, and the place to go on from.

        Without `after`: the place where the lines end now. A line that was being written while another after it was
        read may be passed over; whoever must not miss one begins a little before.
        """
        ...

    # events

    def find_cursor(self, since: datetime) -> Cursor:
        """Return a place in the log of events before everything that occurred since the instant.

        Events that came into the log more than a minute after they occurred may lie before it.
        """
        ...

    # artifacts

    def create_artifact(self, artifact: ArtifactCreate) -> Artifact:
        """Keep an artifact, for clients that have no journal."""
        ...

    def read_artifact(self, artifact_id: UUID) -> Artifact:
        """Return the artifact."""
        ...

    def read_latest_artifact(self, key: str) -> Artifact:
        """Return the newest artifact of the key."""
        ...

    def list_artifacts(
        self,
        artifacts: ArtifactFilter | None = None,
        selection: RunSelection | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        page: Page = Page(),
    ) -> list[Artifact]:
        """Return artifacts in order."""
        ...

    def count_artifacts(self, artifacts: ArtifactFilter | None = None, selection: RunSelection | None = None) -> int:
        """Count artifacts."""
        ...

    def list_latest_artifacts(
        self,
        artifacts: ArtifactCollectionFilter | None = None,
        selection: RunSelection | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        page: Page = Page(),
    ) -> list[ArtifactCollection]:
        """Return the newest artifact of each key."""
        ...

    def count_latest_artifacts(
        self, artifacts: ArtifactCollectionFilter | None = None, selection: RunSelection | None = None
    ) -> int:
        """Count the keys whose newest artifact is one of these."""
        ...

    def update_artifact(self, artifact_id: UUID, update: ArtifactUpdate) -> None:
        """Change what the update names."""
        ...

    def delete_artifact(self, artifact_id: UUID) -> None:
        """Delete the artifact; the version before it, if any, becomes the latest of its key."""
        ...

    # results

    def list_results(self, results: ResultFilter | None = None, page: Page = Page()) -> list[ResultRecord]:
        """Return records of kept values, newest first."""
        ...

    def read_result(self, storage_key: str) -> ResultRecord:
        """Return the newest record of the key."""
        ...

    def delete_result(self, storage_key: str) -> None:
        """Forget the records of the key. The value itself stays where it is: the server never touches values."""
        ...

    # deployments

    def create_deployment(self, deployment: DeploymentCreate) -> Deployment:
        """Create the deployment, or make the one of the same flow and name what the request says; return it.

        Runs made ahead that would be other ones now are made anew. Raises `ObjectNotFound` for a flow, work pool or
        queue that does not exist.
        """
        ...

    def read_deployment(self, deployment_id: UUID) -> Deployment:
        """Return the deployment."""
        ...

    def read_deployment_by_name(self, flow_name: str, name: str) -> Deployment:
        """Return the deployment of that name, of the flow of that name."""
        ...

    def list_deployments(
        self,
        selection: RunSelection | None = None,
        sort: DeploymentSort = DeploymentSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Deployment]:
        """Return deployments that the selection names, in order."""
        ...

    def count_deployments(self, selection: RunSelection | None = None) -> int:
        """Count deployments that the selection names."""
        ...

    def count_deployments_by_flow(self, flow_ids: list[UUID]) -> dict[UUID, int]:
        """Count the deployments of each of these flows, at most 200 of them."""
        ...

    def update_deployment(self, deployment_id: UUID, update: DeploymentUpdate) -> None:
        """Change what the update names; runs made ahead that would be other ones now are made anew."""
        ...

    def pause_deployment(self, deployment_id: UUID) -> None:
        """Let its schedules rest: runs they made that nobody has started are deleted."""
        ...

    def resume_deployment(self, deployment_id: UUID) -> None:
        """Let its schedules make runs again, from now on."""
        ...

    def delete_deployment(self, deployment_id: UUID) -> None:
        """Delete the deployment with its schedules; runs that nobody has started are deleted or cancelled."""
        ...

    def run_deployment(self, deployment_id: UUID, run: DeploymentFlowRunCreate) -> FlowRun:
        """Create a run of the deployment and return it; the same idempotency key again returns the run that exists.

        Raises `InvalidRequest` for parameters that do not fit the deployment's schema, where that is enforced.
        """
        ...

    def schedule_deployment(self, deployment_id: UUID, span: ScheduleSpan) -> int:
        """Make the runs of the deployment's schedules in a span that are not there yet, and return how many were made.

        None for a deployment that is paused.
        """
        ...

    def create_deployment_schedules(
        self, deployment_id: UUID, wanted: list[DeploymentScheduleCreate]
    ) -> list[DeploymentSchedule]:
        """Add schedules and return them. Raises `ObjectAlreadyExists` for a slug in use that is not to be replaced."""
        ...

    def update_deployment_schedule(
        self, deployment_id: UUID, schedule_id: UUID, update: DeploymentScheduleUpdate
    ) -> None:
        """Change what the update names; the runs made ahead for the schedule are made anew."""
        ...

    def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        """Delete the schedule, with the runs made for it that nobody has started."""
        ...

    # work pools

    def create_work_pool(self, pool: WorkPoolCreate) -> WorkPool:
        """Create a pool with a queue called `default`, and without a job template with that of its type, if it has one.

        Raises `ObjectAlreadyExists` for a name that is taken.
        """
        ...

    def read_work_pool(self, name: str) -> WorkPool:
        """Return the pool of that name."""
        ...

    def list_work_pools(self, wanted: WorkPoolFilter | None = None, page: Page = Page()) -> list[WorkPool]:
        """Return pools by name."""
        ...

    def count_work_pools(self, wanted: WorkPoolFilter | None = None) -> int:
        """Count pools."""
        ...

    def update_work_pool(self, name: str, update: WorkPoolUpdate) -> None:
        """Change what the update names. Nothing is given out of a pool that is paused."""
        ...

    def delete_work_pool(self, name: str) -> None:
        """Delete the pool with its queues and workers; its deployments and waiting runs have no place any more."""
        ...

    def create_work_queue(self, pool_name: str, queue: WorkQueueCreate) -> WorkQueue:
        """Create a queue. Raises `ObjectAlreadyExists` for a name that is taken in the pool."""
        ...

    def read_work_queue(self, queue_id: UUID) -> WorkQueue:
        """Return the queue."""
        ...

    def read_work_queue_by_name(self, pool_name: str, name: str) -> WorkQueue:
        """Return the queue of that name in the pool of that name."""
        ...

    def list_work_queues(
        self, pool_name: str | None = None, wanted: WorkQueueFilter | None = None, page: Page = Page()
    ) -> list[WorkQueue]:
        """Return queues of a pool or of all, those of the first priority first."""
        ...

    def update_work_queue(self, queue_id: UUID, update: WorkQueueUpdate) -> None:
        """Change what the update names. Raises `ObjectAlreadyExists` for a new name that is taken in the pool."""
        ...

    def delete_work_queue(self, queue_id: UUID) -> None:
        """Delete the queue; what waits in it goes to its pool's default queue, which cannot be deleted itself."""
        ...

    def list_workers(self, pool_name: str, wanted: WorkerFilter | None = None, page: Page = Page()) -> list[Worker]:
        """Return the workers of a pool, those that showed themselves last first."""
        ...

    def delete_worker(self, pool_name: str, name: str) -> None:
        """Forget the worker; it is there again as soon as it shows itself."""
        ...
