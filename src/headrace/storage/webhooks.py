"""Queries on webhooks."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update

from headrace.base.clock import to_datetime
from headrace.schema.run import Page
from headrace.schema.webhook import Webhook, WebhookFilter
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.pages import Order, Query, fetch_page

_webhook = t.webhooks.c
_OPERANDS = {"id": _webhook.id, "name": _webhook.name}


class WebhookRow(NamedTuple):
    """A row of webhooks."""

    id: UUID
    name: str
    description: str | None
    template: str
    slug: str
    enabled: bool
    created: int
    updated: int


def find_webhook(connection: Connection, workspace_id: UUID, webhook_id: UUID) -> WebhookRow | None:
    """The webhook with an id."""
    rows = connection.select(_of(workspace_id).where(_webhook.id == webhook_id))
    return WebhookRow._make(rows[0]) if rows else None


def find_webhook_by_name(connection: Connection, workspace_id: UUID, name: str) -> WebhookRow | None:
    """The webhook of a name."""
    rows = connection.select(_of(workspace_id).where(_webhook.name == name))
    return WebhookRow._make(rows[0]) if rows else None


def find_webhook_by_slug(connection: Connection, slug: str) -> tuple[UUID, WebhookRow] | None:
    """The webhook of a slug, of whichever workspace, and that workspace."""
    columns = (_webhook[name] for name in WebhookRow._fields)
    rows = connection.select(select(_webhook.workspace_id, *columns).where(_webhook.slug == slug))
    return (rows[0][0], WebhookRow._make(rows[0][1:])) if rows else None


def list_webhooks(
    connection: Connection, workspace_id: UUID, wanted: WebhookFilter | None, page: Page
) -> list[WebhookRow]:
    """The webhooks that a filter names, by name."""
    query = _of(workspace_id).where(compile_filter(wanted, _OPERANDS, DIALECTS[connection.dialect]))
    return [*map(WebhookRow._make, fetch_page(connection, query, Order(_webhook.name, _webhook.id), page))]


def insert_webhook(connection: Connection, workspace_id: UUID, row: WebhookRow) -> bool:
    """Keep a webhook; False when there is one of that name."""
    insert = DIALECTS[connection.dialect].insert(t.webhooks).on_conflict_do_nothing()
    return bool(connection.change(insert.values(workspace_id=workspace_id, **row._asdict())))


def change_webhook(connection: Connection, workspace_id: UUID, webhook_id: UUID, changed: dict[str, Any]) -> int:
    """Set columns of a webhook; how many there were."""
    own = (_webhook.workspace_id == workspace_id) & (_webhook.id == webhook_id)
    return connection.change(update(t.webhooks).where(own).values(changed))


def delete_webhook(connection: Connection, workspace_id: UUID, webhook_id: UUID) -> int:
    """Delete a webhook; how many there were."""
    own = (_webhook.workspace_id == workspace_id) & (_webhook.id == webhook_id)
    return connection.change(delete(t.webhooks).where(own))


def to_webhook(row: WebhookRow) -> Webhook:
    """The webhook a row holds."""
    return Webhook(
        id=row.id,
        name=row.name,
        description=row.description,
        template=row.template,
        slug=row.slug,
        enabled=row.enabled,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
    )


def _of(workspace_id: UUID) -> Query:
    return select(*(_webhook[name] for name in WebhookRow._fields)).where(_webhook.workspace_id == workspace_id)
