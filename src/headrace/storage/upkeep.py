"""The contract of a database's upkeep: what is done to it as a whole, by whoever has it alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from headrace.base.errors import UsageError
from headrace.storage import compiled
from headrace.storage.database import Connection

BASE = "base"
"""The revision of a database that has no tables."""


class Upkeep(ABC):
    """What can be done to a database that nobody uses meanwhile. Raises `DatabaseError` in one line."""

    name: str

    @abstractmethod
    def read_revision(self) -> str | None:
        """The revision of its schema; None if it has none."""

    def upgrade(self, revision: str = "head") -> None:
        """Bring it to a newer revision, or make it. A kill leaves it as it was, or as it is to be."""
        wanted = find_revision(revision)
        found = self.read_revision()
        if found is None and wanted == compiled.head:
            self.create()
        elif found is None:
            raise UsageError(f"{self.name} does not exist yet, and is made with the newest schema: {compiled.head}.")
        elif wanted < found:
            raise UsageError(f"{self.name} has schema {found}, which is newer than {wanted}: downgrade it.")
        elif wanted > found:
            from headrace.storage import migrations

            self.alter(lambda connection: migrations.upgrade(connection, wanted))

    def downgrade(self, revision: str) -> None:
        """Bring it back to an older revision; what only newer ones keep is lost. `base` leaves nothing."""
        from headrace.storage import migrations

        wanted = find_revision(revision)
        found = self.read_revision()
        if found is None:
            raise UsageError(f"{self.name} has no schema that could be taken back.")
        if found > compiled.head:
            raise UsageError(f"{self.name} has schema {found}, of a newer Headrace, which alone can take it back.")
        if wanted == BASE:
            self.empty()
        elif wanted > found:
            raise UsageError(f"{self.name} has schema {found}, which is older than {wanted}: upgrade it.")
        elif wanted < found:
            self.alter(lambda connection: migrations.downgrade(connection, wanted))

    def stamp(self, revision: str) -> None:
        """Say that its schema is of a revision, changing nothing else."""
        wanted = find_revision(revision)
        if wanted == BASE or self.read_revision() is None:
            raise UsageError(f"A database without tables cannot be marked: {self.name} to {wanted}.")
        from headrace.storage import migrations

        self.alter(lambda connection: migrations.stamp(connection, wanted))

    def reset(self) -> None:
        """Delete everything in it, and make it anew."""
        self.empty()
        self.create()

    @abstractmethod
    def create(self) -> None:
        """Make its tables, unless they are there."""

    @abstractmethod
    def empty(self) -> None:
        """Delete everything in it, its tables as well."""

    @abstractmethod
    def alter(self, change: Callable[[Connection], None]) -> None:
        """Change its schema, in one transaction, while nobody else uses it."""

    @abstractmethod
    def back_up(self, target: Path) -> None:
        """Copy it to a file that does not exist yet, as it is at one moment, while others read and write."""

    @abstractmethod
    def check(self) -> list[str]:
        """What is wrong with it, a line each; an older schema is not, for whoever opens it brings it forward."""


def find_revision(revision: str) -> str:
    """The revision of that name, or `base`. Raises `UsageError` when there is none."""
    if revision == "head":
        return compiled.head
    from headrace.storage import migrations

    known = migrations.list_revisions()
    if revision != BASE and revision not in known:
        raise UsageError(
            f"There is no revision {revision!r}: the schema has {', '.join(known)}, and base for no tables."
        )
    return revision
