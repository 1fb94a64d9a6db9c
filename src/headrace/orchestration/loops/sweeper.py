"""The sweeper: finishes cancelling what nobody is left to finish."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from headrace.base.clock import SYSTEM, Clock
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.proposals import load_flow_run, propose
from headrace.orchestration.task_runs import end_unfinished
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import CANCELLED, CANCELLING, SCHEDULED
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.state import StateCreate
from headrace.storage import cancellations, compiled, runs, work_pools
from headrace.storage.database import Database
from headrace.storage.rows import FlowRunRow

INTERVAL = 10.0
"""Seconds from one look to the next."""
GRACE = 60_000_000
"""How long, in microseconds, whoever executes a run has to end it, and what belongs to it, by itself."""
LONG_GRACE = 600_000_000
"""The same where nobody can tell whether somebody still executes it: clients that show no sign of life."""
BATCH = 200
"""How many runs are loaded at once."""


class Sweeper(Loop):
    """Ends runs that are being cancelled and that nobody executes, and what runs left behind that have been cancelled.

    A run whose attempt shows that it lives is left to its attempt, and to the reaper.
    """

    name = "sweeper"

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        super().__init__(database, clock, interval)

    def run_once(self) -> int:
        """Look once; how many runs were ended, or are being ended now."""
        return sum(self._sweep(desk) for desk in self._desks())

    def _sweep(self, desk: Desk) -> int:
        ended = sum(desk.write(lambda unit, row=row: _end(unit, row.id)) for row in self._list_cancelling(desk))
        before = self._clock.micros() - GRACE
        children = desk.read(
            lambda unit: cancellations.find_children(unit.connection, unit.workspace_id, before, BATCH)
        )
        ended += sum(desk.write(lambda unit, child=child: _cancel_child(unit, child)) for child in children)
        parents = desk.read(lambda unit: cancellations.find_parents(unit.connection, unit.workspace_id, before, BATCH))
        for flow_run_id in parents:
            desk.write(lambda unit, run_id=flow_run_id: _end_tasks(unit, run_id))
        return ended + len(parents)

    def _list_cancelling(self, desk: Desk) -> Iterator[FlowRunRow]:
        before = self._clock.micros() - GRACE
        after: UUID | None = None
        while True:
            rows = desk.read(
                lambda unit, last=after: runs.list_runs_in(unit.connection, unit.workspace_id, CANCELLING, last, BATCH)
            )
            yield from (row for row in rows if (row.state_timestamp or 0) < before)
            if len(rows) < BATCH:
                return
            after = rows[-1].id

    def _report(self, done: int) -> None:
        self._log.info("%d runs were ended that somebody had cancelled, or whose parents had been.", done)


def _end(unit: Unit, flow_run_id: UUID) -> bool:
    """End a run that is being cancelled, if nobody is there to do so."""
    row = load_flow_run(unit, flow_run_id)
    if row is None or row.state_type != CANCELLING or unit.fetch(compiled.find_lease, flow_run_id=row.id):
        return False
    grace = LONG_GRACE if row.work_pool_id is None or _is_served(unit, row.work_pool_id) else GRACE
    if unit.now - (row.state_timestamp or 0) < grace:
        return False
    return _propose(unit, row, StateCreate(type=CANCELLED, message="Nothing executed the run any more."))


def _is_served(unit: Unit, work_pool_id: UUID) -> bool:
    return bool(work_pools.find_served_pools(unit.connection, unit.workspace_id, [work_pool_id], unit.now))


def _cancel_child(unit: Unit, flow_run_id: UUID) -> bool:
    """End a subflow of a run that has been cancelled; one that somebody executes is asked to end."""
    row = load_flow_run(unit, flow_run_id)
    if row is None or row.state_type == CANCELLING:
        return False
    held = row.state_type != SCHEDULED and unit.fetch(compiled.find_lease, flow_run_id=row.id)
    state = StateCreate(type=CANCELLING if held else CANCELLED, message="Its parent run was cancelled.")
    return _propose(unit, row, state)


def _end_tasks(unit: Unit, flow_run_id: UUID) -> None:
    end_unfinished(unit, flow_run_id, CANCELLED, "Its flow run was cancelled.")


def _propose(unit: Unit, row: FlowRunRow, state: StateCreate) -> bool:
    decision = propose(unit, Proposal(flow_run_id=row.id, state=state))
    return isinstance(decision, Decision) and decision.written
