"""What the rooms of administration have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import InvalidRequest
from headrace.orchestration.deaths import crash_if_dead
from headrace.orchestration.desk import Desk
from headrace.orchestration.unit import Unit
from headrace.schema.run import Page
from headrace.schema.workspace import DEFAULT_SCOPE, Scope
from headrace.storage.database import Database

T = TypeVar("T")

LARGEST_PAGE = 200
"""The most objects in one answer."""

FARTHEST = 2**40
"""After how many objects a page may begin."""

LOOK = 1.0
"""Seconds between two looks for the dead."""


class Office:
    """A desk, and a look around before runs are read."""

    def __init__(self, database: Database, scope: Scope = DEFAULT_SCOPE, clock: Clock = SYSTEM) -> None:
        self._desk = Desk(database, scope, clock)
        self._looked: float | None = None

    def close(self) -> None:
        """Close the database."""
        self._desk.close()

    def _read_runs(self, use_case: Callable[[Unit], T]) -> T:
        """Perform a use case that reads what became of runs."""
        now = self._desk.clock.monotonic()
        if self._looked is None or now - self._looked >= LOOK:
            self._looked = now
            crash_if_dead(self._desk)
        return self._desk.read(use_case)


def checked(page: Page, largest: int = LARGEST_PAGE) -> Page:
    """The page. Raises `InvalidRequest` for one that is too large or begins before the beginning."""
    if not 0 <= page.limit <= largest:
        raise InvalidRequest(f"A page has at most {largest} objects; {page.limit} were asked for.")
    if page.offset < 0:
        raise InvalidRequest(f"A page cannot begin {-page.offset} objects before the first.")
    if page.offset > FARTHEST:
        raise InvalidRequest(f"A page cannot begin after so many objects: {FARTHEST} are the most.")
    return page
