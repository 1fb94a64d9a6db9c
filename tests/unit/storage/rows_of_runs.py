"""Rows of runs that say nothing but their state, and how many the database counts of each."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Boolean, Double, Integer, Table, func, select

from headrace.base.ids import DEFAULT_WORKSPACE
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.types import Id


def make_row(table: Table, state: tuple[str | None, str | None], workspace: UUID = DEFAULT_WORKSPACE) -> dict[str, Any]:
    """A row that says nothing but its state."""
    row: dict[str, Any] = {}
    for column in table.c:
        if not column.nullable and not isinstance(column.type, Id):
            numeric = isinstance(column.type, BigInteger | Integer | Double | Boolean)
            row[column.name] = 0 if numeric else "{}"
    ids = {name: uuid4() for name in ("id", "flow_id") if name in table.c}
    return {**row, **ids, "workspace_id": workspace, "state_type": state[0], "state_name": state[1]}


def read_counts(connection: Connection, workspace: UUID, table: Table) -> dict[tuple[str, str], int]:
    count = t.run_counts.c
    query = select(count.state_type, count.state_name, func.sum(count.number))
    query = query.where(count.workspace_id == workspace, count.kind == table.name)
    rows = connection.select(query.group_by(count.state_type, count.state_name))
    return {(kind, name): int(number) for kind, name, number in rows if number}
