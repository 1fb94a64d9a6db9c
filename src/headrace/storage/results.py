"""Wide queries on records of results."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select

from headrace.schema.filters import ResultFilter
from headrace.schema.run import Page
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.pages import Order, fetch_page
from headrace.storage.rows import ResultRow
from headrace.storage.selections import RESULT


def list_results(
    connection: Connection, workspace_id: UUID, results: ResultFilter | None, page: Page
) -> list[ResultRow]:
    """The records that a filter names, newest first."""
    result = t.results.c
    wanted = compile_filter(results, RESULT, DIALECTS[connection.dialect])
    query = select(*(result[name] for name in ResultRow._fields)).where(result.workspace_id == workspace_id, wanted)
    order = Order(result.id, result.id, descending=True)
    return [ResultRow._make(row) for row in fetch_page(connection, query, order, page)]


def delete_results(connection: Connection, workspace_id: UUID, storage_key: str) -> int:
    """Forget the records of a key; how many there were."""
    result = t.results.c
    return connection.change(
        delete(t.results).where(result.workspace_id == workspace_id, result.storage_key == storage_key)
    )
