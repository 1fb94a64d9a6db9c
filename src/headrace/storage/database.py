"""The contract of a database: units of work, and what they may do with their connection.

A unit of work is a function of a connection, submitted whole. It runs in one transaction and may run more than once (a
deadlock, a lost connection, a neighbour's failure): it touches nothing but the database, and its result depends on
nothing else.

`Statement` and `Insertion` are SQL generated ahead of time (`storage.generate`), so that a process that only records
never imports SQLAlchemy. Wide queries are SQLAlchemy constructs and go through `Connection.select` and `change`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    import sqlalchemy

T = TypeVar("T")
DialectName = Literal["sqlite", "postgresql"]
Synchronous = Literal["normal", "full"]


class Text(Struct, frozen=True, eq=False):
    """A statement as one kind of database reads it.

    `names` are its parameters in the order of their placeholders; those in `lists` take a list of values, those in
    `jsons` JSON text. `ids` and `flags` are the places of ids and booleans in the rows it returns.
    """

    sql: str
    names: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    jsons: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    flags: tuple[int, ...] = ()


class Statement(Struct, frozen=True, eq=False):
    """A statement that takes its parameters by name. Ids are `UUID`, JSON is text, instants are microseconds."""

    sqlite: Text
    postgresql: Text


class Insertion(Struct, frozen=True, eq=False):
    """An insert of many rows, each a tuple of values for `columns`: those at `ids` are ids, those at `jsons` JSON text.

    For SQLite it is the text before, of and after one row; for PostgreSQL one text that takes all rows as one document.
    If it updates rows that exist, no two rows of one call may meet the same one.
    """

    columns: tuple[str, ...]
    sqlite: tuple[str, str, str]
    postgresql: str
    ids: tuple[int, ...] = ()
    jsons: tuple[int, ...] = ()


class Connection(ABC):
    """What a unit of work may do. Valid only while the unit runs."""

    dialect: DialectName

    @abstractmethod
    def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        """Execute a statement and return how many rows it touched."""

    @abstractmethod
    def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute a statement and return the rows it gives."""

    @abstractmethod
    def insert(self, insertion: Insertion, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert rows, any number in few statements, and return how many were inserted or updated."""

    @abstractmethod
    def bind(self) -> sqlalchemy.Connection:
        """The SQLAlchemy connection over this one, in the unit's transaction, which SQLAlchemy never ends."""

    def select(self, query: sqlalchemy.Executable) -> Sequence[sqlalchemy.Row[*tuple[Any, ...]]]:
        """Return the rows of a SQLAlchemy query."""
        return self._perform(query).all()

    def change(self, construct: sqlalchemy.Executable) -> int:
        """Execute a SQLAlchemy insert, update or delete and return how many rows it touched."""
        return self._perform(construct).rowcount

    def _perform(self, construct: sqlalchemy.Executable) -> sqlalchemy.CursorResult[Any]:
        """Execute the construct; errors are the driver's own, whichever way a statement went."""
        from headrace.storage.binding import perform

        return perform(self.bind(), construct)


class Database(ABC):
    """A database that is open in this process. Safe to use from any thread; closed in a child after a fork."""

    dialect: DialectName
    name: str
    """What messages call it: a path, or host and database without the password."""

    @abstractmethod
    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run the unit in a transaction of its own and return its result once that is committed.

        If the unit raises, nothing of it remains and its error is raised here. The thread that asked may be interrupted
        while it waits: the unit is completed all the same. Raises `Unavailable` when the database cannot be reached or
        gives no answer in time, and then the unit may or may not have been committed.
        """

    @abstractmethod
    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run a unit that only reads, on one unmoving view of the database, and return its result."""

    @abstractmethod
    def moment(self) -> int:
        """A number that changes when something is committed, by whatever process. Take it before reading."""

    @abstractmethod
    def wait(self, timeout: float, since: int | None = None) -> bool:
        """Block until something may have been committed after the moment `since` (without it: from now on).

        False after `timeout` seconds. A hint: what was committed is found by reading.
        """

    @abstractmethod
    def presence(self) -> str:
        """The name of a lock that this process holds, from the first call on, for as long as it lives."""

    def ledger(self) -> str | None:
        """How the names of files begin that this process may leave beside the database; None where nobody would find them,
        or where more is asked for than that they survive the process.
        """
        return None

    def left_ledgers(self) -> list[Path]:
        """The files that processes have left beside the database which are dead now, in the order of their names."""
        return []

    @abstractmethod
    def is_held(self, name: str) -> bool:
        """Whether somebody holds the presence lock of that name at this moment."""

    @abstractmethod
    def is_alive(self, name: str, suspect_since: int | None = None) -> bool:
        """Whether the process that took the presence lock of that name must be taken for alive.

        Where a lock can be free although its holder lives (a database connection being made anew), it has to have been
        free for a while, as this process watched it or since `suspect_since` (microseconds since the epoch).
        """

    def tidy(self) -> bool:
        """Bring its files into order, if that is any process's business; whether there was something to do."""
        return False

    @abstractmethod
    def hurry(self) -> None:
        """Wait no more for a database that is away: who asks gets `Unavailable` at once. For a process that is about to end."""

    @abstractmethod
    def close(self) -> None:
        """Finish the units that were submitted, and give up connections and locks. Closing twice does no harm."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
