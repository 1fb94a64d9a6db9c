"""Queries on automations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from headrace.schema.automation import AutomationFilter, AutomationSort
from headrace.schema.run import Page
from headrace.storage import compiled
from headrace.storage import tables as t
from headrace.storage.automation_rows import AutomationRow
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.pages import Order, Query, count_rows, fetch_page
from headrace.storage.tags import ListedTags

_automation = t.automations.c
_OPERANDS = {
    "id": _automation.id,
    "name": _automation.name,
    "created": _automation.created,
    "tags": ListedTags(_automation.tags),
}


def find_automation(
    connection: Connection, workspace_id: UUID, automation_id: UUID, held: bool = False
) -> AutomationRow | None:
    """The automation with an id, held against changes by others if need be."""
    query = _of(workspace_id).where(_automation.id == automation_id)
    rows = connection.select(query.with_for_update() if held else query)
    return AutomationRow._make(rows[0]) if rows else None


def list_automations(
    connection: Connection, workspace_id: UUID, wanted: AutomationFilter | None, sort: AutomationSort, page: Page
) -> list[AutomationRow]:
    """The automations that a filter names, in order."""
    name, _, direction = sort.value.rpartition("_")
    order = Order(_automation[name.lower()], _automation.id, direction == "DESC")
    rows = fetch_page(connection, _named(connection, workspace_id, wanted), order, page)
    return [AutomationRow._make(row) for row in rows]


def count_automations(connection: Connection, workspace_id: UUID, wanted: AutomationFilter | None) -> int:
    """How many automations a filter names."""
    return count_rows(connection, _named(connection, workspace_id, wanted))


def list_enabled(connection: Connection, workspace_id: UUID) -> list[AutomationRow]:
    """The automations that are enabled, those made first first."""
    rows = connection.fetch(compiled.find_enabled_automations, {"workspace_id": workspace_id})
    return [AutomationRow._make(row) for row in rows]


def list_related(connection: Connection, workspace_id: UUID, resource_id: str, limit: int) -> list[AutomationRow]:
    """The automations that have to do with a resource, by name."""
    related = DIALECTS[connection.dialect].has_any(_automation.resources, [resource_id])
    query = _of(workspace_id).where(related).order_by(_automation.name, _automation.id).limit(limit)
    return [AutomationRow._make(row) for row in connection.select(query)]


def list_owned(connection: Connection, workspace_id: UUID, resource_id: str) -> list[UUID]:
    """The automations that go with a resource."""
    own = (_automation.workspace_id == workspace_id) & (_automation.owner_resource == resource_id)
    return [row[0] for row in connection.select(select(_automation.id).where(own))]


def insert_automation(connection: Connection, workspace_id: UUID, row: AutomationRow) -> None:
    """Keep an automation."""
    insert = DIALECTS[connection.dialect].insert(t.automations)
    connection.change(insert.values(workspace_id=workspace_id, **row._asdict()))


def change_automation(connection: Connection, workspace_id: UUID, automation_id: UUID, changed: dict[str, Any]) -> int:
    """Set columns of an automation; how many there were."""
    own = (_automation.workspace_id == workspace_id) & (_automation.id == automation_id)
    return connection.change(update(t.automations).where(own).values(changed))


def delete_automation(connection: Connection, workspace_id: UUID, automation_id: UUID) -> int:
    """Delete an automation with what its trigger remembers; how many there were. What it fired is still done."""
    forget(connection, workspace_id, automation_id)
    own = (_automation.workspace_id == workspace_id) & (_automation.id == automation_id)
    return connection.change(delete(t.automations).where(own))


def forget(connection: Connection, workspace_id: UUID, automation_id: UUID) -> None:
    """Delete what an automation's trigger remembers."""
    bucket = t.automation_buckets.c
    own = (bucket.workspace_id == workspace_id) & (bucket.automation_id == automation_id)
    connection.change(delete(t.automation_buckets).where(own))


def _of(workspace_id: UUID) -> Query:
    columns = (_automation[name] for name in AutomationRow._fields)
    return select(*columns).where(_automation.workspace_id == workspace_id)


def _named(connection: Connection, workspace_id: UUID, wanted: AutomationFilter | None) -> Query:
    return _of(workspace_id).where(compile_filter(wanted, _OPERANDS, DIALECTS[connection.dialect]))
