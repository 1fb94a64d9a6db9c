"""Background runs: task runs that somebody else is to execute, from when they are offered until they have ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from headrace.orchestration.events import BACKGROUND, append
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import NOT_READY, SCHEDULED, is_terminal
from headrace.schema.fact import StateFact
from headrace.schema.state import StateType
from headrace.storage import compiled
from headrace.storage.background_rows import BackgroundRow
from headrace.storage.rows import TaskRunRow, to_details
from headrace.storage.texts import storable_json


def offer(unit: Unit, run: TaskRunRow, state: StateFact) -> None:
    """Offer a run to task workers if its state, which it has just entered, is one that defers it; again, if it was before."""
    details = to_details(state.details)
    if state.type is not SCHEDULED or not details.deferred:
        return
    due = run.next_scheduled_start_time or unit.now
    known = lock(unit, [run.id])
    if known:
        row = known[0]._replace(parameters_id=details.task_parameters_id or known[0].parameters_id)
        replace(unit, [row._replace(scheduled=due, due=due, holder_id=None, epoch=row.epoch + 1, deaths=0)])
    else:
        row = BackgroundRow(run.id, run.task_key, details.task_parameters_id, due, due, None, 0, 0, unit.now, unit.now)
        unit.insert(compiled.insert_background_runs, [row])
    tell(unit, [(run.id, run.task_key)], due=True)


def settle(unit: Unit, runs: Iterable[TaskRunRow]) -> None:
    """Of task runs that have just moved, let nobody have, or wait for, those that have ended."""
    ids = [run.id for run in runs if is_over(run)]
    if not ids:
        return
    ended = lock(unit, ids)
    replace(unit, [row._replace(due=None, holder_id=None) for row in ended])
    tell(unit, [(row.task_run_id, row.task_key) for row in ended], due=False)


def is_over(run: TaskRunRow) -> bool:
    """Whether nobody will go on with a run: it has ended, or what it needs did not complete."""
    return run.state_type is not None and (is_terminal(StateType(run.state_type)) or run.state_name == NOT_READY)


def lock(unit: Unit, ids: Collection[UUID]) -> list[BackgroundRow]:
    """The rows of those among the task runs that are background runs, held."""
    return [BackgroundRow._make(row) for row in unit.fetch(compiled.lock_background_runs, ids=[*ids])]


def replace(unit: Unit, rows: Sequence[BackgroundRow]) -> None:
    """Write back rows that are held."""
    if rows:
        unit.insert(compiled.replace_background_runs, [row._replace(updated=unit.now) for row in rows])


def tell(unit: Unit, runs: Sequence[tuple[UUID, str]], *, due: bool) -> None:
    """Append to the log that background runs are due, or have ended, for whoever waits for that."""
    append(unit, [(BACKGROUND, run_id, None, unit.now, _body(key, due)) for run_id, key in runs])


def find_stale(unit: Unit, attempts: dict[UUID, int]) -> frozenset[UUID]:
    """The background runs that are executed under another epoch than a writer thinks."""
    epochs: list[tuple[Any, ...]] = unit.fetch(compiled.find_background_epochs, ids=[*attempts]) if attempts else []
    return frozenset(run_id for run_id, epoch in epochs if attempts[run_id] != epoch)


def _body(task_key: str, due: bool) -> str:
    return storable_json({"task_key": task_key, "due": due})
