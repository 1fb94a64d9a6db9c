"""What clients of the contract report as events, read into reports: states of task runs, heartbeats, anything else."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec

from headrace.base.clock import now, to_micros
from headrace.base.errors import InvalidRequest
from headrace.schema.fact import StateFact, TaskRunFact
from headrace.schema.report import BeatReport, EventReport, Report, StateReport
from headrace.schema.run import TaskInputs, TaskRunPolicy
from headrace.schema.state import StateDetails, StateType
from headrace.schema.wire import Wire
from headrace.schema.wire_event import FLOW_RUN, ID, LARGEST_EVENT, ROLE, TASK_RUN, WireEvent
from headrace.server.decoding import name_task_inputs, read_json

HEARTBEAT = f"{FLOW_RUN}heartbeat"
INTERVAL = 180.0
"""Seconds between the heartbeats of a client that does not say how often it sends them."""


class ReportedState(Wire, kw_only=True):
    """The state in the event of a task run."""

    type: StateType
    name: str | None = None
    message: str | None = None
    data: Any = None
    state_details: StateDetails = msgspec.field(default_factory=StateDetails)


class ReportedRun(Wire, kw_only=True):
    """The task run in its own event."""

    task_key: str
    dynamic_key: str
    name: str = ""
    tags: list[str] = msgspec.field(default_factory=list[str])
    labels: dict[str, bool | int | float | str] | None = None
    task_inputs: TaskInputs = msgspec.field(default_factory=dict[str, Any])
    empirical_policy: TaskRunPolicy = msgspec.field(default_factory=TaskRunPolicy)
    task_version: str | None = None
    run_count: int = 0
    flow_run_run_count: int = 0
    expected_start_time: datetime | None = None


class ReportedTransition(Wire, kw_only=True):
    """What the event of a task run carries."""

    validated_state: ReportedState
    task_run: ReportedRun


def read_event(frame: str | bytes) -> Report:
    """The report that an event makes. Raises `InvalidRequest` for what is no event, and for what is not a client's to say."""
    data = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame
    if len(data) > LARGEST_EVENT:
        raise InvalidRequest(f"The event has {len(data)} bytes; {LARGEST_EVENT} are the most that are kept.")
    return to_report(read_json(data))


def to_report(content: Any) -> Report:
    """The report that an event makes, as `read_event` says."""
    try:
        event = msgspec.convert(content, WireEvent, strict=False)
        if event.resource.get(ID, "").startswith(TASK_RUN) and "validated_state" in event.payload:
            return _read_transition(event)
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidRequest(f"This is no event: {error}") from None
    flow_run_id = _find_flow_run(event)
    if event.event == HEARTBEAT and flow_run_id is not None:
        return BeatReport(event.id, flow_run_id, _read_interval(event))
    if event.event.startswith((FLOW_RUN, TASK_RUN)):
        raise InvalidRequest(f"{event.event} is for the server to say, not for a client.")
    body: dict[str, Any] = msgspec.to_builtins(event)
    body["received"] = now().isoformat()
    return EventReport(event.id, to_micros(event.occurred), body, flow_run_id)


def _read_transition(event: WireEvent) -> StateReport:
    """The state a task run entered, and who the run is."""
    name_task_inputs(cast("dict[str, Any]", event.payload.get("task_run") or {}))
    told = msgspec.convert(event.payload, ReportedTransition, strict=False)
    run, state = told.task_run, told.validated_state
    run_id = UUID(event.resource[ID].removeprefix(TASK_RUN))
    time = to_micros(_read_time(event))
    made = TaskRunFact(
        id=run_id,
        flow_run_id=_find_flow_run(event),
        name=run.name or event.resource.get("prefect.resource.name", ""),
        task_key=run.task_key,
        dynamic_key=run.dynamic_key,
        created=time,
        tags=run.tags,
        task_inputs=run.task_inputs,
        empirical_policy=run.empirical_policy,
        task_version=run.task_version,
        flow_run_run_count=run.flow_run_run_count,
        expected_start_time=to_micros(run.expected_start_time) if run.expected_start_time else None,
        labels=run.labels,
    )
    details: dict[str, Any] = msgspec.to_builtins(state.state_details)
    name = state.name or state.type.capitalize()
    # The contract writes no message as an empty one.
    fact = StateFact(0, state.type, name, time, state.message or None, state.data, details or None)
    return StateReport(event.id, made, fact, run.run_count)


def _read_time(event: WireEvent) -> datetime:
    """When the state was entered: what the event says of the state, else when it says that it occurred."""
    told = event.resource.get("prefect.state-timestamp")
    return event.occurred if told is None else msgspec.convert(told, datetime, strict=False)


def _find_flow_run(event: WireEvent) -> UUID | None:
    """The flow run an event is about, or has to do with."""
    roles = {resource.get(ROLE): resource.get(ID, "") for resource in event.related}
    related = (resource.get(ID, "") for resource in event.related)
    for name in (event.resource.get(ID, ""), roles.get("flow-run", ""), *related):
        if name.startswith(FLOW_RUN):
            try:
                return UUID(name.removeprefix(FLOW_RUN))
            except ValueError:
                return None
    return None


def _read_interval(event: WireEvent) -> float:
    told = event.payload.get("heartbeat_interval_seconds")
    return float(told) if isinstance(told, (int, float)) and told > 0 else INTERVAL
