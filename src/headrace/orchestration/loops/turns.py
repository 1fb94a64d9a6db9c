"""Turns: skips slots that nobody has started in time, and lets runs go on that waited for an earlier one of their schedule."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from headrace.base.clock import SYSTEM, Clock, to_datetime
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.proposals import load_flow_run, propose
from headrace.orchestration.turns import load_turn
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import AWAITING_TURN, SCHEDULED
from headrace.rules.turns import is_too_late, too_late
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.state import StateCreate, StateDetails
from headrace.storage import schedules
from headrace.storage.database import Database

INTERVAL = 2.0
"""Seconds from one look to the next: how long a run may wait after the earlier one has ended."""
BATCH = 200
"""How many runs are loaded at once."""


class Turns(Loop):
    """Looks after runs whose schedule says how late they may begin, or what they do beside an earlier one."""

    name = "turns"

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        super().__init__(database, clock, interval)

    def run_once(self) -> int:
        """Look once; how many runs were skipped or have their turn."""
        done = 0
        for desk in self._desks():
            settle = partial(self._settle, desk)
            done += self._drain(partial(self._find_passed, desk), settle, BATCH)
            done += sum(map(settle, self._find_waiting(desk)))
        return done

    def resume(self, since: int) -> int:
        """Skip what has passed meanwhile, before anybody can take it."""
        return self.run_once()

    def _find_passed(self, desk: Desk) -> list[UUID]:
        return desk.read(lambda unit: schedules.find_passed_slots(unit.connection, unit.workspace_id, unit.now, BATCH))

    def _find_waiting(self, desk: Desk) -> list[UUID]:
        """The first of each schedule's runs that wait for their turn."""
        waiting = desk.read(
            lambda unit: schedules.find_runs_awaiting(unit.connection, unit.workspace_id, AWAITING_TURN, BATCH)
        )
        first: dict[UUID, UUID] = {}
        for run_id, schedule_id in waiting:
            first.setdefault(schedule_id, run_id)
        return [*first.values()]

    def _settle(self, desk: Desk, run_id: UUID) -> bool:
        return desk.write(lambda unit: settle(unit, run_id))

    def _report(self, done: int) -> None:
        self._log.info("%d flow runs of schedules were skipped, or have their turn.", done)


def settle(unit: Unit, run_id: UUID) -> bool:
    """Skip a run whose slot has passed, or let one begin whose turn it is; whether anything was done."""
    row = load_flow_run(unit, run_id)
    turn = load_turn(unit, row) if row is not None and row.state_type == SCHEDULED else None
    if row is None or turn is None:
        return False
    state: StateCreate | None = None
    if is_too_late(turn, unit.now):
        state = too_late(turn)
    elif row.state_name == AWAITING_TURN and not turn.under_way:
        details = StateDetails(scheduled_time=to_datetime(unit.now))
        state = StateCreate(type=SCHEDULED, message="The earlier run has ended.", state_details=details)
    if state is None:
        return False
    decision = propose(unit, Proposal(flow_run_id=run_id, state=state))
    return isinstance(decision, Decision) and decision.written
