"""Rows of the outbox."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID


class MessageRow(NamedTuple):
    """A row of outbox_messages; recipients and payload are JSON."""

    id: UUID
    key: str
    kind: str
    block_document_id: UUID | None
    recipients: str
    subject: str | None
    body: str
    payload: str | None
    firing: UUID | None
    attempts: int
    due: int | None
    claim: UUID | None
    reason: str | None
    ended: int | None
    sent: bool
    created: int
    updated: int
