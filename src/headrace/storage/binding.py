"""SQLAlchemy over connections that are ours: it writes the SQL of wide queries, we keep the transactions.

Imported when the first wide query is made, never before.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, Engine, Executable, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from headrace.storage import forks
from headrace.storage.hints import HintingCompiler

if TYPE_CHECKING:
    from headrace.storage.database import DialectName

_handed = threading.local()


def bind(dialect: DialectName, driver: Any) -> Connection:
    """A SQLAlchemy connection over the driver's connection; closing it closes the driver's."""
    _handed.connection = driver
    try:
        return _engine(dialect).connect()
    finally:
        del _handed.connection


def perform(connection: Connection, construct: Executable) -> CursorResult[Any]:
    """Execute the construct. A failure is raised as the driver's own error, as everywhere else in storage."""
    try:
        return connection.execute(construct, execution_options={"preserve_rowcount": True})
    except DBAPIError as error:
        if isinstance(error.orig, Exception):
            raise error.orig from None
        raise


@cache
def _engine(dialect: DialectName) -> Engine:
    """The engine of all bound connections of a dialect, so that they share the cache of compiled queries."""
    options: dict[str, Any] = {"use_native_hstore": False} if dialect == "postgresql" else {}
    url = "postgresql+psycopg://" if dialect == "postgresql" else "sqlite://"
    engine = create_engine(
        url, creator=lambda: _handed.connection, poolclass=NullPool, pool_reset_on_return=None, **options
    )
    for verb in ("do_begin", "do_commit", "do_rollback"):
        setattr(engine.dialect, verb, _leave_alone)
    if dialect == "sqlite":
        engine.dialect.statement_compiler = HintingCompiler
    return engine


def _leave_alone(_connection: Any) -> None:
    """Transactions begin and end with units of work."""


forks.in_child(_engine.cache_clear)
