"""The reaper: looks for attempts that have died, and crashes their runs."""

from __future__ import annotations

from uuid import UUID

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import HeadraceError
from headrace.orchestration.deaths import BeatingAttempt, crash_if_dead, crash_silent, find_beating
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.loop import Loop
from headrace.rules.liveness import Watch
from headrace.storage.database import Database

INTERVAL = 5.0
"""Seconds from one look to the next."""
SLOW = 1.0
"""Seconds that reading the little that a look reads takes only where the database was away meanwhile."""


class Reaper(Loop):
    """Crashes the runs of attempts that have died.

    Beats are judged by the clock's monotonic time and by what this reaper has itself seen; a look that comes much later
    than it should begins anew, so an outage or a sleeping machine kills nobody.
    """

    name = "reaper"

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        super().__init__(database, clock, interval)
        self._watch = Watch[UUID](gap=4 * interval)

    def run_once(self) -> int:
        """Look once; how many runs were crashed."""
        try:
            begun = self._clock.monotonic()
            desks = self._desks()
            beating = [(desk, attempt) for desk in desks for attempt in desk.read(find_beating)]
            waited = self._clock.monotonic() - begun
            locked = sum(crash_if_dead(desk) for desk in desks)
        except HeadraceError:
            self._watch.forget()
            raise
        if waited > SLOW:
            self._watch.forget()  # the database was away: nobody could beat
        dead = {*self._watch.look([attempt.pulse() for _, attempt in beating], self._clock.monotonic())}
        silent: dict[Desk, list[BeatingAttempt]] = {}
        for desk, attempt in beating:
            if attempt.flow_run_id in dead:
                silent.setdefault(desk, []).append(attempt)
        return locked + sum(crash_silent(desk, attempts) for desk, attempts in silent.items())

    def _report(self, done: int) -> None:
        self._log.warning("%d flow runs crashed: their processes have died.", done)
