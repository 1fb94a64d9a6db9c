from __future__ import annotations

from typing import ClassVar

from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Chat, Notice, post


class Teams(Chat, frozen=True, kw_only=True):
    """Microsoft Teams, by a workflow that is started by a webhook."""

    slug: ClassVar[str] = "ms-teams-webhook"

    url: str
    allow_private_urls: bool = True
    wrap: bool = True

    def write(self, notice: Notice) -> list[Outgoing]:
        body, subject = notice.body, notice.subject
        title = {"type": "TextBlock", "text": f"{self.sign}{subject}", "weight": "Bolder", "size": "Medium"}
        text = {"type": "TextBlock", "text": body if subject else self.sign + body, "wrap": self.wrap}
        card = {"type": "AdaptiveCard", "version": "1.4", "body": [title, text] if subject else [text]}
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        message = {"type": "message", "attachments": [attachment]}
        return [post(self.url, json=message, allow_private=self.allow_private_urls)]
