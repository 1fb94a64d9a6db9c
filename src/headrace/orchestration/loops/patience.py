"""Patience: ends runs that were paused and that nobody has resumed in time."""

from __future__ import annotations

from uuid import UUID

from headrace.base.clock import SYSTEM, Clock, to_micros
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.proposals import load_flow_run, propose
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import FAILED, PAUSED
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.state import StateCreate
from headrace.storage import runs
from headrace.storage.database import Database
from headrace.storage.rows import FlowRunRow, to_current_state

INTERVAL = 5.0
"""Seconds from one look to the next."""
GRACE = 10_000_000
"""How long, in microseconds, the process of a run that waits in it has to say by itself that its time has passed."""
BATCH = 200
"""How many runs are loaded at once."""


class Patience(Loop):
    """Fails runs that are paused past their time: suspended ones, which nobody executes, above all."""

    name = "patience"

    def __init__(
        self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL, batch: int = BATCH
    ) -> None:
        super().__init__(database, clock, interval)
        self._batch = batch

    def run_once(self) -> int:
        """Look once; how many runs have failed by it."""
        return sum(self._fail(desk, row) for desk in self._desks() for row in self._find(desk))

    def _find(self, desk: Desk) -> list[FlowRunRow]:
        """The runs whose time has passed."""
        now = self._clock.micros()
        found: list[FlowRunRow] = []
        after: UUID | None = None
        while True:
            rows = desk.read(
                lambda unit, last=after: runs.list_runs_in(
                    unit.connection, unit.workspace_id, PAUSED, last, self._batch
                )
            )
            for row in rows:
                state = to_current_state(row)
                ends = state.state_details.pause_timeout if state is not None else None
                if ends is not None and to_micros(ends) + GRACE < now:
                    found.append(row)
            if len(rows) < self._batch:
                return found
            after = rows[-1].id

    def _fail(self, desk: Desk, seen: FlowRunRow) -> bool:
        """Fail a run, unless it has moved on since it was seen: it may be paused anew."""
        state = StateCreate(type=FAILED, message="The run was paused and not resumed in time.")

        def fail(unit: Unit) -> bool:
            row = load_flow_run(unit, seen.id)
            if row is None or row.state_ordinal != seen.state_ordinal:
                return False
            decision = propose(unit, Proposal(flow_run_id=seen.id, state=state))
            return isinstance(decision, Decision) and decision.written

        return desk.write(fail)

    def _report(self, done: int) -> None:
        self._log.info("%d flow runs were not resumed in time.", done)
