"""The file of an SQLite database and the locks beside it: opening, creating and migrating among many processes.

A process holds the lock `open` shared for as long as it uses the database, and exclusively while it migrates, so that
nobody's schema changes under him. `change` makes those who create or migrate go one by one. A database is created
under another name and renamed when it is whole: nobody ever meets half of one.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from headrace.base import clock
from headrace.base.errors import UnusableDatabase
from headrace.storage import compiled, revision
from headrace.storage.database import Connection
from headrace.storage.databases.sqlite.connection import SqliteConnection, explain, open_reader, open_writer
from headrace.storage.locks import FileLock

ALONE_AFTER = 10.0
"""Seconds to wait for processes of an older version to end, before a migration is refused."""

TRY_EVERY = 0.05
"""Seconds between two tries in that time: no lock can be waited for with a limit."""


# Files that were in use at the moment this process was forked: SQLite would take its parent's locks for its own.
_torn: set[Path] = set()


class File:
    """A database file with the current schema, held open by this process."""

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path
        self.locks = Path(f"{path}.locks")
        self._patience = patience
        if path in _torn:
            raise UnusableDatabase(f"{path} was in use when this process was forked; start it with spawn instead.")
        self._make_folders()
        self._open = self.lock("open")
        try:
            self._open.acquire(shared=True)
            if not self._is_current():
                self._open.release()
                self._bring_up_to_date()
        except BaseException as error:
            self._open.close()
            if isinstance(error, OSError):
                raise UnusableDatabase(f"{path} cannot be used: its file system has no locks ({error}).") from error
            raise

    def lock(self, name: str) -> FileLock:
        """The lock of that name beside the database."""
        try:
            return FileLock(self.locks / name)
        except OSError as error:
            raise UnusableDatabase(f"{self.path} cannot be used: {self.locks / name}: {error.strerror}.") from error

    def close(self) -> None:
        """Let others migrate the database."""
        self._open.close()

    def abandon(self, *, torn: bool) -> None:
        """In a forked child: leave the locks to the parent, and the file too if it was torn from a running statement."""
        self._open.abandon()
        if torn:
            _torn.add(self.path)

    def _make_folders(self) -> None:
        for folder in (self.path.parent, self.locks):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise UnusableDatabase(
                    f"{self.path} cannot be made: the directory {folder}: {error.strerror}."
                ) from error

    def _is_current(self) -> bool:
        """Whether the file can be used as it is. A copy made statement by statement has lost its write-ahead log."""
        found = self._inspect()
        return found is not None and revision.is_current(found[0], str(self.path)) and found[1] == "wal"

    def _inspect(self) -> tuple[str, str] | None:
        """The revision of the schema and the journal mode; None if there is no file, or nothing in it."""
        try:
            if not self.path.exists() or not self.path.stat().st_size:
                return None
            reader = open_reader(self.path, self._patience)
            try:
                ((mode,),) = reader.command("PRAGMA journal_mode")
                if not reader.command("SELECT 1 FROM sqlite_master WHERE name = 'schema_revision'"):
                    raise UnusableDatabase(f"{self.path} was made by another program; give another path.")
                ((found,),) = reader.command("SELECT version_num FROM schema_revision")
                return found, mode
            finally:
                reader.close()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        except OSError as error:
            raise UnusableDatabase(f"{self.path} cannot be opened: {error.strerror}.") from error

    def _bring_up_to_date(self) -> None:
        """Create the database or migrate it, unless somebody else has done so meanwhile."""
        change = self.lock("change")
        try:
            with change.held():
                self._open.acquire(shared=True)
                if self._inspect() is None:
                    self._create()
                elif not self._is_current():
                    self._open.release()
                    self._migrate()
                    self._open.acquire(shared=True)
        finally:
            change.close()

    def _create(self) -> None:
        new = self.locks / "new"
        try:
            for leftover in (new, *(Path(f"{self.path}{end}") for end in ("-wal", "-shm", "-journal"))):
                leftover.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                connection = SqliteConnection(new, self._patience, ("journal_mode=off", "synchronous=off"))
                try:
                    connection.command("BEGIN")
                    for statement in (*compiled.schema["sqlite"], *compiled.statistics):
                        connection.command(statement)
                    connection.command("COMMIT")
                    connection.command("PRAGMA journal_mode=wal")
                finally:
                    connection.close()
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            new.replace(self.path)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        except OSError as error:
            raise UnusableDatabase(f"{self.path} cannot be made: {error.strerror}.") from error

    def _migrate(self) -> None:
        from headrace.storage import migrations

        have_alone(self._open, lambda: revision.in_use(str(self.path)))
        alter(self.path, self._patience, migrations.upgrade)


def have_alone(opened: FileLock, refusal: Callable[[], Exception]) -> None:
    """Wait until nobody has the database open any more. Raises the refusal when somebody does not end in time."""
    until = clock.monotonic() + ALONE_AFTER
    while not opened.try_acquire():
        if clock.monotonic() > until:
            raise refusal()
        time.sleep(TRY_EVERY)


def alter(path: Path, patience: float, change: Callable[[Connection], None]) -> None:
    """Change the schema of a file that nobody else has open, in one transaction."""
    writer = open_writer(path, patience, "full")
    try:
        writer.command("PRAGMA journal_mode=wal")
        writer.command("BEGIN IMMEDIATE")
        change(writer)
        if writer.command("SELECT version_num FROM schema_revision") == [(compiled.head,)]:
            for statement in compiled.statistics:
                writer.command(statement)
        writer.command("COMMIT")
    except sqlite3.Error as error:
        raise explain(error, path) from error
    finally:
        writer.close()
