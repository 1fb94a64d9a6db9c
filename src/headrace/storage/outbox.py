"""Queries on what is sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from headrace.base.clock import to_datetime
from headrace.schema.outbox import Dispatch, Message
from headrace.schema.wire import decode_json
from headrace.storage import compiled
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.outbox_rows import MessageRow
from headrace.storage.pages import Query

_message = t.outbox_messages.c


def insert_message(connection: Connection, workspace_id: UUID, row: MessageRow) -> bool:
    """Keep a message; False when there is one with its key."""
    insert = DIALECTS[connection.dialect].insert(t.outbox_messages).on_conflict_do_nothing()
    return bool(connection.change(insert.values(workspace_id=workspace_id, **row._asdict())))


def find_message(connection: Connection, workspace_id: UUID, key: str) -> MessageRow | None:
    """The message with a key."""
    rows = connection.select(_of(workspace_id).where(_message.key == key))
    return MessageRow._make(rows[0]) if rows else None


def find_due(connection: Connection, workspace_id: UUID, before: int, limit: int) -> list[MessageRow]:
    """Some of the messages that are due, the oldest first."""
    asked = {"workspace_id": workspace_id, "now": before, "limit": limit}
    return [*map(MessageRow._make, connection.fetch(compiled.find_due_messages, asked))]


def claim(connection: Connection, workspace_id: UUID, row: MessageRow, changed: dict[str, Any]) -> bool:
    """Change a message that is due, unless somebody else was faster."""
    own = (_message.workspace_id == workspace_id) & (_message.id == row.id) & (_message.due == row.due)
    return bool(connection.change(update(t.outbox_messages).where(own).values(changed)))


def settle(connection: Connection, workspace_id: UUID, row: MessageRow, changed: dict[str, Any]) -> bool:
    """Change a message that is still claimed as it is in the row."""
    own = (_message.workspace_id == workspace_id) & (_message.id == row.id) & (_message.claim == row.claim)
    return bool(connection.change(update(t.outbox_messages).where(own).values(changed)))


def find_ended(connection: Connection, workspace_id: UUID, sent: bool, before: int, limit: int) -> list[UUID]:
    """Some of the messages that ended before an instant, by being sent or not."""
    query = select(_message.id).where(
        _message.workspace_id == workspace_id, _message.ended < before, _message.sent.is_(sent)
    )
    return [row[0] for row in connection.select(query.order_by(_message.ended).limit(limit))]


def delete_messages(connection: Connection, workspace_id: UUID, ids: list[UUID]) -> int:
    """Delete messages; how many there were."""
    own = (_message.workspace_id == workspace_id) & _message.id.in_(ids)
    return connection.change(delete(t.outbox_messages).where(own))


def to_message(row: MessageRow) -> Message:
    """The message a row holds."""
    return Message(
        key=row.key,
        kind=row.kind,  # pyright: ignore[reportArgumentType] - written from one
        block_document_id=row.block_document_id,
        to=tuple(decode_json(row.recipients)),
        subject=row.subject,
        body=row.body,
        payload=None if row.payload is None else decode_json(row.payload),
        firing=row.firing,
    )


def to_dispatch(row: MessageRow) -> Dispatch:
    """What became of the message of a row."""
    ended = "sent" if row.sent else "failed"
    return Dispatch(
        id=row.id,
        message=to_message(row),
        state="waiting" if row.ended is None else ended,
        attempts=row.attempts,
        due=None if row.due is None else to_datetime(row.due),
        reason=row.reason,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
    )


def _of(workspace_id: UUID) -> Query:
    return select(*(_message[name] for name in MessageRow._fields)).where(_message.workspace_id == workspace_id)
