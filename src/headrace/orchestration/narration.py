"""Events of the contract, derived from the log: each state a run entered is one, told with what the run is part of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from headrace.base.clock import now
from headrace.base.ids import state_id, state_ordinal
from headrace.gateway.administration import Administration
from headrace.rules.bookkeeping import number_before
from headrace.rules.chains import pick_cause
from headrace.schema.deployment import Deployment
from headrace.schema.event import LoggedEvent
from headrace.schema.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    RunSelection,
    TaskRunFilter,
)
from headrace.schema.flow import Flow
from headrace.schema.run import AUTOMATION_TYPE, FlowRun, Page, TaskRun
from headrace.schema.state import State
from headrace.schema.wire import Stored
from headrace.schema.wire_event import FLOW_RUN, ID, NAME, ROLE, TASK_RUN, Resource, WireEvent

PREFIXES = {"flow-run": FLOW_RUN, "task-run": TASK_RUN, "custom": ""}
"""With what the names of events begin, by the kind of what is logged."""

MOST_KNOWN = 2_000
"""How many runs are remembered, so that not every event asks for its run anew."""

MAKER = "creator"
"""The role of who made a run."""

S = TypeVar("S", bound=Stored)


class Narrator:
    """Tells logged events in the contract's form. Asks the administration, so it blocks."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._flows: dict[UUID, Flow] = {}
        self._flow_runs: dict[UUID, FlowRun] = {}
        self._deployments: dict[UUID, Deployment] = {}

    def tell(self, logged: Sequence[LoggedEvent]) -> list[WireEvent]:
        """The events, in the order of the log. Those of runs that are gone are left out."""
        return [event for _, told in self.tell_each(logged) for event in told]

    def tell_each(self, logged: Sequence[LoggedEvent]) -> list[tuple[LoggedEvent, list[WireEvent]]]:
        """What is logged with the events it makes, in the order of the log."""
        task_runs = self._find_task_runs(event.subject_id for event in logged if event.kind == "task-run")
        self._learn_flow_runs(event.flow_run_id for event in logged if event.flow_run_id is not None)
        return [(event, self._tell_one(event, task_runs)) for event in logged]

    def _tell_one(self, event: LoggedEvent, task_runs: Mapping[UUID, TaskRun]) -> list[WireEvent]:
        if event.kind == "custom":
            return _read_custom(event, self._flow_runs.get(event.flow_run_id) if event.flow_run_id else None)
        if event.kind == "flow-run" and event.subject_id in self._flow_runs:
            return self._tell_flow_run(self._flow_runs[event.subject_id], event.states)
        if event.subject_id in task_runs:
            return self._tell_task_run(task_runs[event.subject_id], event.states)
        return []

    def _tell_flow_run(self, run: FlowRun, states: Iterable[State]) -> list[WireEvent]:
        related = [*self._flow_of(run), *self._places_of(run), *(_tag(tag) for tag in run.tags)]
        return [_tell_state(FLOW_RUN, run, state, related, {}, _cause_of(run)) for state in states]

    def _tell_task_run(self, run: TaskRun, states: Iterable[State]) -> list[WireEvent]:
        related: list[Resource] = []
        flow_run = None if run.flow_run_id is None else self._flow_runs.get(run.flow_run_id)
        if flow_run is not None:
            related = [
                {ID: f"{FLOW_RUN}{flow_run.id}", ROLE: "flow-run", NAME: flow_run.name, **_cause_of(flow_run)},
                *self._flow_of(flow_run),
            ]
        payload = {"task_run": msgspec.to_builtins(run)}
        return [_tell_state(TASK_RUN, run, state, [*related, *map(_tag, run.tags)], payload, {}) for state in states]

    def _places_of(self, run: FlowRun) -> list[Resource]:
        """The deployment that a flow run is of, and where it runs."""
        deployment = None if run.deployment_id is None else self._deployments.get(run.deployment_id)
        found = [
            ("deployment", run.deployment_id, deployment and deployment.name),
            ("work-queue", run.work_queue_id, run.work_queue_name),
            ("work-pool", run.work_pool_id, run.work_pool_name),
        ]
        if run.created_by is not None and run.created_by.type == AUTOMATION_TYPE:
            found.append(("automation", run.created_by.id, run.created_by.display_value))
        return [
            {ID: f"prefect.{kind}.{found_id}", ROLE: MAKER if kind == "automation" else kind, NAME: name or ""}
            for kind, found_id, name in found
            if found_id is not None
        ]

    def _flow_of(self, run: FlowRun) -> list[Resource]:
        flow = self._flows.get(run.flow_id)
        return [] if flow is None else [{ID: f"prefect.flow.{flow.id}", ROLE: "flow", NAME: flow.name}]

    def _find_task_runs(self, ids: Iterable[UUID]) -> dict[UUID, TaskRun]:
        def find(wanted: IdFilter) -> list[TaskRun]:
            selection = RunSelection(task_runs=TaskRunFilter(id=wanted))
            return self._administration.list_task_runs(selection, page=Page(200))

        return _find_all(ids, find)

    def _learn_flow_runs(self, ids: Iterable[UUID]) -> None:
        """Remember the runs, and what is needed of their flows."""
        unknown = [run_id for run_id in dict.fromkeys(ids) if run_id not in self._flow_runs]
        if len(self._flow_runs) + len(unknown) > MOST_KNOWN:
            self._flow_runs.clear()
            self._flows.clear()
            self._deployments.clear()

        def find(wanted: IdFilter) -> list[FlowRun]:
            selection = RunSelection(flow_runs=FlowRunFilter(id=wanted))
            return self._administration.list_flow_runs(selection, page=Page(200))

        def find_flows(wanted: IdFilter) -> list[Flow]:
            return self._administration.list_flows(RunSelection(flows=FlowFilter(id=wanted)), page=Page(200))

        def find_deployments(wanted: IdFilter) -> list[Deployment]:
            selection = RunSelection(deployments=DeploymentFilter(id=wanted))
            return self._administration.list_deployments(selection, page=Page(200))

        found = _find_all(unknown, find)
        self._flow_runs.update(found)
        flows = {run.flow_id for run in found.values()} - self._flows.keys()
        self._flows.update(_find_all(flows, find_flows))
        deployments = {run.deployment_id for run in found.values() if run.deployment_id} - self._deployments.keys()
        self._deployments.update(_find_all(deployments, find_deployments))


def _find_all(ids: Iterable[UUID], find: Callable[[IdFilter], list[S]]) -> dict[UUID, S]:
    """The objects with these ids, asked for by the page."""
    wanted = list(dict.fromkeys(ids))
    found: dict[UUID, S] = {}
    for start in range(0, len(wanted), 200):
        found.update((each.id, each) for each in find(IdFilter(any_=wanted[start : start + 200])))
    return found


def _tell_state(
    prefix: str,
    run: FlowRun | TaskRun,
    state: State,
    related: list[Resource],
    payload: dict[str, Any],
    labels: Resource,
) -> WireEvent:
    """The event of one state. Its id is the state's, so whoever reads it twice can tell."""
    assert state.id is not None
    occurred = state.timestamp if isinstance(state.timestamp, datetime) else now()
    before = number_before(state_ordinal(run.id, state.id))
    name = state.name or state.type.capitalize()
    return WireEvent(
        id=state.id,
        event=f"{prefix}{name}",
        occurred=occurred,
        received=occurred,
        follows=None if before is None else state_id(run.id, before),
        resource={
            ID: f"{prefix}{run.id}",
            NAME: run.name,
            "prefect.run-count": str(run.run_count),
            "prefect.state-message": state.message or "",
            "prefect.state-name": name,
            "prefect.state-timestamp": occurred.isoformat(),
            "prefect.state-type": str(state.type),
            **labels,
        },
        related=related,
        payload={
            "intended": {"from": None, "to": str(state.type)},
            "initial_state": None,
            "validated_state": {
                "type": str(state.type),
                "name": name,
                "message": state.message or "",
                "state_details": msgspec.to_builtins(state.state_details),
                "data": state.data,
            },
            **payload,
        },
    )


def _read_custom(event: LoggedEvent, run: FlowRun | None) -> list[WireEvent]:
    """An event as a client sent it, or the orchestrator said it."""
    try:
        told = msgspec.convert(event.body, WireEvent, strict=False)
    except msgspec.ValidationError:
        return []
    for resource in [told.resource, *told.related] if run is not None and _cause_of(run) else ():
        if run is not None and resource.get(ID) == f"{FLOW_RUN}{run.id}":
            resource.update(_cause_of(run))
    return [told]


def _cause_of(run: FlowRun) -> Resource:
    """What automations led to what the run does, if any did."""
    return {name: str(value) for name, value in pick_cause(run.labels).items()}


def _tag(tag: str) -> Resource:
    return {ID: f"prefect.tag.{tag}", ROLE: "tag"}
