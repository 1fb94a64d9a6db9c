"""The upkeep of a PostgreSQL database: its schema. Copies of it are made by PostgreSQL's own tools."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from headrace.base import clock
from headrace.base.errors import UsageError
from headrace.storage import compiled, revision
from headrace.storage.database import Connection
from headrace.storage.databases.postgresql import schema
from headrace.storage.databases.postgresql.connection import PostgresqlConnection, connect, explain, name_of
from headrace.storage.upkeep import BASE, Upkeep


class PostgresqlUpkeep(Upkeep):
    """What is done to a database, under the advisory locks that all its users hold."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = name_of(url)

    def read_revision(self) -> str | None:
        with self._connected() as connection:
            return schema.read_revision(connection)

    def create(self) -> None:
        with self._alone() as connection:
            if schema.read_revision(connection) is None:
                with connection.driver.transaction():
                    for statement in compiled.schema["postgresql"]:
                        connection.command(statement)

    def empty(self) -> None:
        with self._alone() as connection:
            if schema.read_revision(connection) is None:
                return
            from headrace.storage import migrations

            with connection.driver.transaction():
                migrations.downgrade(connection, BASE)
                connection.command("DROP TABLE schema_revision")

    def alter(self, change: Callable[[Connection], None]) -> None:
        with self._alone() as connection, connection.driver.transaction():
            change(connection)

    def back_up(self, target: Path) -> None:
        raise UsageError(
            f"{self.name} is copied by PostgreSQL's own tools, which do so while it is used: "
            f"pg_dump --format=custom --file={target} <address>."
        )

    def check(self) -> list[str]:
        found = self.read_revision()
        if found is None:
            return [f"{self.name} has no tables of Headrace."]
        return []

    @contextmanager
    def _connected(self) -> Generator[PostgresqlConnection]:
        try:
            connection = connect(self._url)
            try:
                yield connection
            finally:
                connection.close()
        except psycopg.Error as error:
            raise explain(error, self.name) from error

    @contextmanager
    def _alone(self) -> Generator[PostgresqlConnection]:
        """Have the database alone: nobody opens it meanwhile. Raises `DatabaseBusy` when somebody does not end."""
        with self._connected() as connection:
            connection.command("SELECT pg_advisory_lock($1)", schema.CHANGE)
            until = clock.monotonic() + schema.ALONE_AFTER
            while not connection.command("SELECT pg_try_advisory_lock($1)", schema.OPEN)[0][0]:
                if clock.monotonic() > until:
                    raise revision.in_use_still(self.name)
                time.sleep(schema.TRY_EVERY)
            yield connection
