"""The threads that perform units of work on PostgreSQL, each with a connection of its own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from headrace.base import clock
from headrace.base.errors import Unavailable
from headrace.storage.database import Connection
from headrace.storage.databases.postgresql.connection import PostgresqlConnection, explain
from headrace.storage.submission import Submission

T = TypeVar("T")

WRITE = ("BEGIN", "COMMIT; NOTIFY headrace")
"""How a unit that writes begins and ends. Listeners are told in the same message, but in a transaction of its own: a
NOTIFY inside would make all commits of the server wait for each other."""

READ = ("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", "COMMIT")
"""How a unit that reads begins and ends."""

LONGEST_PAUSE = 1.0
"""Seconds between two tries at most."""


class Job:
    """A unit with how it begins and ends, and until when it may be tried again."""

    __slots__ = ("submission", "transaction", "until")

    def __init__(self, submission: Submission[Any], transaction: tuple[str, str], patience: float) -> None:
        self.submission = submission
        self.transaction = transaction
        self.until = clock.monotonic() + patience


class Sessions:
    """As many threads as there may be connections, started as they are needed.

    A unit is never performed on the thread that asks, so that an interrupt meant for user code never strikes in the
    middle of a transaction. It is tried again after a deadlock, a failed serialization or a lost connection.
    """

    def __init__(self, name: str, connect: Callable[[], PostgresqlConnection], size: int, patience: float) -> None:
        self._name = name
        self._connect = connect
        self._size = size
        self._patience = patience
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._changing = threading.Lock()
        self._free = 0
        """How many sessions have nothing to do and no job on the way to them."""
        self._waiting = 0
        """How many jobs wait for a session to become free."""
        self._closed = False
        self._hurry = threading.Event()
        self._threads: list[threading.Thread] = []
        self.sessions: list[Session] = []

    def submit(self, unit: Callable[[Connection], T], transaction: tuple[str, str]) -> T:
        """Have the unit performed and return its result."""
        submission = Submission(unit)
        with self._changing:
            if threading.current_thread() in self._threads:
                raise RuntimeError("A unit of work cannot wait for another one.")
            if self._closed:
                raise Unavailable(f"{self._name} was closed in this process.")
            self._jobs.put(Job(submission, transaction, self._patience))
            if self._free:
                self._free -= 1
            elif len(self._threads) < self._size:
                self._start()
            else:
                self._waiting += 1
        return submission.wait(self._patience + LONGEST_PAUSE, self._name)

    def hurry(self) -> None:
        """Wait for no connection that cannot be made, from here on; units that are waiting for one fail now."""
        self._hurry.set()

    def close(self) -> None:
        """Perform what was submitted, then end."""
        with self._changing:
            self._closed = True
            for _ in self._threads:
                self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        session = Session(self._name, self._connect, self._hurry)
        thread = threading.Thread(target=self._run, args=(session,), name="headrace-session", daemon=True)
        self.sessions.append(session)
        self._threads.append(thread)
        thread.start()

    def _run(self, session: Session) -> None:
        while job := self._jobs.get():
            session.perform(job)
            with self._changing:  # before the answer: who asks again at once finds this session free
                if self._waiting:
                    self._waiting -= 1
                else:
                    self._free += 1
            job.submission.answer()
        session.close()


class Session:
    """One thread's connection, made anew whenever it was lost."""

    def __init__(self, name: str, connect: Callable[[], PostgresqlConnection], hurry: threading.Event) -> None:
        self._name = name
        self._connect = connect
        self._hurry = hurry
        self.connection: PostgresqlConnection | None = None

    def perform(self, job: Job) -> None:
        """Perform the unit, as often as it takes, and keep the outcome."""
        pause = 0.001
        while True:
            known = self.connection is not None
            try:
                self._transact(job)
                break
            except psycopg.Error as error:
                if not self._may_try_again(error, known) or clock.monotonic() + pause > job.until:
                    job.submission.fail(explain(error, self._name))
                    break
            except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the thread that asked
                job.submission.fail(error)
                break
            self._pause(pause * random.uniform(0.5, 1.0))  # noqa: S311 - so that two rivals do not meet again
            pause = min(2 * pause, LONGEST_PAUSE)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _transact(self, job: Job) -> None:
        begin, end = job.transaction
        if self.connection is None:
            self.connection = self._connect()
        connection = self.connection
        try:
            connection.command(begin)
            job.submission.perform(connection)
            if connection.driver.pgconn.transaction_status == TransactionStatus.INERROR:
                # A unit must not hide a statement's error: PostgreSQL has undone the unit, and would say no more of it.
                connection.command("SELECT 'the unit went on after an error'")
            connection.command(end)
        except BaseException:
            self._recover(connection)
            raise

    def _recover(self, connection: PostgresqlConnection) -> None:
        """Leave the transaction that failed, and a connection that is not well for good."""
        try:
            connection.command("ROLLBACK")
        except psycopg.Error:
            self.close()

    def _may_try_again(self, error: psycopg.Error, known: bool) -> bool:
        """Whether another try may succeed: the rival is through, or the server is back. In a hurry only a connection that was
        `known`, and is lost now, is made anew.
        """
        if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected | errors.LockNotAvailable):
            return True
        lost = isinstance(error, psycopg.OperationalError) and self.connection is None
        return lost and (known or not self._hurry.is_set())

    def _pause(self, seconds: float) -> None:
        """Wait for a rival to get through, or for the server to come back: that only as long as nobody is in a hurry."""
        if self.connection is None:
            self._hurry.wait(seconds)
        else:
            time.sleep(seconds)
