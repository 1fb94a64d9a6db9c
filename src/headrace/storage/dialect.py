"""All that differs between the databases in SQL.

The differences in types are in `storage.types`, those of connections in `storage.databases`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Table,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.compiler import SQLCompiler

from headrace.schema.wire import encode_json
from headrace.storage.database import DialectName
from headrace.storage.hints import HintingCompiler
from headrace.storage.tables import events
from headrace.storage.types import Json


def _inlining(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """The compiler, writing values that are part of a statement into its text: only parameters are left open."""

    class Inlining(compiler):
        def visit_bindparam(self, bindparam: BindParameter[Any], *args: Any, **options: Any) -> str:
            if not bindparam.required:
                options["literal_binds"] = True
            return cast("Any", super()).visit_bindparam(bindparam, *args, **options)

    return Inlining


class Dialect(ABC):
    """The SQL of one kind of database, where there is more than one way to say it."""

    name: DialectName
    compiler: sqlalchemy.Dialect

    @abstractmethod
    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insert that can say what to do on conflict."""

    @abstractmethod
    def among(self, left: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Whether a value is one of the list given for the parameter `name` of a generated statement."""

    @abstractmethod
    def now(self) -> ColumnElement[int]:
        """The database's own time in microseconds since the epoch."""

    @abstractmethod
    def has_all(self, array: ColumnElement[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
        """Whether a JSON array of texts has all of the texts."""

    @abstractmethod
    def has_any(self, array: ColumnElement[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
        """Whether a JSON array of texts has at least one of the texts."""

    @abstractmethod
    def is_settled(self) -> ColumnElement[bool]:
        """Whether no event that is committed later can come before this one in the order of cursors."""

    @abstractmethod
    def is_after(self, transaction: ColumnElement[int], sequence: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether an event comes after a cursor."""

    @abstractmethod
    def cursor_order(self) -> tuple[ColumnElement[int], ...]:
        """The order of cursors, for ORDER BY."""

    def is_over(self, session: ColumnElement[int]) -> ColumnElement[bool] | None:
        """Whether a session of that number is over; None where sessions have no numbers."""
        return None


class Sqlite(Dialect):
    """SQLite, 3.24 and later. Transactions commit one by one, so events are in order as they are numbered."""

    name = "sqlite"
    compiler = sqlite.dialect(paramstyle="qmark")
    compiler.statement_compiler = _inlining(HintingCompiler)

    def insert(self, table: Table) -> sqlite.Insert:
        return sqlite.insert(table)

    def among(self, left: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        return left.in_(bindparam(name, expanding=True))

    def now(self) -> ColumnElement[int]:
        return literal_column("CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)", BigInteger)

    def has_all(self, array: ColumnElement[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
        return sqlalchemy.and_(true(), *(self.has_any(array, [text]) for text in wanted))

    def has_any(self, array: ColumnElement[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
        member = func.json_each(array).table_valued("value")
        return select(1).select_from(member).where(member.c.value.in_(wanted)).exists()

    def is_settled(self) -> ColumnElement[bool]:
        return true()

    def is_after(self, transaction: ColumnElement[int], sequence: ColumnElement[int]) -> ColumnElement[bool]:
        return events.c.id > sequence

    def cursor_order(self) -> tuple[ColumnElement[int], ...]:
        return (events.c.id,)


class Postgresql(Dialect):
    """PostgreSQL, 13 and later. Transactions commit out of order, so events go by the transaction that wrote them."""

    name = "postgresql"
    compiler = postgresql.dialect(paramstyle="numeric_dollar")
    compiler.statement_compiler = _inlining(compiler.statement_compiler)

    def insert(self, table: Table) -> postgresql.Insert:
        return postgresql.insert(table)

    def among(self, left: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        return left == any_(bindparam(name, type_=ARRAY(left.type)))

    def now(self) -> ColumnElement[int]:
        return literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)", BigInteger)

    def has_all(self, array: ColumnElement[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
        return array.op("@>", is_comparison=True)(bindparam(None, encode_json(wanted), type_=Json()))

    def has_any(self, array: ColumnElement[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
        return array.op("?|", is_comparison=True)(postgresql.array(wanted, type_=sqlalchemy.Text()))

    def is_settled(self) -> ColumnElement[bool]:
        oldest = func.pg_snapshot_xmin(func.pg_current_snapshot())
        return events.c.xid < oldest.cast(sqlalchemy.Text).cast(BigInteger)

    def is_after(self, transaction: ColumnElement[int], sequence: ColumnElement[int]) -> ColumnElement[bool]:
        return tuple_(events.c.xid, events.c.id) > tuple_(transaction, sequence)

    def cursor_order(self) -> tuple[ColumnElement[int], ...]:
        return (events.c.xid, events.c.id)

    def is_over(self, session: ColumnElement[int]) -> ColumnElement[bool]:
        activity = sqlalchemy.table("pg_stat_activity", sqlalchemy.column("pid", sqlalchemy.Integer))
        return session.not_in(select(activity.c.pid))


DIALECTS: dict[DialectName, Dialect] = {"sqlite": Sqlite(), "postgresql": Postgresql()}
