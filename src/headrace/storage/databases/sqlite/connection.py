"""A connection to an SQLite file, and what its errors mean to people."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from headrace.base.errors import HeadraceError, InvalidRequest, Unavailable, UnusableDatabase
from headrace.storage.database import Connection, Insertion, Statement, Synchronous, Text

if TYPE_CHECKING:
    import sqlalchemy

CHUNKS = (500, 100, 20, 4, 1)
"""How many rows or list values one statement takes: few sizes, so that few texts are ever prepared."""

PARAMETERS = 32_766
"""How many parameters SQLite allows in a statement."""


class SqliteConnection(Connection):
    """A connection whose transactions its owner begins and ends."""

    dialect = "sqlite"

    def __init__(self, path: Path, patience: float, settings: Sequence[str]) -> None:
        # Whoever owns the connection keeps it to one thread at a time.
        self.driver = sqlite3.connect(
            path, timeout=patience, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._bound: sqlalchemy.Connection | None = None
        try:
            for setting in settings:
                self.command(f"PRAGMA {setting}")
        except BaseException:
            self.driver.close()
            raise

    def command(self, sql: str) -> list[tuple[Any, ...]]:
        """Execute SQL without parameters."""
        return self.driver.execute(sql).fetchall()

    def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        """Execute a statement and return how many rows it touched."""
        return self.driver.execute(*_spell(statement.sqlite, parameters)).rowcount

    def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute a statement and return the rows it gives."""
        text = statement.sqlite
        rows = self.driver.execute(*_spell(text, parameters)).fetchall()
        return [_restore(row, text) for row in rows] if text.ids or text.flags else rows

    def insert(self, insertion: Insertion, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert rows and return how many were inserted or updated.

        One statement for many rows, not one for each: every statement lets other threads have the interpreter, and
        beside a busy thread each costs milliseconds.
        """
        width = len(insertion.columns)
        touched = start = 0
        for size in CHUNKS:
            while len(rows) - start >= size and size * width <= PARAMETERS:
                values = list(chain.from_iterable(rows[start : start + size]))
                for place in insertion.ids:
                    values[place::width] = [value and value.bytes for value in values[place::width]]
                touched += self.driver.execute(_insertion(insertion, size), values).rowcount
                start += size
        return touched

    def bind(self) -> sqlalchemy.Connection:
        """The SQLAlchemy connection over this one."""
        if self._bound is None:
            from headrace.storage import binding

            self._bound = binding.bind("sqlite", self.driver)
        return self._bound

    def close(self) -> None:
        """Close the connection."""
        if self._bound is not None:
            self._bound.close()
        self.driver.close()


@cache
def _insertion(insertion: Insertion, size: int) -> str:
    before, row, after = insertion.sqlite
    return before + ", ".join([row] * size) + after


def _spell(text: Text, parameters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The SQL and the values for its placeholders."""
    sql = text.sql
    values: list[Any] = []
    for name in text.names:
        value = parameters[name]
        if name in text.lists:
            found = _pad(value)
            sql = sql.replace(f"(*{name})", f"({', '.join('?' * len(found))})")
            values.extend(found)
        else:
            values.append(value)
    return sql, [value.bytes if isinstance(value, UUID) else value for value in values]


def _pad(values: Sequence[Any]) -> list[Any]:
    """The list, its last value repeated until it has one of the usual sizes; an empty one becomes a NULL."""
    size = next((size for size in reversed(CHUNKS) if size >= len(values)), -len(values) // CHUNKS[0] * -CHUNKS[0])
    return [*values, *[values[-1] if values else None] * (size - len(values))]


def _restore(row: tuple[Any, ...], text: Text) -> tuple[Any, ...]:
    """The row with its ids and booleans as Python knows them."""
    values = list(row)
    for place in text.ids:
        if values[place] is not None:
            values[place] = UUID(bytes=values[place])
    for place in text.flags:
        if values[place] is not None:
            values[place] = bool(values[place])
    return tuple(values)


# Opening -------------------------------------------------------------------------------------------------------------


def open_writer(path: Path, patience: float, synchronous: Synchronous) -> SqliteConnection:
    """A connection that writes. It checkpoints only when told to, so that no two processes do so at once."""
    return SqliteConnection(path, patience, (f"synchronous={synchronous}", "wal_autocheckpoint=0"))


def open_reader(path: Path, patience: float) -> SqliteConnection:
    """A connection that cannot write."""
    return SqliteConnection(path, patience, ("query_only=1", "wal_autocheckpoint=0"))


def explain(error: BaseException, path: Path) -> BaseException:
    """What to raise instead of an error of SQLite's: one line that names the file. Any other error, as it is."""
    if isinstance(error, OverflowError) and "SQLite" in str(error):
        return InvalidRequest("A number is larger than a database can hold.")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    told: dict[int, tuple[type[HeadraceError], str]] = {
        sqlite3.SQLITE_NOTADB: (UnusableDatabase, "is no SQLite database"),
        sqlite3.SQLITE_CORRUPT: (UnusableDatabase, "is damaged; restore it from a backup or give another path"),
        sqlite3.SQLITE_READONLY: (UnusableDatabase, "may only be read, not written"),
        sqlite3.SQLITE_PERM: (UnusableDatabase, "may not be opened by this user"),
        sqlite3.SQLITE_AUTH: (UnusableDatabase, "may not be opened by this user"),
        sqlite3.SQLITE_CANTOPEN: (UnusableDatabase, "cannot be opened"),
        sqlite3.SQLITE_FULL: (Unavailable, "cannot grow: the disk is full"),
        sqlite3.SQLITE_IOERR: (Unavailable, f"cannot be read or written ({error})"),
        sqlite3.SQLITE_BUSY: (Unavailable, "is held by another program"),
        sqlite3.SQLITE_LOCKED: (Unavailable, "is held by another program"),
    }
    if code not in told:
        return error
    kind, what = told[code]
    return kind(f"{path} {what}.")
