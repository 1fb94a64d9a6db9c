"""Ask the database how it answers each query of the administration gateway, and find the plans that read too much.

A plan *scans* if it reads a table from end to end. It *walks* if it reads an index whose only condition is the workspace:
that is right for a list in the index's own order, which stops when the page is full, and for a count of everything;
for anything else it is a scan by another name, because nearly all rows are of one workspace.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

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
class Step:
    """A step of a plan that reads too much."""

    kind: Literal["scan", "walk"]
    text: str
    query: str


@dataclass
class Inspector:
    """Stands before a database and asks for the plan of all that is read through it."""

    database: Database
    found: list[Step] = field(default_factory=list)
    queries: int = 0
    sizes: dict[str, float] = field(default_factory=dict)

    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run the unit, and note every plan that scans or walks."""
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
        steps = read_sqlite(rows) if dialect == "sqlite" else read_postgresql(rows, self.sizes)
        self.found += [Step(kind, text, query) for kind, text in steps]


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


def read_sqlite(rows: Sequence[Any]) -> Iterator[tuple[Literal["scan", "walk"], str]]:
    """Yield what scans or walks in a plan of SQLite."""
    for row in rows:
        text = str(row[3])
        if (scanned := re.match(r"SCAN (\w+?)(_\d+)?\b", text)) and scanned[1] in metadata.tables:
            yield "scan", text
        elif text.endswith("(workspace_id=?)"):
            yield "walk", text


def read_postgresql(rows: Sequence[Any], sizes: Mapping[str, float]) -> Iterator[tuple[Literal["scan", "walk"], str]]:
    """Yield what scans or walks in a plan of PostgreSQL. Small tables are rightly read whole."""
    plan = rows[0][0]
    nodes = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        kind, table, index = node["Node Type"], node.get("Relation Name", ""), node.get("Index Name", "")
        if kind == "Seq Scan" and sizes.get(table, 0) > SMALL:
            yield "scan", f"Seq Scan on {table}, {sizes[table]:,.0f} rows"
        elif index and set(re.findall(r"\((\w+) [=<>I]", node.get("Index Cond", ""))) <= {"workspace_id"}:
            yield "walk", f"{kind} using {index}, by its workspace alone"
