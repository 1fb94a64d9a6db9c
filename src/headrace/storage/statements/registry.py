"""How statements are defined: the registry they enter, and the pieces they have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Executable, Insert, Select, Table, bindparam, select

from headrace.storage.dialect import Dialect

Definition = Callable[[Dialect], Executable]
InsertDefinition = Callable[[Dialect], Insert]

STATEMENTS: dict[str, Definition] = {}
"""Every statement, by the name it has in `compiled.py`."""

INSERTIONS: dict[str, InsertDefinition] = {}
"""Every insert of many rows, by the name it has in `compiled.py`."""


def statement(definition: Definition) -> Definition:
    """Enter a statement into the registry under its function's name."""
    STATEMENTS[definition.__name__] = definition
    return definition


def insertion(definition: InsertDefinition) -> InsertDefinition:
    """Enter an insert of many rows into the registry under its function's name."""
    INSERTIONS[definition.__name__] = definition
    return definition


def insert_into(dialect: Dialect, table: Table, without: Collection[str] = ()) -> Any:
    """An insert of whole rows; the database fills the columns in `without` by itself."""
    named: dict[str, Any] = {name: bindparam(name) for name in table.c.keys() if name not in without}  # noqa: SIM118
    return dialect.insert(table).values(named).inline()


def own(table: Table) -> ColumnElement[bool]:
    """The rows of the workspace that asks."""
    return table.c.workspace_id == bindparam("workspace_id")


def has(table: Table, *names: str) -> list[ColumnElement[bool]]:
    """The workspace's rows that have the parameters' values in the columns of the same names."""
    return [own(table), *(table.c[name] == bindparam(name) for name in names)]


def new(table: Table, *names: str) -> dict[str, Any]:
    """Sets columns to parameters called `new_…`, so that they cannot be mistaken for those that find the row."""
    return {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}


def select_columns(table: Table, names: Sequence[str]) -> Select[Any]:
    """The columns of those names, in that order."""
    return select(*(table.c[name] for name in names))
