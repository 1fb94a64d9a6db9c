"""The implementations of `storage.database.Database`, and the one place that chooses between them."""

from __future__ import annotations

from pathlib import Path

from headrace.base.errors import UnusableDatabase
from headrace.storage.database import Database, Synchronous
from headrace.storage.upkeep import Upkeep


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
    place = _find_place(url)
    if isinstance(place, Path):
        from headrace.storage.databases.sqlite.database import SqliteDatabase
        from headrace.storage.databases.sqlite.file import File

        return SqliteDatabase(File(place, patience), synchronous, patience)
    try:
        from headrace.storage.databases.postgresql.database import PostgresqlDatabase
    except ImportError as error:
        raise _explain_absence(error) from error
    return PostgresqlDatabase(place, connections, patience)


def open_upkeep(url: str, *, patience: float = 60.0) -> Upkeep:
    """What can be done to the database at `url` as a whole. Nothing is opened or made yet; raises `UnusableDatabase`."""
    place = _find_place(url)
    if isinstance(place, Path):
        from headrace.storage.databases.sqlite.upkeep import SqliteUpkeep

        return SqliteUpkeep(place, patience)
    try:
        from headrace.storage.databases.postgresql.upkeep import PostgresqlUpkeep
    except ImportError as error:
        raise _explain_absence(error) from error
    return PostgresqlUpkeep(place)


def _find_place(url: str) -> Path | str:
    """The file of an SQLite database, or the address of a PostgreSQL one."""
    scheme, _, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    if kind == "sqlite" and rest.startswith("/"):
        if rest.startswith("/:memory:"):
            raise UnusableDatabase("A database in memory would be gone with its process; give the path of a file.")
        return Path(rest[1:].partition("?")[0]).expanduser().resolve()
    if kind in {"postgresql", "postgres"} and rest:
        return f"postgresql://{rest}"
    raise UnusableDatabase(f"{url} is no address of a database: sqlite:///<path> or postgresql://<host>/<database>.")


def _explain_absence(error: ImportError) -> UnusableDatabase:
    return UnusableDatabase(f"PostgreSQL needs the package psycopg: install headrace[postgres] ({error}).")
