"""A PostgreSQL database as a database of units of work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import psycopg

from headrace.base import clock
from headrace.base.errors import Unavailable, UnusableDatabase
from headrace.storage.database import Connection, Database
from headrace.storage.databases.postgresql import schema
from headrace.storage.databases.postgresql.connection import PostgresqlConnection, connect, explain, name_of, one_line
from headrace.storage.databases.postgresql.sessions import READ, WRITE, Sessions
from headrace.storage.databases.postgresql.watch import Watch, key_of
from headrace.storage.forks import Holder

T = TypeVar("T")

GRACE = 30.0
"""Seconds a presence lock must have been free before its holder counts as dead: he may be connecting anew."""

_inherited: list[object] = []


class PostgresqlDatabase(Database, Holder):
    """An open database: a few threads with a connection each, and one connection kept for presence and for commits."""

    dialect = "postgresql"

    def __init__(self, url: str, connections: int, patience: float) -> None:
        Holder.__init__(self)
        try:
            self.name = name_of(url)
        except psycopg.Error as error:
            raise UnusableDatabase(f"The address of the database cannot be read: {one_line(error)}.") from error
        self._url = url
        self._patience = patience
        self._starting = threading.Lock()
        self._closed = False
        self._watch: Watch | None = None
        self._free_since: dict[str, float] = {}
        self._spare: list[PostgresqlConnection] = []
        self._prepare()
        self._sessions = Sessions(self.name, self._connect, connections, patience)

    def write(self, unit: Callable[[Connection], T]) -> T:
        return self._sessions.submit(unit, WRITE)

    def read(self, unit: Callable[[Connection], T]) -> T:
        return self._sessions.submit(unit, READ)

    def moment(self) -> int:
        return self._watching().moment()

    def wait(self, timeout: float, since: int | None = None) -> bool:
        watch = self._watching()
        return watch.wait(timeout, watch.moment() if since is None else since)

    def presence(self) -> str:
        return self._watching().name

    def is_held(self, name: str) -> bool:
        key = key_of(name)
        if key is None:
            return False

        def unit(connection: Connection) -> bool:
            assert isinstance(connection, PostgresqlConnection)
            return not connection.command("SELECT pg_try_advisory_xact_lock_shared($1)", key)[0][0]

        return self.read(unit)

    def is_alive(self, name: str, suspect_since: int | None = None) -> bool:
        if self.is_held(name):
            self._free_since.pop(name, None)
            return True
        now = clock.monotonic()
        watched = now - self._free_since.setdefault(name, now)
        noted = 0.0 if suspect_since is None else (clock.micros() - suspect_since) / 1_000_000
        return max(watched, noted) < GRACE

    def hurry(self) -> None:
        self._sessions.hurry()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._sessions.close()
        for connection in self._spare:
            connection.close()
        if self._watch is not None:
            self._watch.close()

    def let_go(self, *, quiet: bool) -> None:
        """In a forked child: leave the connections to the parent, whose death the server must be able to see."""
        connections = [session.connection for session in self._sessions.sessions] + self._spare
        if self._watch is not None:
            connections.append(self._watch.connection)
            self._watch.close_sockets()
        for connection in connections:
            if connection is not None:
                connection.abandon()
        _inherited.append((connections, self._sessions, self._watch))
        self._closed = True
        self._watch, self._spare = None, []
        self._starting = threading.Lock()
        self._sessions = Sessions(self.name, self._connect, 0, self._patience)
        self._sessions.close()

    def _watching(self) -> Watch:
        with self._starting:
            if self._closed:
                raise Unavailable(f"{self.name} was closed in this process.")
            if self._watch is None:
                self._watch = Watch(self.name, self._connect, self._patience)
            return self._watch

    def _connect(self) -> PostgresqlConnection:
        """A connection that keeps migrations away, to a database that has this version's schema."""
        if self._spare:
            return self._spare.pop()
        connection = connect(self._url)
        try:
            schema.hold_open(connection)
            schema.check(connection, self.name)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        """Create or migrate the database if it needs that. What is wrong with it shows now, not at the first unit."""
        try:
            connection = connect(self._url)
            try:
                schema.hold_open(connection)
                if not schema.is_current(connection, self.name):
                    schema.bring_up_to_date(connection, self.name)
            except BaseException:
                connection.close()
                raise
            self._spare.append(connection)
        except psycopg.Error as error:
            raise explain(error, self.name) from error
