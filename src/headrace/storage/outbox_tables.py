"""The tables of what is sent, and of what comes in by webhooks, a part of the declared schema (`storage.tables`)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, UniqueConstraint

from headrace.storage.declaration import objects, present, required
from headrace.storage.types import Id, Json, Micros, Text

# Messages, each once by its key. One is sent when it is `due`: whoever takes it puts that off for as long as they may need
# (`claim` is theirs), and whoever ends it, sent or not, makes it NULL and says when (`ended`).
outbox_messages = objects(
    "outbox_messages",
    required("key", Text),
    required("kind", Text),
    Column("block_document_id", Id),
    required("recipients", Json),
    Column("subject", Text),
    required("body", Text),
    Column("payload", Json),
    Column("firing", Id),
    required("attempts", Integer),
    Column("due", Micros),
    Column("claim", Id),
    Column("reason", Text),
    Column("ended", Micros),
    required("sent", Boolean),
    UniqueConstraint("workspace_id", "key", name="uq_outbox_messages_key"),
)
for _column in ("due", "ended"):
    Index(
        f"ix_outbox_messages_{_column}",
        outbox_messages.c.workspace_id,
        outbox_messages.c[_column],
        outbox_messages.c.id,
        **present(_column),
    )

# `slug` is all that is known of a webhook where it is called, so it is unique among all workspaces.
webhooks = objects(
    "webhooks",
    required("name", Text),
    Column("description", Text),
    required("template", Text),
    required("slug", Text),
    required("enabled", Boolean),
    UniqueConstraint("workspace_id", "name", name="uq_webhooks_name"),
)
Index("uq_webhooks_slug", webhooks.c.slug, unique=True)
