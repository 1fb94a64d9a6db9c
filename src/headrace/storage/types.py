"""The column types that SQLite and PostgreSQL do not share."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy
from sqlalchemy import BigInteger, Double, Integer, LargeBinary
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

Micros = BigInteger
"""An instant or a duration: whole microseconds, an instant counted from the epoch (`base.clock`)."""

Text = sqlalchemy.Text().with_variant(sqlalchemy.Text(collation="C"), "postgresql")
"""Text that sorts by code point on both databases, whatever the locale of the PostgreSQL server."""

Sequence = BigInteger().with_variant(Integer(), "sqlite")
"""A number the database counts up by itself; SQLite does so only for a column declared exactly INTEGER."""


Float = Double[float]()
"""A number with a fraction, in double precision."""


class Id(TypeDecorator[UUID]):
    """An id: 16 bytes in SQLite, `uuid` in PostgreSQL, always a `UUID` in Python."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else value.bytes

    def literal_processor(self, dialect: Dialect) -> Any:
        def write(value: Any) -> str:
            return f"'{value}'" if dialect.name == "postgresql" else f"X'{value.hex}'"

        return write

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return value if value is None or dialect.name == "postgresql" else UUID(bytes=value)


class Json(UserDefinedType[str]):
    """JSON kept as text in SQLite and as `jsonb` in PostgreSQL; in Python it is JSON text on the way in and out."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"


@compiles(Json, "sqlite")
def _json_in_sqlite(_type: Json, _compiler: Any, **_: Any) -> str:
    return "TEXT"


@compiles(Json, "postgresql")
def _json_in_postgresql(_type: Json, _compiler: Any, **_: Any) -> str:
    return "JSONB"


class TransactionNumber(FunctionElement[int]):
    """The number of the transaction that writes a row; always 0 in SQLite, where transactions commit one by one."""

    inherit_cache = True
    type = BigInteger()


@compiles(TransactionNumber, "sqlite")
def _number_in_sqlite(_element: TransactionNumber, _compiler: Any, **_: Any) -> str:
    return "0"


@compiles(TransactionNumber, "postgresql")
def _number_in_postgresql(_element: TransactionNumber, _compiler: Any, **_: Any) -> str:
    return "pg_current_xact_id()::text::bigint"
