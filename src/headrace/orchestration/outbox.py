"""The outbox: what is to be sent is kept in the transaction of whatever asks for it, and sent after that, at least once."""

from __future__ import annotations

from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.orchestration.unit import Unit
from headrace.schema.outbox import LONGEST_KEY, Dispatch, Message
from headrace.storage import outbox as queries
from headrace.storage.outbox import MessageRow, to_dispatch
from headrace.storage.texts import storable, storable_json


def enqueue(unit: Unit, message: Message) -> bool:
    """Put a message into the outbox of the unit's workspace; False, and nothing happens, if there is one with its key.

    It is sent soon after the unit is committed (`loops.outbox`), under its key: receivers that know keys of idempotency take
    it once.
    """
    if not 0 < len(message.key) <= LONGEST_KEY:
        raise InvalidRequest(f"The key of a message has 1 to {LONGEST_KEY} characters.")
    row = MessageRow(
        id=uuid7(),
        key=storable(message.key),
        kind=message.kind,
        block_document_id=message.block_document_id,
        recipients=storable_json(message.to),
        subject=None if message.subject is None else storable(message.subject),
        body=storable(message.body),
        payload=None if message.payload is None else storable_json(message.payload),
        firing=message.firing,
        attempts=0,
        due=unit.now,
        claim=None,
        reason=None,
        ended=None,
        sent=False,
        created=unit.now,
        updated=unit.now,
    )
    return queries.insert_message(unit.connection, unit.workspace_id, row)


def find_dispatch(unit: Unit, key: str) -> Dispatch | None:
    """What became of the message with a key, if there is one."""
    row = queries.find_message(unit.connection, unit.workspace_id, storable(key))
    return None if row is None else to_dispatch(row)
