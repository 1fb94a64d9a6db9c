"""Queries on variables."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update

from headrace.base.clock import to_datetime
from headrace.schema.run import Page
from headrace.schema.variable import Variable, VariableFilter, VariableSort
from headrace.schema.wire import decode_json
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.pages import Order, Query, count_rows, fetch_page
from headrace.storage.tags import ListedTags

_variable = t.variables.c
_OPERANDS = {"id": _variable.id, "name": _variable.name, "tags": ListedTags(_variable.tags)}


class VariableRow(NamedTuple):
    """A row of variables; value and tags are JSON."""

    id: UUID
    name: str
    value: str
    tags: str
    created: int
    updated: int


def find_variable(
    connection: Connection, workspace_id: UUID, variable_id: UUID | None, name: str | None = None
) -> VariableRow | None:
    """The variable with an id, or of a name."""
    condition = _variable.name == name if variable_id is None else _variable.id == variable_id
    rows = connection.select(_of(workspace_id).where(condition))
    return VariableRow._make(rows[0]) if rows else None


def list_variables(
    connection: Connection, workspace_id: UUID, wanted: VariableFilter | None, sort: VariableSort, page: Page
) -> list[VariableRow]:
    """The variables that a filter names, in order."""
    name, _, direction = sort.value.rpartition("_")
    order = Order(_variable[name.lower()], _variable.id, direction == "DESC")
    return [
        VariableRow._make(row) for row in fetch_page(connection, _named(connection, workspace_id, wanted), order, page)
    ]


def count_variables(connection: Connection, workspace_id: UUID, wanted: VariableFilter | None) -> int:
    """How many variables a filter names."""
    return count_rows(connection, _named(connection, workspace_id, wanted))


def insert_variable(connection: Connection, workspace_id: UUID, row: VariableRow) -> bool:
    """Keep a variable; False when there is one of that name."""
    insert = DIALECTS[connection.dialect].insert(t.variables).on_conflict_do_nothing()
    return bool(connection.change(insert.values(workspace_id=workspace_id, **row._asdict())))


def change_variable(connection: Connection, workspace_id: UUID, variable_id: UUID, changed: dict[str, Any]) -> int:
    """Set columns of a variable; how many there were."""
    own = (_variable.workspace_id == workspace_id) & (_variable.id == variable_id)
    return connection.change(update(t.variables).where(own).values(changed))


def delete_variable(connection: Connection, workspace_id: UUID, variable_id: UUID) -> int:
    """Delete a variable; how many there were."""
    own = (_variable.workspace_id == workspace_id) & (_variable.id == variable_id)
    return connection.change(delete(t.variables).where(own))


def to_variable(row: VariableRow) -> Variable:
    """The variable a row holds."""
    return Variable(
        id=row.id,
        name=row.name,
        value=decode_json(row.value),
        tags=decode_json(row.tags),
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
    )


def _of(workspace_id: UUID) -> Query:
    return select(*(_variable[name] for name in VariableRow._fields)).where(_variable.workspace_id == workspace_id)


def _named(connection: Connection, workspace_id: UUID, wanted: VariableFilter | None) -> Query:
    return _of(workspace_id).where(compile_filter(wanted, _OPERANDS, DIALECTS[connection.dialect]))
