"""Further attempts of flow runs: what earlier ones left behind, and the runs that are opened again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from headrace.base.errors import HeadraceError, InvalidRequest, ObjectNotFound
from headrace.orchestration.proposals import propose
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import PENDING, SCHEDULED, is_terminal
from headrace.schema.checkpoint import Checkpoint, Reopening
from headrace.schema.identities import call_of, forget_call
from headrace.schema.orchestration import Claim, Decision, Proposal
from headrace.schema.state import StateCreate
from headrace.schema.wire import decode_json
from headrace.storage import compiled
from headrace.storage.rows import FlowRunRow, TaskRunRow, to_current_fact, to_state
from headrace.storage.texts import storable_json

RECORD = ("storage_key", "location", "serializer", "size", "expiration")
"""What a state tells of a value that was kept, in the order in which the record of it is read."""


def list_checkpoints(unit: Unit, flow_run_id: UUID) -> list[Checkpoint]:
    """The calls that the attempts of a flow run have made and that have an identity, oldest first."""
    rows = [TaskRunRow(*values) for values in unit.fetch(compiled.find_calls, flow_run_id=flow_run_id)]
    # What a transaction kept at its end is known by the record alone: the state had been told before.
    kept = {values[0]: values[1:] for values in unit.fetch(compiled.find_results_of_flow_run, flow_run_id=flow_run_id)}
    return [_checkpoint(row, kept.get(row.id)) for row in rows]


def reopen_flow_run(unit: Unit, request: Reopening) -> Claim:
    """Let a run that has ended begin another attempt.

    Raises `ObjectNotFound`, and `InvalidRequest` for a run that has not ended, that nobody could start, or that has no
    such task.
    """
    rows = unit.fetch(compiled.lock_flow_run, id=request.flow_run_id)
    if not rows:
        raise ObjectNotFound(f"There is no flow run with id {request.flow_run_id}.")
    row = FlowRunRow._make(rows[0])
    fact = to_current_fact(row)
    if fact is None or not is_terminal(fact.type):
        raise InvalidRequest(f"Flow run {row.name!r} is {row.state_name}: only a run that has ended can be run again.")
    if request.presence is None and row.deployment_id is None:
        raise InvalidRequest(
            f"Flow run {row.name!r} has no deployment, so no worker could start it; "
            "it can be run again where its code is."
        )
    if request.from_task is not None:
        _forget_from(unit, row, request.from_task)
    if request.parameters:
        told = {**decode_json(row.parameters), **request.parameters}
        unit.execute(compiled.change_flow_run_parameters, id=row.id, new_parameters=storable_json(told))
    if request.parent_task_run_id is not None:
        unit.execute(compiled.move_flow_run_to_parent, id=row.id, new_parent_task_run_id=request.parent_task_run_id)
    decision = _enter(unit, Proposal(flow_run_id=row.id, state=StateCreate(type=SCHEDULED, message=request.message)))
    if request.presence is not None:
        taken = StateCreate(type=PENDING, message=request.message)
        decision = _enter(unit, Proposal(flow_run_id=row.id, state=taken, presence=request.presence))
    return Claim(flow_run=decision.flow_run, epoch=decision.epoch)


def _enter(unit: Unit, proposal: Proposal) -> Decision:
    """Have a run enter a state because somebody insists."""
    decision = propose(unit, msgspec.structs.replace(proposal, force=True))
    if isinstance(decision, HeadraceError):
        raise decision
    return decision


def _forget_from(unit: Unit, run: FlowRunRow, task: str) -> None:
    """Have no call of a task restored, nor any that may have depended on it: that began after the first had ended."""
    rows = [TaskRunRow(*values) for values in unit.fetch(compiled.find_calls, flow_run_id=run.id)]
    of_task = [row for row in rows if task in _names_of_task(row)]
    if not of_task:
        known = ", ".join(sorted({min(_names_of_task(row)) for row in rows})) or "none, for it is not durable"
        raise InvalidRequest(f"Flow run {run.name!r} has no task {task!r} that could be run again; its tasks: {known}.")
    ended = min((row.end_time for row in of_task if row.end_time is not None), default=None)
    again = {row.id for row in of_task}
    for row in rows:
        later = ended is not None and row.start_time is not None and row.start_time >= ended
        if later or row.id in again:
            unit.execute(compiled.change_dynamic_key, id=row.id, new_dynamic_key=forget_call(row.dynamic_key))


def _names_of_task(row: TaskRunRow) -> set[str]:
    """What people may call the task: the name in its key, and its run's without the number."""
    return {row.task_key.rpartition("-")[0], row.name.rstrip("0123456789-")}


def _checkpoint(row: TaskRunRow, kept: tuple[Any, ...] | None) -> Checkpoint:
    fact = to_current_fact(row)
    state = None if fact is None else to_state(row.id, fact)
    result = state.data if state is not None else None
    if result is None and kept is not None:
        result = dict(zip(RECORD, kept, strict=True))
    return Checkpoint(
        task_run_id=row.id,
        name=row.name,
        task_key=row.task_key,
        call=call_of(row.dynamic_key) or row.dynamic_key,
        state=state,
        result=result,
        child_flow_run_id=state.state_details.child_flow_run_id if state is not None else None,
    )
