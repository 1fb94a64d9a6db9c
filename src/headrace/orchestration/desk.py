"""What both protocols have in common: a database, whose data they are about, a clock, and units of work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from headrace.base.clock import SYSTEM, Clock
from headrace.orchestration.unit import Unit
from headrace.schema.workspace import DEFAULT_SCOPE, Scope
from headrace.storage.database import Connection, Database

T = TypeVar("T")


class Desk:
    """Takes use cases, and has each performed as one unit of work for one workspace.

    It owns the database: closing the desk closes it.
    """

    def __init__(self, database: Database, scope: Scope = DEFAULT_SCOPE, clock: Clock = SYSTEM) -> None:
        self.database = database
        self.scope = scope
        self.clock = clock

    def read(self, use_case: Callable[[Unit], T]) -> T:
        """Perform a use case that only reads."""
        return self.database.read(lambda connection: use_case(self._unit(connection)))

    def write(self, use_case: Callable[[Unit], T]) -> T:
        """Perform a use case in a transaction of its own."""
        return self.database.write(lambda connection: use_case(self._unit(connection)))

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _unit(self, connection: Connection) -> Unit:
        return Unit(connection, self.scope.workspace_id, self.clock.micros())
