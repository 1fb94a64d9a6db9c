"""An administration over lists in memory: the verbs and filters that the command line uses, and no others.

Time passes where the command line waits: then the next of the moments that the test has laid up happens.
"""

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

from headrace.base.errors import ObjectNotFound, Unavailable
from headrace.base.settings import Settings
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.artifact import Artifact, ArtifactCollection, ArtifactSort
from headrace.schema.checkpoint import Reopening
from headrace.schema.explanation import Explanation
from headrace.schema.filters import (
    ArtifactCollectionFilter,
    ArtifactFilter,
    FlowFilter,
    IdFilter,
    LogFilter,
    RunSelection,
    StateFilter,
    TextFilter,
)
from headrace.schema.flow import Flow, FlowSort
from headrace.schema.log import Log, LogSort, LogTail
from headrace.schema.loop import LoopStatus
from headrace.schema.orchestration import Claim, Decision, Proposal
from headrace.schema.run import FlowRun, FlowRunSort, Page, RunTimes, TaskRun, TaskRunSort
from headrace.schema.state import State, StateType
from headrace.schema.wire import Stored
from tests.unit.cli.memory_automations import AutomationMemory
from tests.unit.cli.memory_places import DeploymentMemory, PoolMemory, VariableMemory, WebhookMemory

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Thing = TypeVar("Thing", bound=Stored)


def number(value: int) -> UUID:
    """An id that reads as its number."""
    return UUID(int=(0x7 << 76) | (0x2 << 62) | value)


def at(seconds: float) -> datetime:
    """The instant `seconds` before now."""
    return NOW - timedelta(seconds=seconds)


class MemoryAdministration(PoolMemory, DeploymentMemory, VariableMemory, AutomationMemory, WebhookMemory):
    """Holds what a test puts into it."""

    def __init__(self) -> None:
        super().__init__()
        self.flows: dict[UUID, Flow] = {}
        self.flow_runs: dict[UUID, FlowRun] = {}
        self.task_runs: dict[UUID, TaskRun] = {}
        self.states: dict[UUID, list[State]] = {}
        self.logs: list[Log] = []
        self.artifacts: dict[UUID, Artifact] = {}
        self.loops: list[LoopStatus] = []
        self.pages: list[Page] = []
        self.moments: list[Callable[[], object]] = []
        self.waits: list[float] = []
        self.outage: Unavailable | None = None
        self.decide: Callable[[Proposal], Decision] | None = None
        self.resume: Callable[[UUID, dict[str, Any] | None], Decision] | None = None
        self.reopen: Callable[[Reopening], Claim] | None = None
        self.explanations: dict[UUID, Explanation] = {}

    @contextmanager
    def open(self, settings: Settings | None = None) -> Generator[Administration]:
        yield cast("Administration", self)

    @contextmanager
    def open_execution(self, settings: Settings | None = None) -> Generator[Execution]:
        yield cast("Execution", self)

    def list_loops(self) -> list[LoopStatus]:
        return self.loops

    def pass_time(self, seconds: float) -> None:
        """What happens while the command line waits."""
        assert self.moments, "nothing is going to happen any more"
        self.waits.append(seconds)
        self.moments.pop(0)()

    # what the tests put in

    def add_flow(self, value: int, name: str) -> Flow:
        flow = self.flows[number(value)] = Flow(id=number(value), name=name, created=at(3600))
        return flow

    def add_flow_run(self, value: int, flow: Flow, name: str, kind: StateType, **more: Any) -> FlowRun:
        more = {"created": at(100), **more}
        run = self.flow_runs[number(value)] = FlowRun(id=number(value), flow_id=flow.id, name=name, **more)
        self._enter(run, kind, more.get("state_name"))
        return run

    def add_task_run(self, value: int, run: FlowRun, name: str, kind: StateType, **more: Any) -> TaskRun:
        more = {"task_key": name.partition("-")[0], "dynamic_key": str(value), "created": at(90), **more}
        task_run = TaskRun(id=number(value), flow_run_id=run.id, name=name, **more)
        self.task_runs[task_run.id] = task_run
        self._enter(task_run, kind, more.get("state_name"))
        return task_run

    def add_log(self, value: int, message: str, level: int = 20, **more: Any) -> None:
        timestamp = at(1000 - value)
        self.logs.append(
            Log(id=number(value), name="flow_runs", level=level, message=message, timestamp=timestamp, **more)
        )

    def add_artifact(self, value: int, kind: str, data: Any, **more: Any) -> Artifact:
        artifact = Artifact(id=number(value), type=kind, data=data, created=at(60), **more)
        self.artifacts[artifact.id] = artifact
        return artifact

    def enter(self, run: RunTimes, kind: StateType, message: str | None = None, ago: float = 0) -> None:
        """Put a run into its next state."""
        state = State(type=kind, id=number(len(self.states[run.id]) + 8000), timestamp=at(ago), message=message)
        run.state, run.state_type, run.state_name, run.state_id = state, kind, state.name, state.id
        self.states[run.id] = [*self.states[run.id], state]

    def _enter(self, run: RunTimes, kind: StateType, name: str | None) -> None:
        state = State(type=kind, name=name, id=number(run.id.int % 2**32 + 9000), timestamp=at(50))
        run.state, run.state_type, run.state_name, run.state_id = state, kind, state.name, state.id
        self.states[run.id] = [State(type=StateType.PENDING, timestamp=at(60)), state]

    # the verbs

    def list_flows(
        self, selection: RunSelection | None = None, sort: FlowSort = FlowSort.NAME_ASC, page: Page = Page()
    ) -> list[Flow]:
        wanted = selection.flows if selection else None
        return self._page([flow for flow in self._sorted(self.flows) if _has_flow(wanted, flow)], page)

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        if self.outage is not None:
            raise self.outage
        return _find(self.flow_runs, flow_run_id, "flow run")

    def explain_flow_run(self, flow_run_id: UUID) -> Explanation:
        return self.explanations[flow_run_id]

    def list_flow_runs(
        self, selection: RunSelection | None = None, sort: FlowRunSort = FlowRunSort.ID_DESC, page: Page = Page()
    ) -> list[FlowRun]:
        found = self._select_flow_runs(selection or RunSelection())
        if sort is FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC:
            found.sort(key=lambda run: run.next_scheduled_start_time or NOW)
        if sort is FlowRunSort.START_TIME_DESC:
            beginning = datetime.min.replace(tzinfo=UTC)
            found.sort(key=lambda run: run.start_time or beginning, reverse=True)
        return self._page(found, page)

    def count_flow_runs(self, selection: RunSelection | None = None) -> int:
        return len(self._select_flow_runs(selection or RunSelection()))

    def delete_flow_run(self, flow_run_id: UUID) -> None:
        del self.flow_runs[flow_run_id]

    def list_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        return self.states[flow_run_id]

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        return _find(self.task_runs, task_run_id, "task run")

    def list_task_runs(
        self, selection: RunSelection | None = None, sort: TaskRunSort = TaskRunSort.ID_DESC, page: Page = Page()
    ) -> list[TaskRun]:
        return self._page(self._select_task_runs(selection or RunSelection()), page)

    def count_task_runs_by_state(self, selection: RunSelection | None = None) -> dict[StateType, int]:
        counts = Counter(run.state_type for run in self._select_task_runs(selection or RunSelection()))
        return {kind: counts[kind] for kind in StateType if counts[kind]}

    def list_task_run_states(self, task_run_id: UUID) -> list[State]:
        return self.states[task_run_id]

    def list_logs(
        self, logs: LogFilter | None = None, sort: LogSort = LogSort.TIMESTAMP_ASC, page: Page = Page()
    ) -> list[Log]:
        logs = logs or LogFilter()
        found = [
            line
            for line in self.logs
            if _has_id(logs.flow_run_id, line.flow_run_id) and _has_id(logs.task_run_id, line.task_run_id)
        ]
        found.sort(key=lambda line: line.timestamp, reverse=sort is LogSort.TIMESTAMP_DESC)
        return self._page(found, page)

    def tail_logs(self, logs: LogFilter | None = None, after: int | None = None) -> LogTail:
        """A page is small here, so that a test need not write many lines to fill one."""
        logs = logs or LogFilter()
        end = len(self.logs)
        if after is None or after >= end:
            return LogTail(logs=[], place=end)
        places = [place for place in range(after, end) if _has_id(logs.flow_run_id, self.logs[place].flow_run_id)][:120]
        place = places[-1] + 1 if len(places) == 120 else end
        return LogTail(logs=[self.logs[place] for place in places], place=place)

    def propose_flow_run_state(self, proposal: Proposal) -> Decision:
        assert self.decide is not None
        return self.decide(proposal)

    def resume_flow_run(self, flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> Decision:
        assert self.resume is not None
        return self.resume(flow_run_id, run_input)

    def reopen_flow_run(self, request: Reopening) -> Claim:
        assert self.reopen is not None
        return self.reopen(request)

    def read_artifact(self, artifact_id: UUID) -> Artifact:
        return _find(self.artifacts, artifact_id, "artifact")

    def read_latest_artifact(self, key: str) -> Artifact:
        found = [artifact for artifact in self._sorted(self.artifacts) if artifact.key == key]
        if not found:
            raise ObjectNotFound(f"There is no artifact with the key {key!r}.")
        return found[0]

    def delete_artifact(self, artifact_id: UUID) -> None:
        del self.artifacts[artifact_id]

    def list_artifacts(
        self,
        artifacts: ArtifactFilter | None = None,
        selection: RunSelection | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        page: Page = Page(),
    ) -> list[Artifact]:
        return self._page(self._select_artifacts(artifacts or ArtifactFilter()), page)

    def count_artifacts(self, artifacts: ArtifactFilter | None = None, selection: RunSelection | None = None) -> int:
        return len(self._select_artifacts(artifacts or ArtifactFilter()))

    def list_latest_artifacts(
        self,
        artifacts: ArtifactCollectionFilter | None = None,
        selection: RunSelection | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        page: Page = Page(),
    ) -> list[ArtifactCollection]:
        wanted = artifacts or ArtifactCollectionFilter()
        latest: dict[str, Artifact] = {}
        for artifact in self._sorted(self.artifacts):
            if artifact.key is not None and _has_id(wanted.flow_run_id, artifact.flow_run_id):
                latest.setdefault(artifact.key, artifact)
        collections = [
            ArtifactCollection(
                id=number(artifact.id.int % 2**32 + 5000),
                latest_id=artifact.id,
                key=artifact.key,
                type=artifact.type,
                created=artifact.created,
            )
            for artifact in latest.values()
        ]
        return self._page(collections, page)

    # how they choose

    def _page(self, things: list[Thing], page: Page) -> list[Thing]:
        assert page.limit <= 200, "the contract's lists end at 200"
        self.pages.append(page)
        return things[page.offset : page.offset + page.limit]

    def _sorted(self, things: dict[UUID, Thing]) -> list[Thing]:
        return sorted(things.values(), key=lambda thing: thing.id, reverse=True)

    def _select_flow_runs(self, selection: RunSelection) -> list[FlowRun]:
        wanted = selection.flow_runs

        def chosen(run: FlowRun) -> bool:
            if not _has_flow(selection.flows, self.flows[run.flow_id]):
                return False
            pools, queues = selection.work_pools, selection.work_pool_queues
            if pools is not None and not _has_text(pools.name, run.work_pool_name):
                return False
            if queues is not None and not _has_id(queues.id, run.work_queue_id):
                return False
            if wanted is None:
                return True
            due = wanted.next_scheduled_start_time
            if due is not None and due.before_ is not None:
                start = run.next_scheduled_start_time
                if start is None or start > due.before_:
                    return False
            parent = self.task_runs[run.parent_task_run_id].flow_run_id if run.parent_task_run_id else None
            return (
                _has_text(wanted.name, run.name)
                and _has_state(wanted.state, run)
                and _has_id(wanted.parent_flow_run_id, parent)
                and _has_id(wanted.deployment_id, run.deployment_id)
            )

        return list(filter(chosen, self._sorted(self.flow_runs)))

    def _select_task_runs(self, selection: RunSelection) -> list[TaskRun]:
        wanted = selection.task_runs

        def chosen(run: TaskRun) -> bool:
            return wanted is None or (
                _has_id(wanted.id, run.id)
                and _has_text(wanted.name, run.name)
                and _has_state(wanted.state, run)
                and _has_id(wanted.flow_run_id, run.flow_run_id)
            )

        return list(filter(chosen, self._sorted(self.task_runs)))

    def _select_artifacts(self, wanted: ArtifactFilter) -> list[Artifact]:
        return [
            artifact
            for artifact in self._sorted(self.artifacts)
            if _has_id(wanted.flow_run_id, artifact.flow_run_id)
            and _has_id(wanted.task_run_id, artifact.task_run_id)
            and _has_text(wanted.key, artifact.key)
        ]


def _find(things: dict[UUID, Thing], wanted: UUID, noun: str) -> Thing:
    if wanted not in things:
        raise ObjectNotFound(f"There is no {noun} {wanted}.")
    return things[wanted]


def _has_id(wanted: IdFilter | None, value: UUID | None) -> bool:
    return wanted is None or wanted.any_ is None or value in wanted.any_


def _has_text(wanted: TextFilter | None, value: str | None) -> bool:
    return wanted is None or wanted.any_ is None or value in wanted.any_


def _has_state(wanted: StateFilter | None, run: RunTimes) -> bool:
    if wanted is None:
        return True
    types = wanted.type.any_ if wanted.type else None
    return _has_text(wanted.name, run.state_name) and (types is None or run.state_type in types)


def _has_flow(wanted: FlowFilter | None, flow: Flow) -> bool:
    return wanted is None or (_has_id(wanted.id, flow.id) and _has_text(wanted.name, flow.name))
