"""What is to be sent: messages that wait in the outbox until somebody has taken them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

MessageKind = Literal["block", "email", "webhook"]

LONGEST_KEY = 512
"""How many signs the key of a message may have."""


class Message(Struct, frozen=True, kw_only=True):
    """Something to send, once for each `key`.

    A `block` is told `subject` and `body` by the block `block_document_id`. An `email` goes to the addresses `to` by the mail
    server of that block, or of the settings if there is none. A `webhook` is called with `payload`, an object or a text, by the
    block. `firing` is what made the message, an automation's firing say; it is told when the message could not be sent.
    """

    key: str
    kind: MessageKind
    block_document_id: UUID | None = None
    to: tuple[str, ...] = ()
    subject: str | None = None
    body: str = ""
    payload: Any = None
    firing: UUID | None = None


class Dispatch(Struct, frozen=True, kw_only=True):
    """A message that was put into the outbox, and what became of it: `reason` says why it was not sent, yet or at all."""

    id: UUID
    message: Message
    state: Literal["waiting", "sent", "failed"]
    attempts: int
    due: datetime | None
    reason: str | None
    created: datetime
    updated: datetime
