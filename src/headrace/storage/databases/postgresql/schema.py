"""Creating and migrating a PostgreSQL database among many processes.

Every connection holds the advisory lock OPEN, shared; a migration holds it alone, so that nobody's schema changes under
him. CHANGE makes those who create or migrate go one by one.
"""

from __future__ import annotations

import time

from headrace.base import clock
from headrace.base.errors import UnusableDatabase
from headrace.storage import compiled, revision
from headrace.storage.databases.postgresql.connection import PostgresqlConnection

OPEN = 0x6865_6164_7261_6365
CHANGE = OPEN + 1

ALONE_AFTER = 10.0
"""Seconds to wait for processes of an older version to end, before a migration is refused."""

TRY_EVERY = 0.05
"""Seconds between two tries in that time."""


def is_current(connection: PostgresqlConnection, name: str) -> bool:
    """Whether the database has the schema of this version; False if it is empty or older. Raises `NewerSchema`."""
    found = read_revision(connection)
    return found is not None and revision.is_current(found, name)


def read_revision(connection: PostgresqlConnection) -> str | None:
    """The revision of the schema, None if there is none yet."""
    if connection.command("SELECT to_regclass('schema_revision')")[0][0] is None:
        return None
    rows = connection.command("SELECT version_num FROM schema_revision")
    return rows[0][0] if rows else None


def check(connection: PostgresqlConnection, name: str) -> None:
    """Raise unless the database has the schema of this version."""
    if not is_current(connection, name):
        raise UnusableDatabase(f"{name} has lost its tables, or an older Headrace has taken them back; open it again.")


def hold_open(connection: PostgresqlConnection) -> None:
    """Keep migrations away for as long as the connection lives."""
    connection.command("SELECT pg_advisory_lock_shared($1)", OPEN)


def bring_up_to_date(connection: PostgresqlConnection, name: str) -> None:
    """Create the tables or migrate them, unless somebody else has done so meanwhile."""
    connection.command("SELECT pg_advisory_unlock_shared($1)", OPEN)
    connection.command("SELECT pg_advisory_lock($1)", CHANGE)
    try:
        if read_revision(connection) is None:
            with connection.driver.transaction():
                for statement in compiled.schema["postgresql"]:
                    connection.command(statement)
        elif not is_current(connection, name):
            _have_alone(connection, name)
            from headrace.storage import migrations

            with connection.driver.transaction():
                migrations.upgrade(connection)
    finally:
        connection.command("SELECT pg_advisory_unlock_all()")
        hold_open(connection)


def _have_alone(connection: PostgresqlConnection, name: str) -> None:
    until = clock.monotonic() + ALONE_AFTER
    while not connection.command("SELECT pg_try_advisory_lock($1)", OPEN)[0][0]:
        if clock.monotonic() > until:
            raise revision.in_use(name)
        time.sleep(TRY_EVERY)
