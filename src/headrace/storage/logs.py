"""Wide queries on log lines."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from headrace.schema.filters import LogFilter
from headrace.schema.log import LogSort
from headrace.schema.run import Page
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.pages import Order, fetch_page
from headrace.storage.rows import LogRow
from headrace.storage.selections import LOG


def list_logs(
    connection: Connection, workspace_id: UUID, logs: LogFilter | None, sort: LogSort, page: Page
) -> list[LogRow]:
    """The log lines that a filter names, in order of time, and of one instant in the order they were written."""
    wanted = compile_filter(logs, LOG, DIALECTS[connection.dialect])
    query = select(*(t.logs.c[name] for name in LogRow._fields)).where(t.logs.c.workspace_id == workspace_id, wanted)
    order = Order(t.logs.c.timestamp, t.logs.c.sequence, sort is LogSort.TIMESTAMP_DESC)
    return [LogRow._make(row) for row in fetch_page(connection, query, order, page)]
