"""Claims on background runs: each goes to one task worker at a time, and back to all of them when that one is gone."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.orchestration import background
from headrace.orchestration.leases import release_lease, take_lease
from headrace.orchestration.states import to_state_fact
from headrace.orchestration.task_runs import lock_rows, move
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import CRASHED, PENDING, SCHEDULED
from headrace.schema.state import StateCreate, StateDetails
from headrace.schema.task_worker import WORKER_EPOCH, TaskClaim, TaskClaimRequest, TaskClaims, TaskWorker
from headrace.storage import compiled
from headrace.storage.background_rows import BackgroundRow, TaskWorkerRow, to_task_worker
from headrace.storage.rows import TaskRunRow, to_task_run
from headrace.storage.texts import storable, storable_json

MOST_DEATHS = 3
"""How many workers may die with a run before it is taken for the cause."""


def claim_task_runs(unit: Unit, request: TaskClaimRequest) -> TaskClaims:
    """Take background runs that are due, oldest first, under a new epoch; the worker's lease is kept."""
    recognised = _keep_worker(unit, request)
    rows = [
        row._replace(due=None, holder_id=request.worker_id, epoch=row.epoch + 1)
        for row in _lock_due(unit, request.task_keys, request.limit)
    ]
    background.replace(unit, rows)
    runs = lock_rows(unit, [row.task_run_id for row in rows])
    if request.announce:
        runs |= _enter(unit, [(runs[row.task_run_id], _pending(row)) for row in rows])
    claims = [
        TaskClaim(
            task_run=to_task_run(runs[row.task_run_id], unit.now), epoch=row.epoch, parameters_id=row.parameters_id
        )
        for row in rows
    ]
    due = _find_next_due(unit, request.task_keys) if len(rows) < request.limit else None
    return TaskClaims(claims=claims, recognised=recognised, next_due=None if due is None else to_datetime(due))


def release_task_run(unit: Unit, task_run_id: UUID, epoch: int) -> bool:
    """Give a claimed run back; False when the claim was not held any more."""
    held = [row for row in background.lock(unit, [task_run_id]) if row.epoch == epoch and row.holder_id is not None]
    _give_back(unit, held, "Its worker has given it back.")
    return bool(held)


def hand_over_task_run(unit: Unit, task_run_id: UUID, epoch: int) -> bool:
    """Let a claimed run go to who executes it without a lease; False when the claim was not held any more."""
    held = [row for row in background.lock(unit, [task_run_id]) if row.epoch == epoch and row.holder_id is not None]
    background.replace(unit, [row._replace(holder_id=None) for row in held])
    return bool(held)


def end_task_worker(unit: Unit, worker_id: UUID, death: str | None = None) -> bool:
    """Take back what a worker has, and forget it; False when it is not known.

    `death` says that it has died, and of what: what it had counts that, and is given up at the third time.
    """
    if not unit.execute(compiled.forget_task_worker, id=worker_id):
        return False
    release_lease(unit, worker_id)
    held = [BackgroundRow._make(row) for row in unit.fetch(compiled.lock_held_background_runs, holder_id=worker_id)]
    if death is not None:
        held = [row._replace(deaths=row.deaths + 1) for row in held]
        _give_up(unit, [row for row in held if row.deaths >= MOST_DEATHS], death)
        held = [row for row in held if row.deaths < MOST_DEATHS]
    _give_back(unit, held, death or "Its worker has given it back.")
    return True


def list_task_workers(unit: Unit, task_keys: Sequence[str]) -> list[TaskWorker]:
    """The workers that are there, of some tasks if any are named."""
    workers = [to_task_worker(TaskWorkerRow._make(row)) for row in unit.fetch(compiled.find_task_workers)]
    return [worker for worker in workers if not task_keys or not set(task_keys).isdisjoint(worker.task_keys)]


def _keep_worker(unit: Unit, request: TaskClaimRequest) -> bool:
    """Make the worker known, or see that it still is."""
    recognised = bool(unit.fetch(compiled.find_lease, flow_run_id=request.worker_id))
    row = (request.worker_id, storable(request.name), storable_json(request.task_keys), unit.now, unit.now)
    unit.insert(compiled.keep_task_workers, [row])
    if not recognised:
        take_lease(unit, request.worker_id, WORKER_EPOCH, request.presence, request.name)
    return recognised


def _lock_due(unit: Unit, task_keys: Sequence[str], limit: int) -> list[BackgroundRow]:
    """The oldest runs that are due, held. Each task is asked for by itself: so its index tells which are the first."""
    found = [
        BackgroundRow._make(row)
        for key in (dict.fromkeys(task_keys) if limit else ())
        for row in unit.fetch(compiled.lock_due_background_runs, task_key=key, before=unit.now, limit=limit)
    ]
    return sorted(found, key=_order)[:limit]


def _order(row: BackgroundRow) -> tuple[int, UUID]:
    return row.due or 0, row.task_run_id


def _find_next_due(unit: Unit, task_keys: Sequence[str]) -> int | None:
    return unit.fetch(compiled.find_next_due_background_run, task_keys=[*task_keys])[0][0]


def _pending(row: BackgroundRow) -> StateCreate:
    return StateCreate(type=PENDING, state_details=_details(row))


def _details(row: BackgroundRow) -> StateDetails:
    return StateDetails(
        task_run_id=row.task_run_id,
        deferred=True,
        task_parameters_id=row.parameters_id,
        scheduled_time=to_datetime(row.scheduled),
    )


def _give_back(unit: Unit, held: Sequence[BackgroundRow], reason: str) -> None:
    """Offer runs again, in the place they had in line. What their worker may still say of them is history."""
    if not held:
        return
    runs = lock_rows(unit, [row.task_run_id for row in held])
    rows = [row._replace(due=row.scheduled, holder_id=None, epoch=row.epoch + 1) for row in held]
    background.replace(unit, rows)
    moved = [
        (runs[row.task_run_id], StateCreate(type=SCHEDULED, message=reason, state_details=_details(row)))
        for row in rows
        if not _still_waits(runs[row.task_run_id])
    ]
    _enter(unit, moved)
    background.tell(unit, [(row.task_run_id, row.task_key) for row in rows], due=True)


def _still_waits(run: TaskRunRow) -> bool:
    """Whether nobody has said of a claimed run that anything has become of it."""
    return run.state_type == SCHEDULED and run.run_count == 0


def _give_up(unit: Unit, held: Sequence[BackgroundRow], death: str) -> None:
    """Crash runs that took too many workers with them."""
    if not held:
        return
    runs = lock_rows(unit, [row.task_run_id for row in held])
    background.replace(unit, [row._replace(epoch=row.epoch + 1) for row in held])
    state = StateCreate(
        type=CRASHED, message=f"{death} So had {MOST_DEATHS - 1} others before, each while it executed this run."
    )
    _enter(unit, [(runs[row.task_run_id], state) for row in held])


def _enter(unit: Unit, moved: Sequence[tuple[TaskRunRow, StateCreate]]) -> dict[UUID, TaskRunRow]:
    """Let runs, whose rows are held, enter a state each; the rows as they are then."""
    facts = [
        (run, to_state_fact(state, run.state_ordinal + 1, max(unit.now, (run.state_timestamp or 0) + 1)), run.run_count)
        for run, state in moved
    ]
    return {row.id: row for row in move(unit, facts)}
