"""Wide queries on log lines."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from headrace.schema.filters import LogFilter
from headrace.schema.log import LogSort
from headrace.schema.run import Page
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.pages import Order, count_rows, fetch_page
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


def count_logs(connection: Connection, workspace_id: UUID, logs: LogFilter | None) -> int:
    """How many log lines a filter names."""
    wanted = compile_filter(logs, LOG, DIALECTS[connection.dialect])
    return count_rows(connection, select(t.logs.c.sequence).where(t.logs.c.workspace_id == workspace_id, wanted))


def tail_logs(
    connection: Connection, workspace_id: UUID, logs: LogFilter | None, after: int, limit: int
) -> list[tuple[int, LogRow]]:
    """The log lines that a filter names after a place, in the order they were written, each with its own place."""
    wanted = compile_filter(logs, LOG, DIALECTS[connection.dialect])
    columns = [t.logs.c.sequence, *(t.logs.c[name] for name in LogRow._fields)]
    query = select(*columns).where(t.logs.c.workspace_id == workspace_id, t.logs.c.sequence > after, wanted)
    rows = connection.select(query.order_by(t.logs.c.sequence).limit(limit))
    return [(row[0], LogRow._make(row[1:])) for row in rows]


def find_end(connection: Connection) -> int:
    """The place of the newest line of all."""
    return connection.select(select(func.coalesce(func.max(t.logs.c.sequence), 0)))[0][0]
