"""The implementations of `storage.database.Database`, and the one place that chooses between them."""

from __future__ import annotations

from pathlib import Path

from headrace.base.errors import UnusableDatabase
from headrace.storage.database import Database, Synchronous


def open_database(
    url: str, *, synchronous: Synchronous = "normal", patience: float = 60.0, connections: int = 8
) -> Database:
    """Open the database at `url`, creating or migrating it if need be, and return it.

    `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user@host/database`; a driver named after `+`
    is accepted and ignored. `patience` is how many seconds a unit may take before its thread gets `Unavailable`.
    `synchronous="full"` has SQLite survive a power loss with all that was acknowledged, not only the death of processes;
    `connections` is how many units PostgreSQL performs at once. Raises `UnusableDatabase`, `NewerSchema`, `DatabaseBusy` or
    `Unavailable`, each with one line that names the database.
    """
    scheme, _, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    if kind == "sqlite" and rest.startswith("/"):
        from headrace.storage.databases.sqlite.database import SqliteDatabase
        from headrace.storage.databases.sqlite.file import File

        if rest.startswith("/:memory:"):
            raise UnusableDatabase("A database in memory would be gone with its process; give the path of a file.")
        path = Path(rest[1:].partition("?")[0]).expanduser().resolve()
        return SqliteDatabase(File(path, patience), synchronous, patience)
    if kind in {"postgresql", "postgres"} and rest:
        try:
            from headrace.storage.databases.postgresql.database import PostgresqlDatabase
        except ImportError as error:
            raise UnusableDatabase(
                f"PostgreSQL needs the package psycopg: install headrace[postgres] ({error})."
            ) from error
        return PostgresqlDatabase(f"postgresql://{rest}", connections, patience)
    raise UnusableDatabase(f"{url} is no address of a database: sqlite:///<path> or postgresql://<host>/<database>.")
