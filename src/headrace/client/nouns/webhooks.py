from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, part, step
from headrace.schema.run import Page
from headrace.schema.webhook import HookCall, Webhook, WebhookCreate, WebhookFilter, WebhookUpdate
from headrace.schema.wire import decode_json


class WebhookCalls(Asking):
    """The verbs on webhooks."""

    def create_webhook(self, webhook: WebhookCreate) -> Webhook:
        return self._create("/webhooks/", Webhook, webhook)

    def read_webhook(self, webhook_id: UUID) -> Webhook:
        return self._read(f"/webhooks/{webhook_id}", Webhook)

    def list_webhooks(self, webhooks: WebhookFilter | None = None, page: Page = Page()) -> list[Webhook]:
        return self._list("/webhooks/filter", list[Webhook], part(page, webhooks=webhooks))

    def update_webhook(self, webhook_id: UUID, update: WebhookUpdate) -> None:
        self._update(f"/webhooks/{webhook_id}", update)

    def rotate_webhook(self, webhook_id: UUID) -> Webhook:
        return self._create(f"/webhooks/{webhook_id}/rotate", Webhook, {})

    def delete_webhook(self, webhook_id: UUID) -> None:
        self._delete(f"/webhooks/{webhook_id}")

    def receive_hook(self, slug: str, call: HookCall) -> dict[str, str] | None:
        headers = dict(call.headers)
        media = headers.pop("content-type", "application/octet-stream")
        path, query = f"/hooks/{step(slug)}", call.query or None
        answer = self._transport.send(call.method, path, call.body, media=media, query=query, headers=headers)
        return decode_json(answer) if answer else None
