"""The verbs of administration on webhooks."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from headrace.schema.run import Page
from headrace.schema.webhook import HookCall, Webhook, WebhookCreate, WebhookFilter, WebhookUpdate


class Webhooks(Protocol):
    """What may be asked about webhooks; raises what all verbs of administration do."""

    def create_webhook(self, webhook: WebhookCreate) -> Webhook:
        """Create a webhook, with a slug that nobody can guess.

        Raises `ObjectAlreadyExists` for a name that is taken, `InvalidRequest` for a template that is none.
        """
        ...

    def read_webhook(self, webhook_id: UUID) -> Webhook:
        """Return the webhook."""
        ...

    def list_webhooks(self, webhooks: WebhookFilter | None = None, page: Page = Page()) -> list[Webhook]:
        """Return webhooks by name."""
        ...

    def update_webhook(self, webhook_id: UUID, update: WebhookUpdate) -> None:
        """Change what the update names. Raises as `create_webhook`."""
        ...

    def rotate_webhook(self, webhook_id: UUID) -> Webhook:
        """Give the webhook another slug; at the former one nothing answers any more."""
        ...

    def delete_webhook(self, webhook_id: UUID) -> None:
        """Delete the webhook."""
        ...

    def receive_hook(self, slug: str, call: HookCall) -> dict[str, str] | None:
        """Make an event of a request to a webhook of any workspace; return what has to be answered, if anything.

        Raises `ObjectNotFound` for a slug that no webhook has which is enabled, and `InvalidRequest` when the request makes no
        event, which an event of its own tells.
        """
        ...
