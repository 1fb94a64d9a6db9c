"""The scheduler: makes the runs of schedules ahead of their time."""

from __future__ import annotations

from headrace.base.clock import SYSTEM, Clock, to_datetime
from headrace.base.errors import InvalidRequest
from headrace.orchestration.deployments import create_run_of
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.schedules import describe_run
from headrace.orchestration.unit import Unit
from headrace.rules.occurrences import DAY, plan_ahead
from headrace.storage import deployments, schedules
from headrace.storage.database import Database
from headrace.storage.deployment_rows import ScheduleRow, to_schedule

INTERVAL = 2.0
"""Seconds from one look to the next: how long a new schedule may wait for its runs."""
BATCH = 200
"""How many schedules are loaded at once."""


class Scheduler(Loop):
    """Makes runs for every schedule that is to be looked at by now, a transaction for each schedule.

    What passed while nobody looked, and was not made ahead, is not made up for.
    """

    name = "scheduler"

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        super().__init__(database, clock, interval)

    def run_once(self) -> int:
        """Look at what is to be looked at; how many runs were made."""
        return sum(self._look_at(desk, row) for desk in self._desks() for row in self._find(desk))

    def _find(self, desk: Desk) -> list[ScheduleRow]:
        return desk.read(
            lambda unit: schedules.find_schedules_to_look_at(unit.connection, unit.workspace_id, unit.now, BATCH)
        )

    def _look_at(self, desk: Desk, row: ScheduleRow) -> int:
        now = self._clock.micros()
        try:
            # Outside of a transaction: working out a rule may take a while.
            planned, look_at = plan_ahead(to_schedule(row), now, row.max_scheduled_runs)
        except InvalidRequest as error:
            self._log.warning("A schedule cannot be worked out any more: %s", error)
            planned, look_at = [], now + DAY
        return desk.write(lambda unit: make_runs(unit, row, planned, look_at))

    def _report(self, done: int) -> None:
        self._log.info("%d flow runs were scheduled.", done)


def make_runs(unit: Unit, seen: ScheduleRow, planned: list[int], look_at: int | None) -> int:
    """Make runs for the instants of a schedule, unless it is not as it was seen; how many were made."""
    if not schedules.move_on(unit.connection, unit.workspace_id, seen, look_at):
        return 0
    made = 0
    for row in deployments.find_deployments(unit.connection, unit.workspace_id, [seen.deployment_id]):
        for instant in planned:
            run = create_run_of(unit, row, *describe_run(row, seen, instant))
            made += run.created == to_datetime(unit.now)
    return made
