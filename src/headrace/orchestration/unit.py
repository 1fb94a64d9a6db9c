"""One transaction of a use case: a connection, whose data it is about, and the instant at which it happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from headrace.storage.database import Connection, Insertion, Statement


class Unit:
    """What a use case works with. Every statement it makes is about its workspace; `now` is in microseconds."""

    __slots__ = ("connection", "now", "workspace_id")

    def __init__(self, connection: Connection, workspace_id: UUID, now: int) -> None:
        self.connection = connection
        self.workspace_id = workspace_id
        self.now = now

    def fetch(self, statement: Statement, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows a statement gives."""
        return self.connection.fetch(statement, {"workspace_id": self.workspace_id, **parameters})

    def execute(self, statement: Statement, **parameters: Any) -> int:
        """Execute a statement and return how many rows it touched."""
        return self.connection.execute(statement, {"workspace_id": self.workspace_id, **parameters})

    def insert(self, insertion: Insertion, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert rows, which begin after the workspace, and return how many were inserted or changed."""
        workspace_id = self.workspace_id
        return self.connection.insert(insertion, [(workspace_id, *row) for row in rows])
