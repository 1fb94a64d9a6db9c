"""Task runs: rows that follow from the states their engines report, and the few states that others decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import msgspec

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration import background
from headrace.orchestration.events import EventRow, append, event_row, load_histories
from headrace.orchestration.states import pack_rest, to_progress, to_state_fact
from headrace.orchestration.tags import keep_task_run_tags
from headrace.orchestration.unit import Unit
from headrace.rules.bookkeeping import Progress, enter, number_outside, project
from headrace.rules.task_policy import refuse_task_run
from headrace.rules.transitions import CRASHED, PENDING, RUNNING, SCHEDULED, is_terminal
from headrace.rules.verdicts import Reject
from headrace.schema.fact import StateFact
from headrace.schema.orchestration import TaskDecision, Verb
from headrace.schema.run import TaskRun, TaskRunCreate
from headrace.schema.state import StateCreate, StateType
from headrace.storage import compiled
from headrace.storage.rows import TaskRunRow, to_current_state, to_state, to_task_run
from headrace.storage.texts import storable, storable_json


def read_task_run(unit: Unit, task_run_id: UUID) -> TaskRun:
    """The task run. Raises `ObjectNotFound`."""
    rows = unit.fetch(compiled.find_task_run, id=task_run_id)
    if not rows:
        raise ObjectNotFound(f"There is no task run with id {task_run_id}.")
    return to_task_run(TaskRunRow(*rows[0]), unit.now)


def create_task_run(unit: Unit, create: TaskRunCreate) -> TaskRun:
    """Create a task run, once for each id and for each call within its flow run, and return it."""
    known = _find_existing(unit, create)
    if known is not None:
        return to_task_run(known, unit.now)
    run_id = create.id or uuid7()
    first = _first_state(create, run_id, unit.now)
    row = advance(_new_row(create, run_id, first, unit.now), [first], unit.now)
    if unit.insert(compiled.insert_task_runs, [row]):
        keep_task_run_tags(unit, [row])
        append(unit, [event_row("task-run", run_id, create.flow_run_id, [first])])
        background.offer(unit, row, first)
    return read_task_run(unit, run_id)


def advance(
    row: TaskRunRow,
    states: Sequence[StateFact],
    now: int,
    history: Callable[[], Iterable[StateFact]] = tuple,
    run_count: int = 0,
) -> TaskRunRow:
    """The row after more states of its run arrived; `history` gives those that had arrived before."""
    return _with_progress(row, project(to_progress(row), states, history, run_count), now)


def _with_progress(row: TaskRunRow, after: Progress, now: int) -> TaskRunRow:
    """The row with the columns that follow from its states."""
    state = after.state
    unmoved = state is None or (state.ordinal, state.timestamp) == (row.state_ordinal, row.state_timestamp)
    return row._replace(
        run_count=after.run_count,
        next_scheduled_start_time=after.next_scheduled_start_time,
        start_time=after.start_time,
        end_time=after.end_time,
        total_run_time=after.total_run_time,
        state_type=state and state.type,
        state_name=state and storable(state.name),
        state_timestamp=state and state.timestamp,
        state_ordinal=state.ordinal if state else 0,
        state=row.state if unmoved or state is None else pack_rest(state),
        updated=now,
    )


def propose_task_run_state(unit: Unit, task_run_id: UUID, state: StateCreate, force: bool) -> TaskDecision:
    """Decide on a state proposed for a task run, and write it if it may be. Raises `ObjectNotFound`."""
    rows = unit.fetch(compiled.lock_task_runs, ids=[task_run_id])
    if not rows:
        raise ObjectNotFound(f"There is no task run with id {task_run_id}.")
    row = TaskRunRow(*rows[0])
    before = to_current_state(row)
    refused = None if force else refuse_task_run(before and before.type, state.type, state.name)
    if refused is not None:
        verb = Verb.REJECT if isinstance(refused, Reject) else Verb.ABORT
        return TaskDecision(verb=verb, state=before, written=False, reason=refused.reason)
    fact = to_state_fact(state, row.state_ordinal + 1, max(unit.now, (row.state_timestamp or 0) + 1))
    run_count = row.run_count + (state.type is RUNNING)
    if before is not None and is_terminal(before.type):
        moved = _reopen(unit, row, fact, run_count)
    else:
        (moved,) = move(unit, [(row, fact, run_count)])
    background.offer(unit, moved, fact)
    return TaskDecision(verb=Verb.ACCEPT, state=to_state(row.id, fact), written=True)


def mirror_child(unit: Unit, parent_task_run_id: UUID, child_id: UUID, state: StateFact, run_count: int) -> None:
    """Let the task run that stands for a subflow enter the state its flow run entered."""
    rows = unit.fetch(compiled.lock_task_runs, ids=[parent_task_run_id])
    if rows:
        row = TaskRunRow(*rows[0])
        details = {**(state.details or {}), "child_flow_run_id": str(child_id)}
        mirrored = msgspec.structs.replace(state, ordinal=row.state_ordinal + 1, details=details)
        move(unit, [(row, mirrored, run_count)])


def crash_unfinished(unit: Unit, flow_run_id: UUID, message: str) -> None:
    """Let the task runs of a flow run that had not ended have died with it, but for those that others execute."""
    end_unfinished(unit, flow_run_id, CRASHED, message)


def end_unfinished(unit: Unit, flow_run_id: UUID, end: StateType, message: str) -> None:
    """Let the task runs of a flow run that had not ended have ended from outside, but for those that others execute."""
    moved: list[tuple[TaskRunRow, StateFact, int]] = []
    for values in unit.fetch(compiled.lock_unfinished_task_runs, flow_run_id=flow_run_id):
        row = TaskRunRow(*values)
        time = max(unit.now, (row.state_timestamp or 0) + 1)
        number = number_outside(row.state_ordinal)
        ended = StateFact(number, end, end.capitalize(), time, message, details=_subflow_of(row))
        moved.append((row, ended, 0))
    kept = {row.task_run_id for row in background.lock(unit, [row.id for row, _, _ in moved])} if moved else set[UUID]()
    move(unit, [each for each in moved if each[0].id not in kept])


def _subflow_of(row: TaskRunRow) -> dict[str, str] | None:
    """What the state of a task run says of the subflow it stands for."""
    state = to_current_state(row)
    child = state.state_details.child_flow_run_id if state is not None else None
    return None if child is None else {"child_flow_run_id": str(child)}


def _reopen(unit: Unit, row: TaskRunRow, state: StateFact, run_count: int) -> TaskRunRow:
    """Let a task run that had ended enter a state all the same, because somebody insists; the row as it is then."""
    after = enter(to_progress(row), state, run_count)
    moved = _with_progress(row, after, unit.now)
    unit.insert(compiled.replace_task_runs, [moved])
    append(unit, [event_row("task-run", row.id, row.flow_run_id, [state])])
    return moved


def lock_rows(unit: Unit, ids: Sequence[UUID]) -> dict[UUID, TaskRunRow]:
    """The rows of task runs by their ids, held."""
    rows = [TaskRunRow._make(row) for row in unit.fetch(compiled.lock_task_runs, ids=[*ids])] if ids else []
    return {row.id: row for row in rows}


def move(unit: Unit, moved: Sequence[tuple[TaskRunRow, StateFact, int]]) -> list[TaskRunRow]:
    """Let task runs, whose rows are held, enter one state each; the rows as they are then."""
    if not moved:
        return []
    rows: list[TaskRunRow] = []
    events: list[EventRow] = []
    for row, state, run_count in moved:
        history = lambda row=row: load_histories(unit, [row.id]).get(row.id, ())  # noqa: E731
        rows.append(advance(row, [state], unit.now, history, run_count))
        events.append(event_row("task-run", row.id, row.flow_run_id, [state]))
    unit.insert(compiled.replace_task_runs, rows)
    append(unit, events)
    background.settle(unit, rows)
    return rows


def _find_existing(unit: Unit, create: TaskRunCreate) -> TaskRunRow | None:
    rows: list[tuple[object, ...]] = []
    if create.id is not None:
        rows = unit.fetch(compiled.find_task_run, id=create.id)
    key = {"task_key": create.task_key, "dynamic_key": create.dynamic_key}
    if not rows and create.flow_run_id is None:
        rows = unit.fetch(compiled.find_loose_task_run_by_key, **key)
    elif not rows:
        # Two who create the same call at once wait for one another here.
        unit.fetch(compiled.lock_flow_run, id=create.flow_run_id)
        rows = unit.fetch(compiled.find_task_run_by_key, flow_run_id=create.flow_run_id, **key)
    return TaskRunRow._make(rows[0]) if rows else None


def _first_state(create: TaskRunCreate, run_id: UUID, now: int) -> StateFact:
    state = create.state or StateCreate(type=PENDING)
    details = msgspec.structs.replace(state.state_details, task_run_id=run_id, flow_run_id=create.flow_run_id)
    if state.type is SCHEDULED and details.scheduled_time is None:
        details.scheduled_time = to_datetime(now)
    return to_state_fact(msgspec.structs.replace(state, state_details=details), 1, now)


def _new_row(create: TaskRunCreate, run_id: UUID, first: StateFact, now: int) -> TaskRunRow:
    time = create.state.state_details.scheduled_time if create.state else None
    return TaskRunRow(
        id=run_id,
        flow_run_id=create.flow_run_id,
        task_key=storable(create.task_key),
        dynamic_key=storable(create.dynamic_key),
        name=storable(create.name or f"{create.task_key}-{create.dynamic_key}"),
        tags=storable_json(create.tags),
        labels=None if create.labels is None else storable_json(create.labels),
        run_count=0,
        expected_start_time=to_micros(time) if time else first.timestamp,
        next_scheduled_start_time=None,
        start_time=None,
        end_time=None,
        total_run_time=0,
        state_type=None,
        state_name=None,
        state_timestamp=None,
        state_ordinal=0,
        state=None,
        flow_run_run_count=0,
        task_version=create.task_version,
        cache_key=create.cache_key and storable(create.cache_key),
        cache_expiration=to_micros(create.cache_expiration) if create.cache_expiration else None,
        empirical_policy=storable_json(create.empirical_policy),
        task_inputs=storable_json(create.task_inputs),
        created=now,
        updated=now,
    )
