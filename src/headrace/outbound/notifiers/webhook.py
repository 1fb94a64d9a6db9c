from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec import field

from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Notice, Requester


class Webhook(Requester, frozen=True, kw_only=True):
    """An address that is called with a payload; a notice is one as well."""

    slug: ClassVar[str] = "webhook"

    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: dict[str, Any] = field(default_factory=dict[str, Any])
    allow_private_urls: bool = True
    verify: bool = True

    def call(self, payload: Any) -> Outgoing:
        """The request that brings a payload: a text as it is, anything else as JSON."""
        return Outgoing(
            method=self.method,
            url=self.url,
            headers={name: str(value) for name, value in self.headers.items()},
            json=payload if not isinstance(payload, str) else None,
            content=payload.encode() if isinstance(payload, str) else None,
            verify=self.verify,
            allow_private=self.allow_private_urls,
        )

    def write(self, notice: Notice) -> list[Outgoing]:
        return [self.call({"subject": notice.subject, "body": notice.body})]
