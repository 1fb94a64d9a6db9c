"""What is left for flow runs, and the resumption of those that wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.base.errors import GatewayError, InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.proposals import load_flow_run, propose
from headrace.orchestration.unit import Unit
from headrace.rules.arguments import check_input
from headrace.rules.transitions import PAUSED, RESUMING, RUNNING, SCHEDULED
from headrace.schema.flow_run_input import FlowRunInput, FlowRunInputCreate
from headrace.schema.orchestration import Decision, Proposal, Verb
from headrace.schema.state import State, StateCreate
from headrace.schema.wire import decode_json, encode_json
from headrace.storage.inputs import InputRow, delete_input, find_input, insert_input, list_inputs
from headrace.storage.rows import to_flow_run
from headrace.storage.texts import storable


def create_flow_run_input(unit: Unit, flow_run_id: UUID, create: FlowRunInputCreate) -> None:
    """Leave a text for a run. Raises `ObjectNotFound` without the run, `ObjectAlreadyExists` for a key in use."""
    if load_flow_run(unit, flow_run_id) is None:
        raise ObjectNotFound(f"There is no flow run with id {flow_run_id}.")
    row = InputRow(
        uuid7(),
        flow_run_id,
        storable(create.key),
        storable(create.value),
        create.sender and storable(create.sender),
        unit.now,
        unit.now,
    )
    if not insert_input(unit.connection, unit.workspace_id, row):
        raise ObjectAlreadyExists(f"Flow run {flow_run_id} has an input with key {create.key!r} already.")


def read_flow_run_input(unit: Unit, flow_run_id: UUID, key: str) -> FlowRunInput:
    """The text that was left under a key. Raises `ObjectNotFound`."""
    row = find_input(unit.connection, unit.workspace_id, flow_run_id, storable(key))
    if row is None:
        raise ObjectNotFound(f"Flow run {flow_run_id} has no input with key {key!r}.")
    return _to_input(row)


def list_flow_run_inputs(
    unit: Unit, flow_run_id: UUID, prefix: str, limit: int, exclude_keys: Sequence[str]
) -> list[FlowRunInput]:
    """The first texts whose keys begin with a prefix."""
    excluded = [storable(key) for key in exclude_keys]
    rows = list_inputs(unit.connection, unit.workspace_id, flow_run_id, storable(prefix), limit, excluded)
    return [_to_input(row) for row in rows]


def delete_flow_run_input(unit: Unit, flow_run_id: UUID, key: str) -> None:
    """Delete the text under a key. Raises `ObjectNotFound`."""
    if not delete_input(unit.connection, unit.workspace_id, flow_run_id, storable(key)):
        raise ObjectNotFound(f"Flow run {flow_run_id} has no input with key {key!r}.")


def resume_flow_run(unit: Unit, flow_run_id: UUID, run_input: dict[str, Any] | None) -> Decision | GatewayError:
    """Let a paused run go on, with what it asks for, which is kept for it if it does go on."""
    row = load_flow_run(unit, flow_run_id)
    if row is None:
        return ObjectNotFound(f"There is no flow run with id {flow_run_id}.")
    run = to_flow_run(row, unit.now)

    def refuse(verb: Verb, reason: str) -> Decision:
        return Decision(verb=verb, state=run.state, written=False, epoch=row.epoch, flow_run=run, reason=reason)

    state = run.state
    if state is None or state.type is not PAUSED:
        return refuse(Verb.ABORT, "The run is not paused.")
    keys = state.state_details.run_input_keyset
    if run_input is not None and not keys:
        return refuse(Verb.ABORT, "The run asks for no input.")
    if keys:
        try:
            _check(unit, flow_run_id, keys, run_input or {})
        except InvalidRequest as problem:
            return refuse(Verb.REJECT, str(problem))
    decision = propose(unit, Proposal(flow_run_id=flow_run_id, state=_goes_on_as(state)))
    if keys and isinstance(decision, Decision) and decision.state and decision.state.type in {RUNNING, SCHEDULED}:
        response = storable(keys["response"])
        delete_input(unit.connection, unit.workspace_id, flow_run_id, response)
        value = storable(encode_json(run_input or {}))
        given = InputRow(uuid7(), flow_run_id, response, value, None, unit.now, unit.now)
        insert_input(unit.connection, unit.workspace_id, given)
    return decision


def _goes_on_as(paused: State) -> StateCreate:
    if paused.state_details.pause_reschedule:
        return StateCreate(type=SCHEDULED, name=RESUMING)
    return StateCreate(type=RUNNING)


def _check(unit: Unit, flow_run_id: UUID, keys: dict[str, str], given: dict[str, Any]) -> None:
    """Raise `InvalidRequest` when what is given is not what the run asks for."""
    if "response" not in keys:
        raise InvalidRequest("The run asks for input, but does not say under which key.")
    schema = find_input(unit.connection, unit.workspace_id, flow_run_id, storable(keys.get("schema", "")))
    if schema is not None:
        try:
            asked = decode_json(schema.value)
        except ValueError as error:
            raise InvalidRequest(f"The schema of the run's input is no JSON: {error}.") from None
        check_input(asked, given)


def _to_input(row: InputRow) -> FlowRunInput:
    return FlowRunInput(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        flow_run_id=row.flow_run_id,
        key=row.key,
        value=row.value,
        sender=row.sender,
    )
