"""The connection a process keeps to PostgreSQL for as long as it lives: its presence, and its ear for commits."""

from __future__ import annotations

import os
import re
import selectors
import socket
import threading
from collections.abc import Callable

import psycopg

from headrace.base.errors import DatabaseError, Unavailable
from headrace.storage.databases.postgresql.connection import PostgresqlConnection, explain

PAUSE = 0.5
"""Seconds between two tries to connect anew."""

_NAME = re.compile(r"lock-([0-9a-f]{16})")


def key_of(name: str) -> int | None:
    """The advisory lock's key of a presence name, None if it is no such name."""
    match = _NAME.fullmatch(name)
    return int(match[1], 16) if match else None


class Watch:
    """A thread that holds an advisory lock, which the server frees when the process dies, and listens for commits.

    When its connection is lost it makes another and takes the lock again at once.
    """

    def __init__(self, database: str, connect: Callable[[], PostgresqlConnection], patience: float) -> None:
        self._database = database
        self._connect = connect
        self._key = int.from_bytes(os.urandom(8), "big") >> 1
        self.name = f"lock-{self._key:016x}"
        self._changed = threading.Condition()
        self._moment = 0
        self._started = threading.Event()
        self._failure: Exception | None = None
        self._closed = False
        self._woken, self._waker = socket.socketpair()
        self.connection: PostgresqlConnection | None = None
        self._thread = threading.Thread(target=self._run, name="headrace-watch", daemon=True)
        self._thread.start()
        if not self._started.wait(patience):
            self._failure = Unavailable(f"{database} has not answered for {patience:g} s.")
        if self._failure is not None:
            self.close()
            raise self._failure

    def moment(self) -> int:
        """A number that changes when something was committed."""
        return self._moment

    def wait(self, timeout: float, since: int) -> bool:
        """Block until the moment is another one."""
        with self._changed:
            return self._changed.wait_for(lambda: self._moment != since or self._closed, timeout)

    def close(self) -> None:
        """Release the lock and stop listening."""
        self._closed = True
        self._waker.send(b".")
        self._notice()
        self._thread.join(2 * PAUSE)
        self.close_sockets()

    def close_sockets(self) -> None:
        """In a forked child: close what is no connection."""
        self._woken.close()
        self._waker.close()

    def _run(self) -> None:
        while not self._closed:
            try:
                self._attend()
            except (psycopg.Error, DatabaseError) as error:
                if not self._started.is_set():
                    self._failure = explain(error, self._database) if isinstance(error, psycopg.Error) else error
                    self._started.set()
                    return
                with selectors.DefaultSelector() as selector:
                    selector.register(self._woken, selectors.EVENT_READ)
                    selector.select(PAUSE)
            finally:
                if self.connection is not None:
                    self.connection.close()

    def _attend(self) -> None:
        """Connect, take the lock, and hear notifications until the connection breaks or the watch is over."""
        connection = self.connection = self._connect()
        connection.command("SELECT pg_advisory_lock($1)", self._key)
        connection.command("LISTEN headrace")
        self._started.set()
        self._notice()  # whatever was committed while nobody listened
        pgconn = connection.driver.pgconn
        with selectors.DefaultSelector() as selector:
            selector.register(pgconn.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closed:
                selector.select()
                pgconn.consume_input()
                while pgconn.notifies():
                    pass
                self._notice()
        connection.command("SELECT pg_advisory_unlock_all()")  # now, and not when the server gets to it

    def _notice(self) -> None:
        with self._changed:
            self._moment += 1
            self._changed.notify_all()
