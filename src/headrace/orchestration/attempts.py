"""Further attempts of flow runs: what earlier ones left behind, and the runs that are opened again."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import msgspec

from headrace.base.errors import HeadraceError, InvalidRequest, ObjectNotFound
from headrace.orchestration.parameters import check_some_parameters
from headrace.orchestration.proposals import load_flow_run, propose, stale
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import COMPLETED, CRASHED, PENDING, SCHEDULED, is_terminal
from headrace.schema.checkpoint import Checkpoint, Reopening
from headrace.schema.identities import call_of, forget_call
from headrace.schema.orchestration import Claim, Decision, Proposal
from headrace.schema.state import StateCreate
from headrace.schema.wire import decode_json
from headrace.storage import compiled, deployments
from headrace.storage.rows import FlowRunRow, TaskRunRow, to_current_fact, to_state
from headrace.storage.texts import storable_json

RECORD = ("storage_key", "location", "serializer", "size", "expiration")
"""What a state tells of a value that was kept, in the order in which the record of it is read."""


LEFT = "Its parent goes on in another attempt."


def list_checkpoints(unit: Unit, flow_run_id: UUID) -> list[Checkpoint]:
    """The calls that the attempts of a flow run have made and that have an identity, oldest first."""
    rows = [TaskRunRow(*values) for values in unit.fetch(compiled.find_calls, flow_run_id=flow_run_id)]
    # What a transaction kept at its end is known by the record alone: the state had been told before.
    kept = {values[0]: values[1:] for values in unit.fetch(compiled.find_results_of_flow_run, flow_run_id=flow_run_id)}
    return [_checkpoint(row, kept.get(row.id)) for row in rows]


def reopen_flow_run(unit: Unit, request: Reopening) -> Claim:
    """Let a run that has ended begin another attempt.

    Raises `ObjectNotFound`, `StaleEpoch` when the attempt of the parent that takes it up is over, and `InvalidRequest` for a
    run that has not ended, that nobody could start, or that has no such task, and for parameters that its deployment refuses.
    """
    rows = unit.fetch(compiled.lock_flow_run, id=request.flow_run_id)
    if not rows:
        raise ObjectNotFound(f"There is no flow run with id {request.flow_run_id}.")
    row = FlowRunRow._make(rows[0])
    fact = to_current_fact(row)
    ended = fact is not None and is_terminal(fact.type)
    if request.parent_task_run_id is not None:
        _check_parent(unit, row, request)
    elif not ended:
        raise InvalidRequest(f"Flow run {row.name!r} is {row.state_name}: only a run that has ended can be run again.")
    if request.presence is None and row.deployment_id is None:
        raise InvalidRequest(
            f"Flow run {row.name!r} has no deployment, so no worker could start it; "
            "it can be run again where its code is."
        )
    if request.from_task is not None:
        _forget_from(unit, row, request.from_task)
    if request.parameters:
        _check_parameters(unit, row, request.parameters)
        told = {**decode_json(row.parameters), **request.parameters}
        unit.execute(compiled.change_flow_run_parameters, id=row.id, new_parameters=storable_json(told))
    if not ended:
        _enter(unit, Proposal(flow_run_id=row.id, state=StateCreate(type=CRASHED, message=LEFT)))
    if request.parent_task_run_id is not None:
        unit.execute(compiled.move_flow_run_to_parent, id=row.id, new_parent_task_run_id=request.parent_task_run_id)
    decision = _enter(unit, Proposal(flow_run_id=row.id, state=StateCreate(type=SCHEDULED, message=request.message)))
    if request.presence is not None:
        taken = StateCreate(type=PENDING, message=request.message)
        decision = _enter(unit, Proposal(flow_run_id=row.id, state=taken, presence=request.presence))
    return Claim(flow_run=decision.flow_run, epoch=decision.epoch)


def _check_parameters(unit: Unit, row: FlowRunRow, given: dict[str, Any]) -> None:
    """Raise unless the deployment of a run, if there still is one, takes these."""
    if row.deployment_id is not None:
        for deployment in deployments.find_deployments(unit.connection, unit.workspace_id, [row.deployment_id]):
            check_some_parameters(deployment, given)


def _check_parent(unit: Unit, child: FlowRunRow, request: Reopening) -> None:
    """Raise unless the attempt that takes a subflow's run up is one of the same parent, and the one that counts."""
    of = [_find_parent(unit, id_) for id_ in (child.parent_task_run_id, request.parent_task_run_id)]
    if of[0] is None or of[0] != of[1]:
        raise InvalidRequest(f"Flow run {child.name!r} belongs to no earlier attempt of what wants to go on with it.")
    parent = load_flow_run(unit, of[0])
    if parent is not None and request.parent_epoch not in {None, parent.epoch}:
        raise stale(parent, request.parent_epoch)


def _find_parent(unit: Unit, task_run_id: UUID | None) -> UUID | None:
    """The flow run that a task run belongs to."""
    rows = unit.fetch(compiled.find_task_run, id=task_run_id) if task_run_id is not None else []
    return TaskRunRow._make(rows[0]).flow_run_id if rows else None


def _enter(unit: Unit, proposal: Proposal) -> Decision:
    """Have a run enter a state because somebody insists."""
    decision = propose(unit, msgspec.structs.replace(proposal, force=True))
    if isinstance(decision, HeadraceError):
        raise decision
    return decision


def _forget_from(unit: Unit, run: FlowRunRow, task: str) -> None:
    """Have no call of a task restored, nor any that may have depended on it: that began after the first was finished."""
    rows = [TaskRunRow(*values) for values in unit.fetch(compiled.find_calls, flow_run_id=run.id)]
    of_task = [row for row in rows if task in _names_of_task(row)]
    if not of_task:
        known = ", ".join(_list_tasks(rows)) or "none, for it is not durable"
        raise InvalidRequest(f"Flow run {run.name!r} has no task {task!r} that could be run again; its tasks: {known}.")
    finished = [row for row in of_task if row.state_type == COMPLETED]
    # A call that failed gave nothing to depend on, unless none did better: then what followed may have seen it fail.
    ended = min((row.end_time for row in finished or of_task if row.end_time is not None), default=None)
    again = {row.id for row in of_task}
    for row in rows:
        began = row.end_time if row.start_time is None else row.start_time  # one that was cached has never run
        later = ended is not None and began is not None and began >= ended
        if later or row.id in again:
            unit.execute(compiled.change_dynamic_key, id=row.id, new_dynamic_key=forget_call(row.dynamic_key))


def _names_of_task(row: TaskRunRow) -> set[str]:
    """What people may call the task: its function's name, with and without what that is in, and its run's name."""
    function = _function_of(row)
    return {function, function.rpartition(".")[2], row.name, _without_number(row)} - {""}


def _list_tasks(rows: list[TaskRunRow]) -> list[str]:
    """The tasks, by the name that their runs have, or that of their functions where each run has one of its own."""
    shown: dict[str, set[str]] = {}
    for row in rows:
        shown.setdefault(_function_of(row), set()).add(_without_number(row))
    return sorted(min(names) if len(names) == 1 else function.rpartition(".")[2] for function, names in shown.items())


def _function_of(row: TaskRunRow) -> str:
    return row.task_key.rpartition("-")[0] or row.task_key


def _without_number(row: TaskRunRow) -> str:
    return re.sub(r"(-\d+)+$", "", row.name)


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
