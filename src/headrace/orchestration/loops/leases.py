"""Leases on loops: of all processes on a database, each loop goes on in one at a time.

Who has a loop counts a number up while it lives. Another process takes the loop when the holder has left it, when the
holder's presence lock is free, or when it has itself watched the number stand still for three beats. Loops that go on in two
places for a moment, because a holder slept, do no harm: what they do is decided by what is in the database. Leases keep
the same work from being done again and again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import HeadraceError
from headrace.orchestration.loops.loop import Loop
from headrace.rules.liveness import Pulse, Watch
from headrace.storage import loops as queries
from headrace.storage.database import Database
from headrace.storage.loops import LoopRow

log = logging.getLogger("headrace.loops")

BEAT = 5.0
"""Seconds from one beat to the next."""


class LoopLeases:
    """What this process has of some loops. `place` is what people are told of where it is."""

    def __init__(
        self, database: Database, loops: Sequence[Loop], place: str, clock: Clock = SYSTEM, beat: float = BEAT
    ) -> None:
        self._database = database
        self._loops = {loop.name: loop for loop in loops}
        self._place = place
        self._clock = clock
        self._beat = beat
        self._watch = Watch[str](gap=4 * beat)
        self._holder: str | None = None
        self._held: frozenset[str] = frozenset()
        self._renewed = clock.monotonic()
        self._changing = threading.Lock()

    def holds(self, name: str) -> bool:
        """Whether this process has the loop; not once it could not show for three beats that it lives."""
        return name in self._held and self._clock.monotonic() - self._renewed <= 3 * self._beat

    def renew(self) -> dict[str, int]:
        """Beat for the loops that are held, and take those that nobody has; those that were taken, with the instant (in
        microseconds) until which somebody had looked.
        """
        with self._changing:
            holder = self._holder = self._database.presence()
            begun = self._clock.monotonic()
            rows = self._database.read(queries.list_loops)
            unknown = {name: loop.interval for name, loop in self._loops.items() if name not in queries.names_of(rows)}
            if unknown:
                now = self._clock.micros()
                self._database.write(lambda connection: queries.add_loops(connection, unknown, now))
                rows = self._database.read(queries.list_loops)
            rows = [row for row in rows if row.name in self._loops]
            free = self._find_free(rows, holder)
            told = {row.name: self._tell(self._loops[row.name]) for row in rows if row.holder == holder}
            held, taken = self._write(holder, told, free)
            self._renewed = begun
            self._held = frozenset(held) | taken.keys()
            if taken:
                log.info("This process looks after: %s.", ", ".join(sorted(taken)))
            return taken

    def release(self) -> None:
        """Leave all loops to whoever comes."""
        with self._changing:
            names, self._held = self._held, frozenset()
            if names and self._holder is not None:
                holder, now = self._holder, self._clock.micros()
                try:
                    self._database.write(lambda connection: queries.release_loops(connection, names, holder, now))
                except HeadraceError as error:  # others will find the lock free
                    log.warning("The loops cannot be handed over just now: %s", error)

    def _find_free(self, rows: Sequence[LoopRow], holder: str) -> list[LoopRow]:
        """The loops that nobody has, as far as this process can see."""
        others = [row for row in rows if row.holder not in {None, holder}]
        still = self._watch.look([Pulse(row.name, row.beats, self._beat) for row in others], self._clock.monotonic())
        gone = {
            name for name in {row.holder for row in others} if name is not None and not self._database.is_held(name)
        }
        return [row for row in rows if row.holder is None or row.holder in gone or row.name in still]

    def _write(
        self, holder: str, told: dict[str, dict[str, object]], free: Sequence[LoopRow]
    ) -> tuple[list[str], dict[str, int]]:
        now = self._clock.micros()

        def write(connection: queries.Connection) -> tuple[list[str], dict[str, int]]:
            held = [name for name, how in told.items() if queries.beat_loop(connection, name, holder, how)]
            taken = [row for row in free if queries.take_loop(connection, row, holder, self._place, now)]
            return held, {row.name: row.updated for row in taken}

        return self._database.write(write) if told or free else ([], {})

    def _tell(self, loop: Loop) -> dict[str, object]:
        looks = loop.looks
        return {
            "updated": self._clock.micros(),
            "interval": loop.interval,
            "place": self._place,
            "looked": looks.looked,
            "took": looks.took,
            "lag": looks.lag,
            "done": looks.done,
            "error": looks.error,
        }
