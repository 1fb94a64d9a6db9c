"""Flow runs: created once, read, and changed; their states are decided in `proposals`."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from msgspec import UNSET

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.base.names import generate_name
from headrace.orchestration.facts import store_batch
from headrace.orchestration.flows import load_flow
from headrace.orchestration.places import find_place, name_places
from headrace.orchestration.proposals import decide, enter, follow_up, load_flow_run
from headrace.orchestration.tags import keep_flow_run_tags, replace_flow_run_tags
from headrace.orchestration.unit import Unit
from headrace.rules.chains import pick_cause
from headrace.rules.transitions import PENDING
from headrace.rules.verdicts import Accept, Reject
from headrace.schema.fact import Batch
from headrace.schema.orchestration import Proposal
from headrace.schema.run import CreatedBy, FlowRun, FlowRunCreate, FlowRunUpdate
from headrace.schema.state import StateCreate
from headrace.schema.wire import decode_json
from headrace.storage import compiled
from headrace.storage.rows import FlowRunRow, to_flow_run
from headrace.storage.texts import storable, storable_json


class Origin(NamedTuple):
    """Where a run comes from that is made for a deployment: which version of it, and who made the run."""

    deployment_version: str | None = None
    auto_scheduled: bool = False
    created_by: CreatedBy = CreatedBy()


BY_HAND = Origin()
"""The origin of a run that somebody makes without a deployment."""


def create_flow_run(unit: Unit, create: FlowRunCreate, batch: Batch | None = None, origin: Origin = BY_HAND) -> FlowRun:
    """Create a flow run, once for each id and for each idempotency key of its flow, and return it as stored.

    Raises `ObjectNotFound` when the flow does not exist, `InvalidRequest` for a state in which no run can begin.
    """
    if batch is not None:
        store_batch(unit, batch)
    known = _find_existing(unit, create)
    if known is None:
        load_flow(unit, create.flow_id)
        known = _insert(unit, create, origin) or _find_existing(unit, create)
    if known is None:
        raise ObjectNotFound(f"Flow run {create.id} was deleted while it was being created.")
    return _show(unit, known)


def read_flow_run(unit: Unit, flow_run_id: UUID) -> FlowRun:
    """The flow run. Raises `ObjectNotFound`."""
    row = load_flow_run(unit, flow_run_id)
    if row is None:
        raise ObjectNotFound(f"There is no flow run with id {flow_run_id}.")
    return _show(unit, row)


def update_flow_run(unit: Unit, flow_run_id: UUID, update: FlowRunUpdate) -> None:
    """Change what the update names. Raises `ObjectNotFound`."""
    rows = unit.fetch(compiled.lock_flow_run, id=flow_run_id)
    if not rows:
        raise ObjectNotFound(f"There is no flow run with id {flow_run_id}.")
    row = FlowRunRow._make(rows[0])
    told = {name: value for name in update.__struct_fields__ if (value := getattr(update, name)) is not UNSET}
    if told.get("name", "") is None:
        del told["name"]  # a run always has a name
    columns = {name: told[name] if name in told else getattr(row, name) for name in update.__struct_fields__}
    for name in told.keys() & {"parameters", "empirical_policy", "tags", "job_variables"}:
        columns[name] = None if told[name] is None else storable_json(told[name])
    for name in told.keys() & {"name", "flow_version", "infrastructure_pid"}:
        columns[name] = told[name] and storable(told[name])
    named = {f"new_{name}": value for name, value in columns.items()}
    unit.execute(compiled.edit_flow_run, id=flow_run_id, new_updated=unit.now, **named)
    if columns["tags"] != row.tags:
        replace_flow_run_tags(unit, [row._replace(tags=columns["tags"])])


def _show(unit: Unit, row: FlowRunRow) -> FlowRun:
    run = to_flow_run(row, unit.now)
    name_places(unit, [run])
    return run


def _find_existing(unit: Unit, create: FlowRunCreate) -> FlowRunRow | None:
    found = None if create.id is None else load_flow_run(unit, create.id)
    if found is None and create.idempotency_key is not None:
        key = storable(create.idempotency_key)
        rows = unit.fetch(compiled.find_flow_run_by_key, flow_id=create.flow_id, idempotency_key=key)
        found = FlowRunRow._make(rows[0]) if rows else None
    return found


def _insert(unit: Unit, create: FlowRunCreate, origin: Origin) -> FlowRunRow | None:
    """Write a run that begins; None when somebody else was just faster."""
    blank = _blank_row(unit, create, origin)
    state = create.state or StateCreate(type=PENDING)
    proposal = Proposal(flow_run_id=blank.id, state=state, presence=create.presence)
    verdict = decide(unit, blank, proposal)
    if not isinstance(verdict, Accept | Reject) or verdict.state is None:
        raise InvalidRequest(f"A flow run cannot begin {proposal.state.type}: {verdict.reason}")
    row, fact = enter(unit, blank, verdict.state, verdict.effects)
    if not unit.insert(compiled.insert_flow_runs, [row]):
        return None
    keep_flow_run_tags(unit, [row])
    follow_up(unit, row, fact, verdict.effects)
    return row


def _blank_row(unit: Unit, create: FlowRunCreate, origin: Origin) -> FlowRunRow:
    """The row of a run that has no state yet."""
    parent_id = create.parent_task_run_id
    place = find_place(unit, create.work_pool_name, create.work_queue_name)
    maker = origin.created_by
    parent: list[tuple[Any, ...]] = []
    if parent_id is not None:
        parent = unit.fetch(compiled.find_task_run, id=parent_id)
    return FlowRunRow(
        id=create.id or uuid7(),
        flow_id=create.flow_id,
        name=storable(create.name or generate_name()),
        tags=storable_json(create.tags),
        labels=_write_labels(unit, create, parent[0][1] if parent else None),
        run_count=0,
        expected_start_time=None,
        next_scheduled_start_time=None,
        start_time=None,
        end_time=None,
        total_run_time=0,
        state_type=None,
        state_name=None,
        state_timestamp=None,
        state_ordinal=0,
        state=None,
        epoch=0,
        deployment_id=create.deployment_id,
        deployment_version=origin.deployment_version,
        work_pool_id=place.work_pool_id,
        work_queue_id=place.work_queue_id,
        flow_version=create.flow_version and storable(create.flow_version),
        parameters=storable_json(create.parameters),
        context=storable_json(create.context),
        empirical_policy=storable_json(create.empirical_policy),
        idempotency_key=create.idempotency_key and storable(create.idempotency_key),
        parent_flow_run_id=parent[0][1] if parent else None,
        parent_task_run_id=parent_id,
        auto_scheduled=origin.auto_scheduled,
        infrastructure_document_id=create.infrastructure_document_id,
        infrastructure_pid=None,
        job_variables=None if create.job_variables is None else storable_json(create.job_variables),
        created_by_id=maker.id,
        created_by_type=maker.type,
        created_by_display_value=maker.display_value,
        created=unit.now,
        updated=unit.now,
    )


def _write_labels(unit: Unit, create: FlowRunCreate, parent_id: UUID | None) -> str | None:
    """The labels of a run. A subflow inherits what automations led to its parent."""
    parent = None if parent_id is None else load_flow_run(unit, parent_id)
    inherited = pick_cause(decode_json(parent.labels)) if parent is not None and parent.labels else {}
    labels = {**(create.labels or {}), **inherited} if inherited else create.labels
    return None if labels is None else storable_json(labels)
