"""The reaper: looks for attempts that have died, and crashes their runs."""

from __future__ import annotations

import logging
import threading
from uuid import UUID

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import HeadraceError
from headrace.orchestration.deaths import BeatingAttempt, crash_if_dead, crash_silent, find_beating
from headrace.orchestration.desk import Desk
from headrace.rules.liveness import Watch
from headrace.schema.workspace import Scope
from headrace.storage import compiled
from headrace.storage.database import Database

INTERVAL = 5.0
"""Seconds from one look to the next."""

log = logging.getLogger("headrace.reaper")


class Reaper:
    """Looks every `interval` seconds, over all workspaces, on a thread of its own between `start` and `stop`.

    Beats are judged by the clock's monotonic time and by what this reaper has itself seen; a look that comes much later
    than it should begins anew, so an outage or a sleeping machine kills nobody.
    """

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        self._database = database
        self._clock = clock
        self._interval = interval
        self._watch = Watch(gap=4 * interval)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="headrace-reaper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End looking; a look that has begun is finished."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def run_once(self) -> int:
        """Look once; how many runs were crashed."""
        desks = [Desk(self._database, Scope(workspace), self._clock) for workspace in self._find_workspaces()]
        locked = sum(crash_if_dead(desk) for desk in desks)
        beating = [(desk, attempt) for desk in desks for attempt in desk.read(find_beating)]
        dead = {*self._watch.look([attempt.pulse() for _, attempt in beating], self._clock.monotonic())}
        silent: dict[Desk, list[BeatingAttempt]] = {}
        for desk, attempt in beating:
            if attempt.flow_run_id in dead:
                silent.setdefault(desk, []).append(attempt)
        return locked + sum(crash_silent(desk, attempts) for desk, attempts in silent.items())

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                crashed = self.run_once()
                if crashed:
                    log.warning("%d flow runs crashed: their processes have died.", crashed)
            except HeadraceError as error:
                log.warning("The reaper cannot look just now: %s", error)
            self._stopping.wait(self._interval)

    def _find_workspaces(self) -> list[UUID]:
        return [
            row[0] for row in self._database.read(lambda connection: connection.fetch(compiled.find_workspaces, {}))
        ]
