"""Slots: takes back slots whose leases have run out, and calls the runs whose turn it is."""

from __future__ import annotations

from headrace.base.clock import SYSTEM, Clock
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.slots import needs_sweep, sweep_slots
from headrace.storage.database import Database

INTERVAL = 5.0
"""Seconds from one look to the next: how long a slot whose lease has run out may stay unused while runs wait for it."""


class Slots(Loop):
    """Sees to those who wait in line to be called: nobody gives back what a dead holder's lease was on.

    What is given back in good order is handed over in the same transaction, by whoever gives it back.
    """

    name = "slots"

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        super().__init__(database, clock, interval)

    def run_once(self) -> int:
        """Look once; how many leases had run out."""
        return sum(desk.write(sweep_slots) for desk in self._desks() if desk.read(needs_sweep))

    def _report(self, done: int) -> None:
        self._log.info("%d leases on slots have run out.", done)
