"""Rows of the database and the wire types they become. Imports no SQLAlchemy: recording must not need it.

Each `…Row` has the columns of its table in the table's order, without the workspace. Queries select exactly these, and
inserts take the workspace and then these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from headrace.base.clock import to_datetime
from headrace.base.ids import state_id
from headrace.schema.artifact import Artifact
from headrace.schema.fact import StateFact
from headrace.schema.flow import Flow
from headrace.schema.log import Log
from headrace.schema.result import ResultRecord
from headrace.schema.run import (
    CreatedBy,
    FlowRun,
    FlowRunPolicy,
    TaskInputs,
    TaskRun,
    TaskRunPolicy,
)
from headrace.schema.state import State, StateDetails, StateType
from headrace.schema.wire import decode_json


class FlowRow(NamedTuple):
    """A row of flows."""

    id: UUID
    name: str
    tags: str
    labels: str | None
    created: int
    updated: int


class FlowRunRow(NamedTuple):
    """A row of flow_runs."""

    id: UUID
    flow_id: UUID
    name: str
    tags: str
    labels: str | None
    run_count: int
    expected_start_time: int | None
    next_scheduled_start_time: int | None
    start_time: int | None
    end_time: int | None
    total_run_time: int
    state_type: str | None
    state_name: str | None
    state_timestamp: int | None
    state_ordinal: int
    state: str | None
    epoch: int
    deployment_id: UUID | None
    deployment_version: str | None
    work_pool_id: UUID | None
    work_queue_id: UUID | None
    flow_version: str | None
    parameters: str
    context: str
    empirical_policy: str
    idempotency_key: str | None
    parent_flow_run_id: UUID | None
    parent_task_run_id: UUID | None
    auto_scheduled: bool
    infrastructure_document_id: UUID | None
    infrastructure_pid: str | None
    job_variables: str | None
    created_by_id: UUID | None
    created_by_type: str | None
    created_by_display_value: str | None
    created: int
    updated: int


class TaskRunRow(NamedTuple):
    """A row of task_runs."""

    id: UUID
    flow_run_id: UUID | None
    task_key: str
    dynamic_key: str
    name: str
    tags: str
    labels: str | None
    run_count: int
    expected_start_time: int | None
    next_scheduled_start_time: int | None
    start_time: int | None
    end_time: int | None
    total_run_time: int
    state_type: str | None
    state_name: str | None
    state_timestamp: int | None
    state_ordinal: int
    state: str | None
    flow_run_run_count: int
    task_version: str | None
    cache_key: str | None
    cache_expiration: int | None
    empirical_policy: str
    task_inputs: str
    created: int
    updated: int


class LogRow(NamedTuple):
    """A row of logs."""

    id: UUID
    flow_run_id: UUID | None
    task_run_id: UUID | None
    name: str
    level: int
    message: str
    timestamp: int


class ArtifactRow(NamedTuple):
    """A row of artifacts."""

    id: UUID
    key: str | None
    type: str | None
    description: str | None
    data: str | None
    metadata_: str | None
    flow_run_id: UUID | None
    task_run_id: UUID | None
    created: int
    updated: int


class ResultRow(NamedTuple):
    """A row of results."""

    id: UUID
    storage_key: str
    location: str
    serializer: str
    size: int
    expiration: int | None
    flow_run_id: UUID | None
    task_run_id: UUID | None
    created: int
    updated: int


NEVER = 2**62
"""The instant, in microseconds, of what does not happen by itself."""


class LimitRow(NamedTuple):
    """A row of concurrency_limits. `level` slots were in use at the instant `level_since`, if they fade."""

    id: UUID
    name: str
    slots: int
    active: bool
    slot_decay_per_second: float
    level: float
    level_since: int
    created: int
    updated: int


class StateRest(msgspec.Struct, omit_defaults=True):
    """What the column `state` holds: all of a state that has no column of its own."""

    message: str | None = None
    data: Any = None
    details: dict[str, Any] | None = None


_decode_rest = msgspec.json.Decoder(StateRest).decode
_decode_facts = msgspec.json.Decoder(list[StateFact]).decode
_decode_flow_run_policy = msgspec.json.Decoder(FlowRunPolicy).decode
_decode_task_run_policy = msgspec.json.Decoder(TaskRunPolicy).decode
_decode_task_inputs = msgspec.json.Decoder(TaskInputs).decode
_NOTHING = StateRest()


def to_instant(micros: int | None) -> datetime | None:
    """The instant of a column that may be empty."""
    return None if micros is None else to_datetime(micros)


def to_flow(row: FlowRow) -> Flow:
    """The flow of a row."""
    return Flow(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        name=row.name,
        tags=decode_json(row.tags),
        labels=_decode(row.labels),
    )


def to_flow_run(row: FlowRunRow, now: int) -> FlowRun:
    """The flow run of a row; what is only estimated is estimated for the instant `now`."""
    return FlowRun(
        **_run_fields(row, now),
        flow_id=row.flow_id,
        deployment_id=row.deployment_id,
        deployment_version=row.deployment_version,
        flow_version=row.flow_version,
        parameters=decode_json(row.parameters),
        idempotency_key=row.idempotency_key,
        context=decode_json(row.context),
        empirical_policy=_decode_flow_run_policy(row.empirical_policy),
        parent_task_run_id=row.parent_task_run_id,
        auto_scheduled=row.auto_scheduled,
        infrastructure_document_id=row.infrastructure_document_id,
        infrastructure_pid=row.infrastructure_pid,
        created_by=_created_by(row),
        work_queue_id=row.work_queue_id,
        work_pool_id=row.work_pool_id,
        job_variables=_decode(row.job_variables),
        epoch=row.epoch,
    )


def to_flow_run_policy(row: FlowRunRow) -> FlowRunPolicy:
    """The policy of a flow run's row."""
    return _decode_flow_run_policy(row.empirical_policy)


def to_task_run(row: TaskRunRow, now: int) -> TaskRun:
    """The task run of a row; what is only estimated is estimated for the instant `now`."""
    return TaskRun(
        **_run_fields(row, now),
        task_key=row.task_key,
        dynamic_key=row.dynamic_key,
        flow_run_id=row.flow_run_id,
        cache_key=row.cache_key,
        cache_expiration=to_instant(row.cache_expiration),
        task_version=row.task_version,
        empirical_policy=_decode_task_run_policy(row.empirical_policy),
        task_inputs=_decode_task_inputs(row.task_inputs),
        flow_run_run_count=row.flow_run_run_count,
    )


def to_log(row: LogRow) -> Log:
    """The log line of a row."""
    return Log(
        id=row.id,
        created=to_datetime(row.timestamp),
        updated=to_datetime(row.timestamp),
        name=row.name,
        level=row.level,
        message=row.message,
        timestamp=to_datetime(row.timestamp),
        flow_run_id=row.flow_run_id,
        task_run_id=row.task_run_id,
    )


def to_artifact(row: ArtifactRow) -> Artifact:
    """The artifact of a row."""
    return Artifact(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        key=row.key,
        type=row.type,
        description=row.description,
        data=_decode(row.data),
        metadata_=_decode(row.metadata_),
        flow_run_id=row.flow_run_id,
        task_run_id=row.task_run_id,
    )


def to_result(row: ResultRow) -> ResultRecord:
    """The record of a row."""
    return ResultRecord(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        storage_key=row.storage_key,
        location=row.location,
        serializer=row.serializer,
        size=row.size,
        expiration=to_instant(row.expiration),
        flow_run_id=row.flow_run_id,
        task_run_id=row.task_run_id,
    )


def to_state(run_id: UUID, fact: StateFact) -> State:
    """The state a fact tells of."""
    return State(
        type=fact.type,
        name=fact.name,
        id=state_id(run_id, fact.ordinal),
        timestamp=to_datetime(fact.timestamp),
        message=fact.message,
        data=fact.data,
        state_details=to_details(fact.details),
    )


def to_details(details: dict[str, Any] | None) -> StateDetails:
    """The details a fact tells, which are those that differ from the defaults."""
    return msgspec.convert(details, StateDetails, strict=False) if details else StateDetails()


def to_facts(body: str) -> list[StateFact]:
    """The states packed in an event's body."""
    return _decode_facts(body)


def to_current_fact(row: FlowRunRow | TaskRunRow) -> StateFact | None:
    """The state a run's row is in, as a fact; None for a run that has none yet."""
    if row.state_type is None or row.state_name is None or row.state_timestamp is None:
        return None
    rest = _decode_rest(row.state) if row.state else _NOTHING
    return StateFact(
        row.state_ordinal,
        StateType(row.state_type),
        row.state_name,
        row.state_timestamp,
        rest.message,
        rest.data,
        rest.details,
    )


def to_current_state(row: FlowRunRow | TaskRunRow) -> State | None:
    """The state a run's row is in."""
    fact = to_current_fact(row)
    return None if fact is None else to_state(row.id, fact)


def _run_fields(row: FlowRunRow | TaskRunRow, now: int) -> dict[str, Any]:
    """What flow runs and task runs have in common."""
    state = to_current_state(row)
    return {
        "id": row.id,
        "created": to_datetime(row.created),
        "updated": to_datetime(row.updated),
        "name": row.name,
        "state_id": state.id if state else None,
        "state_type": state.type if state else None,
        "state_name": row.state_name,
        "run_count": row.run_count,
        "expected_start_time": to_instant(row.expected_start_time),
        "next_scheduled_start_time": to_instant(row.next_scheduled_start_time),
        "start_time": to_instant(row.start_time),
        "end_time": to_instant(row.end_time),
        "total_run_time": row.total_run_time / 1_000_000,
        "estimated_run_time": _estimate_run_time(row, now) / 1_000_000,
        "estimated_start_time_delta": _estimate_lateness(row, now) / 1_000_000,
        "tags": decode_json(row.tags),
        "labels": _decode(row.labels) or {},
        "state": state,
    }


def _estimate_run_time(row: FlowRunRow | TaskRunRow, now: int) -> int:
    """How long the run has run, the stretch that is not over included."""
    if row.state_type == StateType.RUNNING and row.state_timestamp is not None:
        return row.total_run_time + max(0, now - row.state_timestamp)
    return row.total_run_time


def _estimate_lateness(row: FlowRunRow | TaskRunRow, now: int) -> int:
    """How long after its expected start the run started, or how long it has been waiting to."""
    if row.expected_start_time is None:
        return 0
    if row.start_time is not None:
        return max(0, row.start_time - row.expected_start_time)
    return 0 if row.end_time is not None else max(0, now - row.expected_start_time)


def _created_by(row: FlowRunRow) -> CreatedBy | None:
    if row.created_by_id is None and row.created_by_type is None and row.created_by_display_value is None:
        return None
    return CreatedBy(id=row.created_by_id, type=row.created_by_type, display_value=row.created_by_display_value)


def _decode(text: str | None) -> Any:
    return None if text is None else decode_json(text)
