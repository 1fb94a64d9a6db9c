"""A connection to PostgreSQL, and what its errors mean to people."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, LiteralString, cast

import msgspec
import psycopg
from msgspec import Raw
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import TextLoader

from headrace.base.errors import InvalidRequest, Unavailable, UnusableDatabase
from headrace.storage.database import Connection, Insertion, Statement

if TYPE_CHECKING:
    import sqlalchemy

# What a dead network costs: without these a unit would wait for hours. The address may say otherwise.
DEFAULTS = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 5, "tcp_user_timeout": 30_000}

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class PostgresqlConnection(Connection):
    """A connection whose transactions its owner begins and ends.

    PostgreSQL cannot keep the character NUL; it becomes U+FFFD, in text and in JSON.
    """

    dialect = "postgresql"

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver
        self._cursor = psycopg.RawCursor(driver)
        self._bound: sqlalchemy.Connection | None = None

    def command(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute SQL with values for $1, $2, … and return the rows it gives."""
        self._cursor.execute(cast("LiteralString", sql), values or None)
        return self._cursor.fetchall() if self._cursor.description else []

    def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        """Execute a statement and return how many rows it touched."""
        self._perform_text(statement, parameters)
        return self._cursor.rowcount

    def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute a statement and return the rows it gives."""
        self._perform_text(statement, parameters)
        return self._cursor.fetchall()

    def _perform_text(self, statement: Statement, parameters: Mapping[str, Any]) -> None:
        text = statement.postgresql
        values = [parameters[name] for name in text.names]
        for place, value in enumerate(values):
            if isinstance(value, str):
                values[place] = _without_nul(value, is_json=text.names[place] in text.jsons)
        self._cursor.execute(cast("LiteralString", text.sql), values)

    def insert(self, insertion: Insertion, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert rows and return how many were inserted or updated.

        They go as one JSON document, which both sides read faster than lists of parameters.
        """
        documents = [dict(zip(insertion.columns, row, strict=True)) for row in rows]
        for place in insertion.jsons:
            name = insertion.columns[place]
            for document in documents:
                if document[name] is not None:
                    document[name] = Raw(document[name])
        text = _without_nul(msgspec.json.encode(documents).decode(), is_json=True)
        self._cursor.execute(cast("LiteralString", insertion.postgresql), [text])
        return self._cursor.rowcount

    def bind(self) -> sqlalchemy.Connection:
        """The SQLAlchemy connection over this one."""
        if self._bound is None:
            from headrace.storage import binding

            self._bound = binding.bind("postgresql", self.driver)
        return self._bound

    def abandon(self) -> None:
        """In a forked child: let go of the socket without a word to the server, for it is the parent's."""
        with suppress(psycopg.Error):  # there is none if the connection was lost
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, self.driver.pgconn.socket)
            os.close(nothing)

    def close(self) -> None:
        """Close the connection."""
        if self._bound is not None:
            self._bound.close()
        self.driver.close()


def _without_nul(text: str, *, is_json: bool) -> str:
    if is_json:
        return _NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


# Opening -------------------------------------------------------------------------------------------------------------


def connect(url: str) -> PostgresqlConnection:
    """A new connection in autocommit mode. Errors are the driver's."""
    settings: dict[str, Any] = {**DEFAULTS, "application_name": "headrace", **conninfo_to_dict(url)}
    driver = psycopg.connect("", autocommit=True, **settings)
    driver.adapters.register_dumper(int, Int8Dumper)  # one type whatever the number, so one prepared statement
    driver.adapters.register_loader("jsonb", TextLoader)
    return PostgresqlConnection(driver)


def name_of(url: str) -> str:
    """What messages call the database: without user, password and options."""
    parts = conninfo_to_dict(url)
    return f"postgresql://{parts.get('host', 'localhost')}/{parts.get('dbname', '')}"


def one_line(error: psycopg.Error) -> str:
    """What the driver says, which may be several lines."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


def explain(error: psycopg.Error, name: str) -> Exception:
    """What to raise instead of the driver's error: one line that names the database, or the error if it is a mistake."""
    said = one_line(error)
    if isinstance(error, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction):
        return UnusableDatabase(f"{name} may not be written by this user: {said}.")
    if isinstance(error, psycopg.DataError):
        return InvalidRequest(f"What is asked for cannot be put to a database: {said}.")
    if isinstance(error, psycopg.OperationalError):
        if error.sqlstate is None and "FATAL" in said:
            return UnusableDatabase(f"{name} refuses the connection: {said}.")
        return Unavailable(f"{name} does not answer: {said}.")
    return error
