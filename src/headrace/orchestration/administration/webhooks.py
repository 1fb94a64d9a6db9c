"""Webhooks: made, looked up, changed, deleted, and called."""

from __future__ import annotations

import secrets
from uuid import UUID

from msgspec import UNSET

from headrace.base.errors import InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.hooks import find_handshake, make_event, tell, tell_failure
from headrace.orchestration.unit import Unit
from headrace.rules.templates import check
from headrace.schema.run import Page
from headrace.schema.webhook import HookCall, Webhook, WebhookCreate, WebhookFilter, WebhookUpdate
from headrace.storage import webhooks as queries
from headrace.storage.texts import storable
from headrace.storage.webhooks import WebhookRow, to_webhook

SLUG_BYTES = 16
"""How many random bytes a slug is made of."""


class WebhookVerbs(Office):
    """The verbs on webhooks."""

    def create_webhook(self, webhook: WebhookCreate) -> Webhook:
        _refuse_bad(webhook.template)

        def create(unit: Unit) -> Webhook | None:
            row = WebhookRow(
                id=uuid7(),
                name=storable(webhook.name),
                description=None if webhook.description is None else storable(webhook.description),
                template=storable(webhook.template),
                slug=_make_slug(),
                enabled=webhook.enabled,
                created=unit.now,
                updated=unit.now,
            )
            made = queries.insert_webhook(unit.connection, unit.workspace_id, row)
            return to_webhook(row) if made else None

        made = self._desk.write(create)
        if made is None:
            raise _name_taken(webhook.name)
        return made

    def read_webhook(self, webhook_id: UUID) -> Webhook:
        return self._desk.read(lambda unit: to_webhook(_require(unit, webhook_id)))

    def list_webhooks(self, webhooks: WebhookFilter | None = None, page: Page = Page()) -> list[Webhook]:
        part = checked(page)

        def list_them(unit: Unit) -> list[Webhook]:
            return [*map(to_webhook, queries.list_webhooks(unit.connection, unit.workspace_id, webhooks, part))]

        return self._desk.read(list_them)

    def update_webhook(self, webhook_id: UUID, update: WebhookUpdate) -> None:
        if isinstance(update.template, str):
            _refuse_bad(update.template)

        def change(unit: Unit) -> bool:
            row = _require(unit, webhook_id)
            changed: dict[str, object] = {"updated": unit.now}
            for name in ("name", "template", "description", "enabled"):
                value = getattr(update, name)
                if value is not UNSET:
                    changed[name] = storable(value) if isinstance(value, str) else value
            if isinstance(update.name, str):
                taken = queries.find_webhook_by_name(unit.connection, unit.workspace_id, storable(update.name))
                if taken is not None and taken.id != row.id:
                    return False
            queries.change_webhook(unit.connection, unit.workspace_id, row.id, changed)
            return True

        if not self._desk.write(change):
            raise _name_taken(str(update.name))

    def rotate_webhook(self, webhook_id: UUID) -> Webhook:
        def rotate(unit: Unit) -> Webhook:
            row = _require(unit, webhook_id)
            changed = {"slug": _make_slug(), "updated": unit.now}
            queries.change_webhook(unit.connection, unit.workspace_id, row.id, changed)
            return to_webhook(_require(unit, webhook_id))

        return self._desk.write(rotate)

    def delete_webhook(self, webhook_id: UUID) -> None:
        def delete(unit: Unit) -> None:
            queries.delete_webhook(unit.connection, unit.workspace_id, _require(unit, webhook_id).id)

        self._desk.write(delete)

    def receive_hook(self, slug: str, call: HookCall) -> dict[str, str] | None:
        found = self._desk.read(lambda unit: queries.find_webhook_by_slug(unit.connection, storable(slug)))
        if found is None or not found[1].enabled:
            raise ObjectNotFound("There is no such webhook.")
        workspace_id, row = found
        handshake = find_handshake(call)
        if handshake is not None:
            return handshake
        try:
            # Outside of a transaction: a template may take a while.
            event = make_event(row, call, self._desk.clock.micros())
        except InvalidRequest as error:
            reason = str(error)
            self._desk.write(lambda unit: tell_failure(_within(unit, workspace_id), row, call, reason))
            raise
        self._desk.write(lambda unit: tell(_within(unit, workspace_id), event))
        return None


def _within(unit: Unit, workspace_id: UUID) -> Unit:
    """The unit in the workspace of the webhook that was called, whoever asks: the slug alone says which."""
    return Unit(unit.connection, workspace_id, unit.now)


def _make_slug() -> str:
    return secrets.token_urlsafe(SLUG_BYTES)


def _refuse_bad(template: str) -> None:
    problem = check(template)
    if problem is not None:
        raise InvalidRequest(problem, [(["template"], problem)])


def _require(unit: Unit, webhook_id: UUID) -> WebhookRow:
    row = queries.find_webhook(unit.connection, unit.workspace_id, webhook_id)
    if row is None:
        raise ObjectNotFound(f"There is no webhook with id {webhook_id}.")
    return row


def _name_taken(name: str) -> ObjectAlreadyExists:
    return ObjectAlreadyExists(f"There is a webhook called {name!r} already.")
