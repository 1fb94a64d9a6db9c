"""Lateness: says of runs that nobody has started in time that they are late."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from headrace.base.clock import SYSTEM, Clock
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.proposals import propose
from headrace.rules.transitions import LATE, SCHEDULED
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.state import StateCreate
from headrace.storage import schedules
from headrace.storage.database import Database

INTERVAL = 5.0
"""Seconds from one look to the next."""
PATIENCE = 15_000_000
"""How long after its time a run is late, in microseconds."""
BATCH = 200
"""How many runs are loaded at once."""


class Lateness(Loop):
    """Puts runs that are overdue into the state Late. Runs that wait under another name, to try again say, keep it."""

    name = "lateness"

    def __init__(
        self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL, patience: int = PATIENCE
    ) -> None:
        super().__init__(database, clock, interval)
        self._patience = patience

    def run_once(self) -> int:
        """Look once; how many runs are late that were not."""
        return sum(self._drain(partial(self._find, desk), partial(self._mark, desk), BATCH) for desk in self._desks())

    def _find(self, desk: Desk) -> list[UUID]:
        name = SCHEDULED.capitalize()
        return desk.read(
            lambda unit: schedules.find_overdue_runs(
                unit.connection, unit.workspace_id, name, unit.now - self._patience, BATCH
            )
        )

    def _mark(self, desk: Desk, run_id: UUID) -> bool:
        late = Proposal(flow_run_id=run_id, state=StateCreate(type=SCHEDULED, name=LATE))
        decision = desk.write(lambda unit: propose(unit, late))
        return isinstance(decision, Decision) and decision.written

    def _report(self, done: int) -> None:
        self._log.info("%d flow runs are late.", done)
