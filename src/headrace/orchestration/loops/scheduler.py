"""The scheduler: makes the runs of schedules ahead of their time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from headrace.base.clock import SYSTEM, Clock, to_datetime
from headrace.base.errors import InvalidRequest
from headrace.orchestration.deployments import create_run_of
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.schedules import describe_run, skip_missed
from headrace.orchestration.unit import Unit
from headrace.rules.occurrences import DAY, OUTAGE, missed_slots, plan_ahead
from headrace.storage import deployments, schedules
from headrace.storage.database import Database
from headrace.storage.deployment_rows import ScheduleRow, to_schedule

INTERVAL = 2.0
"""Seconds from one look to the next: how long a new schedule may wait for its runs."""
BATCH = 200
"""How many schedules are loaded at once, and how many runs are made in one transaction."""


class Scheduler(Loop):
    """Makes runs for every schedule that is to be looked at by now, a transaction for each schedule.

    What passed while nobody looked is made up for as each schedule says: without a word, what was made ahead starts late, and
    nothing more is made.
    """

    name = "scheduler"

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        super().__init__(database, clock, interval)

    def run_once(self) -> int:
        """Look at what is to be looked at; how many runs were made."""
        return sum(
            self._drain(partial(self._find, desk), partial(self._look_at, desk), BATCH) for desk in self._desks()
        )

    def resume(self, since: int) -> int:
        """Make up for the slots that passed since an instant, where a schedule says how; how many runs were made."""
        if self._clock.micros() - since < OUTAGE:
            return 0
        return sum(
            self._make_up(desk, row, max(since, row.updated)) for desk in self._desks() for row in self._list(desk)
        )

    def _list(self, desk: Desk) -> Iterator[ScheduleRow]:
        """The schedules that say what becomes of slots that nobody saw pass."""
        after: UUID | None = None
        while True:
            rows = desk.read(
                lambda unit, last=after: schedules.list_catching_up(unit.connection, unit.workspace_id, last, BATCH)
            )
            yield from rows
            if len(rows) < BATCH:
                return
            after = rows[-1].id

    def _make_up(self, desk: Desk, row: ScheduleRow, since: int) -> int:
        now = self._clock.micros()
        assert row.catchup is not None
        try:
            slots, is_cut = missed_slots(to_schedule(row), since, now, row.catchup)
        except InvalidRequest as error:
            self._log.warning("A schedule cannot be worked out any more: %s", error)
            return 0
        if is_cut:
            self._log.warning("Schedule %s missed more than %d slots: the latest are made up for.", row.key, len(slots))
        if row.catchup != "all":
            desk.write(lambda unit: skip_missed(unit, row, since, now, slots))
        made = 0
        for start in range(0, len(slots), BATCH):
            made += desk.write(lambda unit, part=slots[start : start + BATCH]: make_runs(unit, row, part, row.look_at))
        return made

    def _find(self, desk: Desk) -> list[ScheduleRow]:
        return desk.read(
            lambda unit: schedules.find_schedules_to_look_at(unit.connection, unit.workspace_id, unit.now, BATCH)
        )

    def _look_at(self, desk: Desk, row: ScheduleRow) -> int:
        now = self._clock.micros()
        try:
            # Outside of a transaction: working out a rule may take a while.
            planned, look_at = plan_ahead(to_schedule(row), now, row.max_scheduled_runs, row.look_at)
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
    made, wanted = 0, _leave_out_made(unit, seen, planned)
    for row in deployments.find_deployments(unit.connection, unit.workspace_id, [seen.deployment_id]):
        for instant in wanted:
            run = create_run_of(unit, row, *describe_run(row, seen, instant))
            made += run.created == to_datetime(unit.now)
    return made


def _leave_out_made(unit: Unit, seen: ScheduleRow, planned: list[int]) -> list[int]:
    """The instants but for those that have passed and have a run.

    Keys alone cannot tell: what an unnamed schedule says is part of them, and what was due when that was changed stays.
    """
    passed = [instant for instant in planned if instant <= unit.now]
    if not passed:
        return planned
    known = schedules.find_made_slots(unit.connection, unit.workspace_id, seen.id, min(passed), max(passed))
    return [instant for instant in planned if instant not in known]
