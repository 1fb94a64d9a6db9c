"""The upkeep of an SQLite file: its schema, copies of it, and whether it is whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from headrace.base.errors import UnusableDatabase, UsageError
from headrace.storage import revision
from headrace.storage.database import Connection
from headrace.storage.databases.sqlite.connection import SqliteConnection, explain, open_reader
from headrace.storage.databases.sqlite.file import File, alter, have_alone
from headrace.storage.locks import FileLock
from headrace.storage.upkeep import Upkeep

MOST_FAULTS = 20
"""How many faults are told of."""


class SqliteUpkeep(Upkeep):
    """What is done to a file, under the locks that lie beside it."""

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path
        self.name = str(path)
        self._patience = patience

    def read_revision(self) -> str | None:
        if not self._has_content():
            return None
        with self._reading() as reader:
            if not reader.command("SELECT 1 FROM sqlite_master WHERE name = 'schema_revision'"):
                raise UnusableDatabase(f"{self.path} was made by another program; give another path.")
            rows = reader.command("SELECT version_num FROM schema_revision")
            return rows[0][0] if rows else None

    def create(self) -> None:
        File(self.path, self._patience).close()

    def empty(self) -> None:
        with self._alone():
            for end in ("", "-wal", "-shm", "-journal"):
                Path(f"{self.path}{end}").unlink(missing_ok=True)

    def alter(self, change: Callable[[Connection], None]) -> None:
        with self._alone():
            alter(self.path, self._patience, change)

    def back_up(self, target: Path) -> None:
        if not self._has_content():
            raise UsageError(f"{self._say_missing()}, so there is nothing to copy.")
        if target.exists():
            raise UsageError(f"{target} exists already: a copy never replaces a file.")
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise UsageError(f"{target} cannot be made: {error.strerror}.") from error
        try:
            with self._reading() as reader:
                copy = sqlite3.connect(fresh)
                try:
                    # In one step: a copy by pieces begins anew whenever somebody writes, and might never end.
                    reader.driver.backup(copy)
                finally:
                    copy.close()
            os.fsync(descriptor)
            fresh.replace(target)
        except OSError as error:
            raise UsageError(f"{target} cannot be written: {error.strerror}.") from error
        finally:
            os.close(descriptor)
            fresh.unlink(missing_ok=True)

    def check(self) -> list[str]:
        if not self._has_content():
            return [f"{self._say_missing()}."]
        try:
            with self._reading() as reader:
                told = [str(row[0]) for row in reader.command(f"PRAGMA integrity_check({MOST_FAULTS})")]
        except UnusableDatabase as error:
            return [str(error)]
        return [line for text in told for line in text.splitlines() if line != "ok"]

    def _has_content(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def _say_missing(self) -> str:
        return f"{self.path} {'is empty' if self.path.exists() else 'does not exist'}"

    @contextmanager
    def _reading(self) -> Generator[SqliteConnection]:
        try:
            reader = open_reader(self.path, self._patience)
            try:
                yield reader
            finally:
                reader.close()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Have the file alone: nobody opens it meanwhile. Raises `DatabaseBusy` when somebody does not end."""
        folder = Path(f"{self.path}.locks")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        change, opened = FileLock(folder / "change"), FileLock(folder / "open")
        try:
            with change.held():
                have_alone(opened, lambda: revision.in_use_still(str(self.path)))
                yield
        finally:
            opened.close()
            change.close()
