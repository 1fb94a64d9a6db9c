"""Queries on searches that people keep."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import delete, select

from headrace.base.clock import to_datetime
from headrace.schema.run import Page
from headrace.schema.search import SavedSearch, SearchCondition
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.pages import Order, Query, fetch_page

_search = t.saved_searches.c
_decode_filters = msgspec.json.Decoder(list[SearchCondition]).decode


class SearchRow(NamedTuple):
    """A row of saved_searches; filters are JSON."""

    id: UUID
    name: str
    filters: str
    created: int
    updated: int


def save_search(connection: Connection, workspace_id: UUID, row: SearchRow) -> SearchRow:
    """Keep a search; what had its name keeps its id and says what this one says. Returns what is kept."""
    insert = DIALECTS[connection.dialect].insert(t.saved_searches)
    insert = insert.values(workspace_id=workspace_id, **row._asdict()).on_conflict_do_update(
        index_elements=["workspace_id", "name"], set_={"filters": row.filters, "updated": row.updated}
    )
    connection.change(insert)
    return SearchRow._make(connection.select(_of(workspace_id).where(_search.name == row.name))[0])


def find_search(connection: Connection, workspace_id: UUID, search_id: UUID) -> SearchRow | None:
    """The search with an id."""
    rows = connection.select(_of(workspace_id).where(_search.id == search_id))
    return SearchRow._make(rows[0]) if rows else None


def list_searches(connection: Connection, workspace_id: UUID, page: Page) -> list[SearchRow]:
    """Searches by name."""
    rows = fetch_page(connection, _of(workspace_id), Order(_search.name, _search.id), page)
    return [SearchRow._make(row) for row in rows]


def delete_search(connection: Connection, workspace_id: UUID, search_id: UUID) -> int:
    """Forget a search; how many there were."""
    own = (_search.workspace_id == workspace_id) & (_search.id == search_id)
    return connection.change(delete(t.saved_searches).where(own))


def to_search(row: SearchRow) -> SavedSearch:
    """The search a row holds."""
    return SavedSearch(
        id=row.id,
        name=row.name,
        filters=_decode_filters(row.filters),
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
    )


def _of(workspace_id: UUID) -> Query:
    return select(*(_search[name] for name in SearchRow._fields)).where(_search.workspace_id == workspace_id)
