"""Wide queries on the log of events."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS


def find_place_before(connection: Connection, workspace_id: UUID, instant: int) -> tuple[int, int] | None:
    """The cursor of the newest event that occurred before an instant. Reads the log backwards from its end."""
    event = t.events.c
    newest_first = [column.desc() for column in DIALECTS[connection.dialect].cursor_order()]
    query = select(event.xid, event.id).where(event.workspace_id == workspace_id, event.occurred < instant)
    rows = connection.select(query.order_by(*newest_first).limit(1))
    return (rows[0][0], rows[0][1]) if rows else None
