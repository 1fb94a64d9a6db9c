"""Wide queries on flows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update

from headrace.schema.filters import FlowFilter
from headrace.schema.run import Page
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.pages import Order, Query, count_rows, fetch_page
from headrace.storage.rows import FlowRow
from headrace.storage.selections import FLOW


def list_flows(connection: Connection, workspace_id: UUID, flows: FlowFilter | None, page: Page) -> list[FlowRow]:
    """The flows that a filter names, by name."""
    order = Order(t.flows.c.name, t.flows.c.id)
    return [FlowRow._make(row) for row in fetch_page(connection, _query(connection, workspace_id, flows), order, page)]


def count_flows(connection: Connection, workspace_id: UUID, flows: FlowFilter | None) -> int:
    """How many flows a filter names."""
    return count_rows(connection, _query(connection, workspace_id, flows))


def change_tags(connection: Connection, workspace_id: UUID, flow_id: UUID, tags: str, now: int) -> int:
    """Replace the tags of a flow; how many flows were changed."""
    flow = t.flows.c
    return connection.change(
        update(t.flows).where(flow.workspace_id == workspace_id, flow.id == flow_id).values(tags=tags, updated=now)
    )


def _query(connection: Connection, workspace_id: UUID, flows: FlowFilter | None) -> Query:
    wanted = compile_filter(flows, FLOW, DIALECTS[connection.dialect])
    return select(*(t.flows.c[name] for name in FlowRow._fields)).where(t.flows.c.workspace_id == workspace_id, wanted)
