"""The runner: all background loops of a process, of which those go on that no other process on the database has."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import HeadraceError
from headrace.orchestration.loops.leases import BEAT, LoopLeases, log
from headrace.orchestration.loops.loop import Loop
from headrace.storage.database import Database


class Runner:
    """Runs loops between `start` and `stop`, and takes over those whose process has died."""

    def __init__(
        self, database: Database, loops: Sequence[Loop], place: str, clock: Clock = SYSTEM, beat: float = BEAT
    ) -> None:
        self.loops = tuple(loops)
        self.leases = LoopLeases(database, loops, place, clock, beat)
        self._clock = clock
        self._beat = beat
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        for loop in self.loops:
            loop.may_look = partial(self.leases.holds, loop.name)

    def start(self) -> None:
        """Begin. What passed while nobody looked is made up for before this returns, so before anybody is served."""
        self._stopping.clear()
        self.attend()
        self._thread = threading.Thread(target=self._run, name="headrace-loops", daemon=True)
        self._thread.start()
        for loop in self.loops:
            loop.catch_up()
        for loop in self.loops:
            loop.start()

    def stop(self) -> None:
        """End, and leave the loops to others; looks that have begun are finished."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for loop in self.loops:
            loop.stop()
        self.leases.release()

    def attend(self) -> None:
        """Renew what is held and take what is free."""
        try:
            taken = self.leases.renew()
        except HeadraceError as error:
            log.warning("Who looks after what cannot be told just now: %s", error)
            return
        for loop in self.loops:
            if loop.name in taken:
                loop.take_over(taken[loop.name])

    def _run(self) -> None:
        while not self._stopping.wait(self._beat):
            self.attend()
