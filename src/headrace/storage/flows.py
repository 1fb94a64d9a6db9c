"""Wide queries on flows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update

from headrace.schema.filters import RunSelection
from headrace.schema.flow import FlowSort
from headrace.schema.run import Page
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.pages import Order, Query, count_rows, fetch_page
from headrace.storage.rows import FlowRow
from headrace.storage.selections import select_flows


def list_flows(
    connection: Connection, workspace_id: UUID, selection: RunSelection, sort: FlowSort, page: Page
) -> list[FlowRow]:
    """The flows that a selection names, in order."""
    name, _, direction = sort.value.rpartition("_")
    order = Order(t.flows.c[name.lower()], t.flows.c.id, direction == "DESC")
    query = _query(connection, workspace_id, selection)
    return [FlowRow._make(row) for row in fetch_page(connection, query, order, page)]


def count_flows(connection: Connection, workspace_id: UUID, selection: RunSelection) -> int:
    """How many flows a selection names."""
    return count_rows(connection, _query(connection, workspace_id, selection))


def change_tags(connection: Connection, workspace_id: UUID, flow_id: UUID, tags: str, now: int) -> int:
    """Replace the tags of a flow; how many flows were changed."""
    flow = t.flows.c
    return connection.change(
        update(t.flows).where(flow.workspace_id == workspace_id, flow.id == flow_id).values(tags=tags, updated=now)
    )


def _query(connection: Connection, workspace_id: UUID, selection: RunSelection) -> Query:
    wanted = select_flows(workspace_id, selection, DIALECTS[connection.dialect])
    return select(*(t.flows.c[name] for name in FlowRow._fields)).where(wanted)
