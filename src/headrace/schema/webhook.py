"""Webhooks: addresses at which others tell something, each request of which becomes an event by a template."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from headrace.schema.filters import Filter, IdFilter, TextFilter
from headrace.schema.wire import Stored, Wire

WebhookName = Annotated[str, Meta(min_length=1, max_length=255)]
WebhookTemplate = Annotated[str, Meta(min_length=1)]

LARGEST_REQUEST = 256 * 1024
"""The most bytes of a request's body that a webhook takes."""


# The contract's client sends back all of what it was answered: fields that cannot be changed are passed over.
class WebhookCreate(Wire, kw_only=True):
    """Asks for a webhook."""

    name: WebhookName
    template: WebhookTemplate
    description: str | None = None
    enabled: bool = True


class WebhookUpdate(Wire, kw_only=True):
    """Changes a webhook; fields that are not sent stay as they are."""

    name: WebhookName | UnsetType = UNSET
    template: WebhookTemplate | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class Webhook(Stored, kw_only=True):
    """A webhook as stored. It is called at `/hooks/<slug>`, and whoever knows the slug may call it."""

    name: str
    template: str
    slug: str
    description: str | None = None
    enabled: bool = True


class WebhookFilter(Filter, kw_only=True):
    """Which webhooks."""

    id: IdFilter | None = None
    name: TextFilter | None = None


class HookCall(Struct, frozen=True, kw_only=True):
    """A request to a webhook. The names of headers are in lower case."""

    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    query: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
