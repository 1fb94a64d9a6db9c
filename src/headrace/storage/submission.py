"""A unit of work handed to one of storage's own threads, and the answer to come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from headrace.base.errors import Unavailable
from headrace.storage.database import Connection

T = TypeVar("T")


class Submission(Generic[T]):
    """One unit and its outcome. The thread that waits may be interrupted; the unit is performed all the same."""

    __slots__ = ("_answered", "_error", "_result", "_unit")

    def __init__(self, unit: Callable[[Connection], T]) -> None:
        self._unit = unit
        self._result: T | None = None
        self._error: BaseException | None = None
        # A bare lock is the cheapest thing to wait for, and a wait for it can be interrupted.
        self._answered = threading.Lock()
        self._answered.acquire()

    def perform(self, connection: Connection) -> None:
        """Run the unit and keep its result. What it raises is raised."""
        self._error = None
        self._result = self._unit(connection)

    def fail(self, error: BaseException) -> None:
        """Keep an error as the outcome."""
        self._error = error

    def answer(self) -> None:
        """Let the thread that waits have the outcome."""
        self._answered.release()

    def wait(self, patience: float, database: str) -> T:
        """Return the unit's result or raise its error; `Unavailable` when there is no outcome in time."""
        if not self._answered.acquire(timeout=patience):
            raise Unavailable(f"{database} has not answered for {patience:g} s; what was asked may still be done.")
        if self._error is not None:
            raise self._error
        return cast("T", self._result)
