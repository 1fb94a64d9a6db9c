"""The thread through which a process writes to an SQLite file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from headrace.base.errors import Unavailable, UnusableDatabase
from headrace.storage.database import Connection, Synchronous
from headrace.storage.databases.sqlite.connection import SqliteConnection, explain, open_writer
from headrace.storage.forks import gate
from headrace.storage.locks import FileLock
from headrace.storage.submission import Submission

T = TypeVar("T")

GROUP = 128
"""How many units one transaction takes in at most."""

WAL_LIMIT = 16 << 20
"""How large, in bytes, the write-ahead log may grow before it is copied into the database file."""

LOOK_EVERY = 500
"""After how many changed rows the size of the write-ahead log is looked at."""


class Writer:
    """Performs units of work one after the other, all that wait at the same time in one transaction.

    A thread of its own, so that an interrupt or a timeout meant for user code never strikes in the middle of a unit.
    `lock` is held for each transaction and each checkpoint, by all processes alike: whoever waits for it is woken at
    once, and no checkpoint meets a write, which SQLite before 3.51.3 does not always survive.
    """

    def __init__(
        self, path: Path, lock: FileLock, synchronous: Synchronous, patience: float, announce: Callable[[], None]
    ) -> None:
        self._path = path
        self._lock = lock
        self._synchronous: Synchronous = synchronous
        self._patience = patience
        self._announce = announce
        self._wal = Path(f"{path}-wal")
        self._look_at = 0
        self._queue: SimpleQueue[Submission[Any] | None] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._identity: tuple[int, int] | None = None
        self.connection: SqliteConnection | None = None

    def submit(self, unit: Callable[[Connection], T]) -> T:
        """Have the unit performed and return its result once it is committed."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("A unit of work cannot wait for another one.")
        submission = Submission(unit)
        with self._starting:
            if self._closed:
                raise Unavailable(f"{self._path} was closed in this process.")
            self._queue.put(submission)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="headrace-writer", daemon=True)
                self._thread.start()
        return submission.wait(self._patience, str(self._path))

    def close(self) -> None:
        """Perform what was submitted, then end."""
        with self._starting:
            self._closed = True
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        ending = False
        while not ending:
            group = self._next_group()
            ending = group[-1] is None
            units = [submission for submission in group if submission is not None]
            while units:
                units = self._perform(units)
            self._checkpoint_if_due()
        if self.connection is not None:
            with gate:
                self.connection.close()

    def _next_group(self) -> list[Submission[Any] | None]:
        """Wait for a unit and take all that are there; None comes last of all."""
        group = [self._queue.get()]
        with suppress(Empty):
            while len(group) < GROUP:
                group.append(self._queue.get_nowait())
        return group

    def _perform(self, group: list[Submission[Any]]) -> list[Submission[Any]]:
        """Perform the units in one transaction, and return those that have to be performed once more."""
        again: list[Submission[Any]] = []
        try:
            with self._lock.held(), gate:
                again = self._transact(self._open(), group)
        except Exception as error:  # noqa: BLE001 - a writer that ended would leave all who come waiting
            for submission in group:
                submission.fail(explain(error, self._path))
        else:
            self._announce()
        for submission in group:
            if submission not in again:
                submission.answer()
        return again

    def _open(self) -> SqliteConnection:
        if self.connection is None:
            self.connection = open_writer(self._path, self._patience, self._synchronous)
            self._identity = self._identify()
        elif self._identify() != self._identity:
            # The system would let us write on, into a file that nobody can ever read again.
            raise UnusableDatabase(f"{self._path} was deleted or replaced while it was in use.")
        return self.connection

    def _identify(self) -> tuple[int, int] | None:
        """Which file the path leads to."""
        try:
            found = os.stat(self._path)  # noqa: PTH116 - for each transaction, so the cheapest way counts
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _transact(self, connection: SqliteConnection, group: list[Submission[Any]]) -> list[Submission[Any]]:
        alone = len(group) == 1
        connection.command("BEGIN IMMEDIATE")
        try:
            for submission in group:
                if not alone:
                    connection.command("SAVEPOINT unit")
                try:
                    submission.perform(connection)
                except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the thread that asked
                    submission.fail(explain(error, self._path))
                    if not connection.driver.in_transaction:
                        # SQLite gave up the whole transaction (a full disk, say), and with it the neighbours' work.
                        return [other for other in group if other is not submission]
                    connection.command("ROLLBACK" if alone else "ROLLBACK TO unit")
                if not alone:
                    connection.command("RELEASE unit")
            if connection.driver.in_transaction:
                connection.command("COMMIT")
        finally:
            if connection.driver.in_transaction:
                connection.command("ROLLBACK")
        return []

    def _checkpoint_if_due(self) -> None:
        """Copy the write-ahead log into the database file and empty it, if it has grown large."""
        connection = self.connection
        if connection is None or connection.driver.total_changes < self._look_at:
            return
        self._look_at = connection.driver.total_changes + LOOK_EVERY
        # Whatever fails here has lost nothing: the log stays, and the next time comes soon.
        with suppress(sqlite3.Error, OSError):
            if self._wal.stat().st_size >= WAL_LIMIT:
                with self._lock.held(), gate:
                    connection.command("PRAGMA busy_timeout=0")  # a reader that is in the way is not waited for
                    connection.command("PRAGMA wal_checkpoint(TRUNCATE)")
                    connection.command(f"PRAGMA busy_timeout={int(self._patience * 1000)}")
