"""Ask the database how it answers each query of the administration gateway, and find the plans that scan a table."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import sqlalchemy
from sqlalchemy import event

from headrace.storage.database import Connection, Database, Insertion, Statement, Text
from headrace.storage.tables import metadata

T = TypeVar("T")

SMALL = 1_000
"""Rows up to which PostgreSQL rightly reads a table whole."""

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN (FORMAT JSON) "}


@dataclass(frozen=True)
class Scan:
    """A step of a plan that reads a whole table."""

    step: str
    query: str


@dataclass
class Inspector:
    """Stands before a database and asks for the plan of all that is read through it."""

    database: Database
    scans: list[Scan] = field(default_factory=list)
    queries: int = 0
    sizes: dict[str, float] = field(default_factory=dict)

    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run the unit, and note every plan that scans a table."""
        return self.database.read(lambda connection: self._watch(connection, unit))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)

    def _watch(self, connection: Connection, unit: Callable[[Connection], T]) -> T:
        if connection.dialect == "postgresql" and not self.sizes:
            found = connection.bind().exec_driver_sql("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'")
            self.sizes = dict(found.tuples().all())
        with self._listening(connection):
            return unit(WatchedConnection(connection, self))

    @contextmanager
    def _listening(self, connection: Connection) -> Iterator[None]:
        """Hear of the queries that SQLAlchemy writes."""
        bound = connection.bind()
        asking = False

        def explain(_bound: Any, _cursor: Any, query: str, parameters: Any, _context: Any, _many: bool) -> None:
            nonlocal asking
            if asking:
                return
            asking = True
            try:
                rows = bound.exec_driver_sql(EXPLAIN[connection.dialect] + query, parameters).all()
            finally:
                asking = False
            self.note(connection.dialect, query, rows)

        event.listen(bound, "before_cursor_execute", explain)
        try:
            yield
        finally:
            event.remove(bound, "before_cursor_execute", explain)

    def note(self, dialect: str, query: str, rows: Sequence[Any]) -> None:
        """Look at a plan."""
        self.queries += 1
        steps = sqlite_scans(rows) if dialect == "sqlite" else postgresql_scans(rows, self.sizes)
        self.scans += [Scan(step, query) for step in steps]


class WatchedConnection(Connection):
    """A connection whose prepared statements are explained before they are run."""

    def __init__(self, inner: Connection, inspector: Inspector) -> None:
        self.inner = inner
        self.inspector = inspector
        self.dialect = inner.dialect

    def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        text: Text = getattr(statement, self.dialect)
        asked = msgspec.structs.replace(text, sql=EXPLAIN[self.dialect] + text.sql, ids=(), flags=())
        rows = self.inner.fetch(Statement(sqlite=asked, postgresql=asked), parameters)
        self.inspector.note(self.dialect, text.sql, rows)
        return self.inner.fetch(statement, parameters)

    def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        return self.inner.execute(statement, parameters)

    def insert(self, insertion: Insertion, rows: Sequence[tuple[Any, ...]]) -> int:
        return self.inner.insert(insertion, rows)

    def bind(self) -> sqlalchemy.Connection:
        return self.inner.bind()


def sqlite_scans(rows: Sequence[Any]) -> list[str]:
    """Return the steps that read a table, or one of its indexes, from end to end.

    Reading an index in order until enough rows are found is a SEARCH as long as the workspace leads the index.
    """
    steps = [str(row[3]) for row in rows]
    return [
        step for step in steps if (found := re.match(r"SCAN (\w+?)(_\d+)?\b", step)) and found[1] in metadata.tables
    ]


def postgresql_scans(rows: Sequence[Any], sizes: Mapping[str, float]) -> list[str]:
    """Return the sequential scans of tables that are not small."""
    plan = rows[0][0]
    found: list[str] = []

    def visit(node: dict[str, Any]) -> None:
        table = node.get("Relation Name", "")
        if node["Node Type"] == "Seq Scan" and sizes.get(table, 0) > SMALL:
            found.append(f"Seq Scan on {table}, {sizes[table]:,.0f} rows")
        for child in node.get("Plans", ()):
            visit(child)

    visit((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return found
