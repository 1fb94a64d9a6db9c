"""The keeper: empties the write-ahead log of an SQLite file, however little each process writes."""

from __future__ import annotations

from headrace.base.clock import SYSTEM, Clock
from headrace.orchestration.loops.loop import Loop
from headrace.storage.database import Database

INTERVAL = 30.0
"""Seconds from one look to the next."""


class Keeper(Loop):
    """Looks after the database's files. Scripts that write little never look at how large the log has become; this does."""

    name = "keeper"

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        super().__init__(database, clock, interval)

    def run_once(self) -> int:
        """Look once; 1 if there was something to tidy."""
        return int(self._database.tidy())

    def _report(self, done: int) -> None:
        self._log.debug("The write-ahead log was copied into the database.")
