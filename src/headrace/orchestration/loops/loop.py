"""What the background loops have in common: a thread of their own that looks every so often, until it is stopped."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import HeadraceError
from headrace.orchestration.desk import Desk
from headrace.schema.workspace import Scope
from headrace.storage import compiled
from headrace.storage.database import Database

T = TypeVar("T")


class Looks(Struct):
    """How a loop's looks go in this process: when it looked last (microseconds), how long that took and how much later it
    was than it should have been (seconds), how much it has done in all, and why the last look failed, if it did.
    """

    count: int = 0
    looked: int | None = None
    took: float | None = None
    lag: float | None = None
    done: int = 0
    failures: int = 0
    error: str | None = None


class Loop(ABC):
    """Looks every `interval` seconds, over all workspaces, on a thread of its own between `start` and `stop`.

    Several may run over one database, in as many processes: each look decides by what it finds there. Where they take turns
    (`headrace.orchestration.loops.runner`), `may_look` says whether it is this one's.
    """

    name: str
    """What the loop is called, in the log, among threads and where loops are listed."""

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = 5.0) -> None:
        self.interval = interval
        self.looks = Looks()
        self.may_look: Callable[[], bool] = _always
        self._database = database
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._due: float | None = None
        self._missed: int | None = None
        self._log = logging.getLogger(f"headrace.{self.name}")

    def start(self) -> None:
        """Begin to look."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"headrace-{self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End looking; a look that has begun is finished."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @abstractmethod
    def run_once(self) -> int:
        """Look once; how much there was to do."""

    def resume(self, since: int) -> int:
        """Make up for what passed while nobody looked, since an instant in microseconds; how much there was to do."""
        return 0

    def take_over(self, since: int) -> None:
        """Have what passed since an instant made up for, before the next look."""
        self._missed = since

    def catch_up(self) -> None:
        """Make up for what passed, if anything is to be."""
        since, self._missed = self._missed, None
        if since is not None:
            self.look(lambda: self.resume(since))

    def look(self, work: Callable[[], int] | None = None) -> None:
        """Look once, or do other `work` of the loop, and note how it went. What waiting may cure is said and waited for."""
        looks, begin = self.looks, self._clock.monotonic()
        looks.lag = 0.0 if self._due is None else max(begin - self._due, 0.0)
        try:
            done = (work or self.run_once)()
            looks.error = None
        except HeadraceError as error:
            self._log.warning("The %s cannot look just now: %s", self.name, error)
            looks.error = str(error)
            looks.failures += 1
        else:
            looks.done += done
            if done:
                self._report(done)
        looks.count += 1
        looks.looked, looks.took = self._clock.micros(), self._clock.monotonic() - begin
        self._due = self._clock.monotonic() + self.interval

    @abstractmethod
    def _report(self, done: int) -> None:
        """Say in the log what was done."""

    def _drain(self, find: Callable[[], Sequence[T]], settle: Callable[[T], int], batch: int) -> int:
        """Find a batch and settle each of it, until there is no more, nothing comes of it any more, or it is time to stop."""
        done = 0
        while True:
            found = find()
            settled = sum(settle(each) for each in found)
            done += settled
            if len(found) < batch or not settled or self._stopping.is_set():
                return done

    def _desks(self) -> list[Desk]:
        """A desk for each workspace."""
        rows = self._database.read(lambda connection: connection.fetch(compiled.find_workspaces, {}))
        workspaces: list[UUID] = [row[0] for row in rows]
        return [Desk(self._database, Scope(workspace), self._clock) for workspace in workspaces]

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self.may_look():
                self.catch_up()
                self.look()
            else:
                self._due = None
            self._stopping.wait(self.interval)


def _always() -> bool:
    return True
