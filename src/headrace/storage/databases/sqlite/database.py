"""An SQLite file as a database of units of work."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from headrace.base import clock
from headrace.base.errors import Unavailable
from headrace.storage import locks
from headrace.storage.database import Connection, Database, Synchronous
from headrace.storage.databases.sqlite.connection import SqliteConnection, explain, open_reader, open_writer
from headrace.storage.databases.sqlite.file import File
from headrace.storage.databases.sqlite.writer import Writer
from headrace.storage.forks import Holder, gate
from headrace.storage.locks import FileLock

T = TypeVar("T")

LOOK_EVERY, LOOK_SELDOM = 0.025, 0.1
"""Seconds between two looks for commits of other processes, while somebody waits for them: at first, and after a while."""

SLACKENING = 1.05
"""How much more time passes before each next look that finds nothing."""

UNTIDY = 1 << 20
"""The size in bytes from which on a write-ahead log is copied into the database by whoever keeps it."""

IDLE_READERS = 8
"""How many connections for reading are kept open while nobody reads."""

_inherited: list[object] = []


class SqliteDatabase(Database, Holder):
    """An open file. One thread writes; whoever reads does so in its own thread on a connection from a small stock."""

    dialect = "sqlite"

    def __init__(self, file: File, synchronous: Synchronous, patience: float) -> None:
        Holder.__init__(self)
        self.name = str(file.path)
        self._file = file
        self._patience = patience
        self._full = synchronous == "full"
        self._closed = False
        self._write_lock = file.lock("write")
        self._committed = threading.Condition()
        self._pace = LOOK_EVERY
        self._writer = Writer(file.path, self._write_lock, synchronous, patience, self._announce)
        self._readers: list[SqliteConnection] = []
        self._watching = threading.Lock()
        self._watcher: SqliteConnection | None = None
        self._presence: FileLock | None = None

    def write(self, unit: Callable[[Connection], T]) -> T:
        return self._writer.submit(unit)

    def read(self, unit: Callable[[Connection], T]) -> T:
        self._check_open()
        try:
            with gate:
                reader = self._take_reader()
                try:
                    reader.command("BEGIN")
                    result = unit(reader)
                except Exception:
                    self._put_back(reader)
                    raise
                except BaseException:
                    reader.close()  # an interrupt struck in the middle of something
                    raise
                self._put_back(reader)
                return result
        except (sqlite3.Error, OverflowError) as error:
            raise explain(error, self._file.path) from error

    def moment(self) -> int:
        self._check_open()
        return self._look()

    def wait(self, timeout: float, since: int | None = None) -> bool:
        until = clock.monotonic() + timeout
        since = self.moment() if since is None else since
        with self._committed:
            while self._look() == since:
                left = until - clock.monotonic()
                if left <= 0:
                    return False
                self._committed.wait(min(left, self._pace))
                self._pace = min(self._pace * SLACKENING, LOOK_SELDOM)
        self._pace = LOOK_EVERY
        return True

    def presence(self) -> str:
        self._check_open()
        with self._watching:
            if self._presence is None:
                self._presence = locks.take_presence(self._file.locks)
            return self._presence.path.name

    def ledger(self) -> str | None:
        return None if self._full else str(self._file.locks / f"{locks.LEDGER}{self.presence()}")

    def left_ledgers(self) -> list[Path]:
        return locks.list_left_ledgers(self._file.locks)

    def is_held(self, name: str) -> bool:
        return locks.is_present(self._file.locks, name)

    def is_alive(self, name: str, suspect_since: int | None = None) -> bool:
        return self.is_held(name)

    def tidy(self) -> bool:
        """Copy the write-ahead log into the database and empty it; False if it is small, or a reader is in the way."""
        self._check_open()
        try:
            if Path(f"{self._file.path}-wal").stat().st_size < UNTIDY:
                return False
            lock = self._file.lock("write")  # its own: the writer's is the writer's thread's
            try:
                with lock.held(), gate:
                    connection = open_writer(self._file.path, 0, "normal")
                    try:
                        return not connection.command("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
                    finally:
                        connection.close()
            finally:
                lock.close()
        except FileNotFoundError:
            return False
        except sqlite3.Error as error:
            raise explain(error, self._file.path) from error

    def hurry(self) -> None:
        """Go on as before: a file is not away, and who writes to it is through in a moment."""

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._announce()
        self._writer.close()
        with self._watching, gate:
            for connection in (*self._readers, self._watcher):
                if connection is not None:
                    connection.close()
            if self._presence is not None:
                locks.give_up_presence(self._presence)
        self._readers.clear()
        self._write_lock.close()
        self._file.close()

    def let_go(self, *, quiet: bool) -> None:
        """In a forked child: close the inherited connections, for SQLite takes their locks for this process's own.

        It would then leave out locks of its own, and what the child writes is lost when the parent closes the database.
        Closing is safe only if no statement was running; if one was, the connections are never touched again.
        """
        connections = [self._writer.connection, *self._readers, self._watcher]
        for connection in connections:
            if connection is not None and quiet:
                connection.driver.close()
        _inherited.append((self._writer, connections))
        self._closed = True
        self._readers = []
        self._watcher = None
        self._committed = threading.Condition()
        self._watching = threading.Lock()
        self._writer = Writer(self._file.path, self._write_lock, "normal", self._patience, self._announce)
        self._writer.close()
        for lock in (self._write_lock, self._presence):
            if lock is not None:
                lock.abandon()
        self._file.abandon(torn=not quiet)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(f"{self.name} was closed in this process.")

    def _take_reader(self) -> SqliteConnection:
        with suppress(IndexError):
            return self._readers.pop()
        return open_reader(self._file.path, self._patience)

    def _put_back(self, reader: SqliteConnection) -> None:
        if reader.driver.in_transaction:
            reader.command("ROLLBACK")
        if len(self._readers) < IDLE_READERS and not self._closed:
            self._readers.append(reader)
        else:
            reader.close()

    def _look(self) -> int:
        """The number that SQLite changes with every commit of another connection; -1 once the database is closed."""
        try:
            with self._watching, gate:
                if self._closed:
                    return -1
                if self._watcher is None:
                    self._watcher = open_reader(self._file.path, self._patience)
                return self._watcher.command("PRAGMA data_version")[0][0]
        except sqlite3.Error as error:
            raise explain(error, self._file.path) from error

    def _announce(self) -> None:
        with self._committed:
            self._committed.notify_all()
