"""What the background loops have in common: a thread of their own that looks every so often, until it is stopped."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from uuid import UUID

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import HeadraceError
from headrace.orchestration.desk import Desk
from headrace.schema.workspace import Scope
from headrace.storage import compiled
from headrace.storage.database import Database


class Loop(ABC):
    """Looks every `interval` seconds, over all workspaces, on a thread of its own between `start` and `stop`.

    Several may run over one database, in as many processes.
    """

    name: str
    """What the loop is called, in the log and among threads."""

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = 5.0) -> None:
        self._database = database
        self._clock = clock
        self._interval = interval
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
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

    @abstractmethod
    def _report(self, done: int) -> None:
        """Say in the log what was done."""

    def _desks(self) -> list[Desk]:
        """A desk for each workspace."""
        rows = self._database.read(lambda connection: connection.fetch(compiled.find_workspaces, {}))
        workspaces: list[UUID] = [row[0] for row in rows]
        return [Desk(self._database, Scope(workspace), self._clock) for workspace in workspaces]

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                done = self.run_once()
                if done:
                    self._report(done)
            except HeadraceError as error:
                self._log.warning("The %s cannot look just now: %s", self.name, error)
            self._stopping.wait(self._interval)
