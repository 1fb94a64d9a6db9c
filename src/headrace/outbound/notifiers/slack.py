from __future__ import annotations

from typing import ClassVar

from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Chat, Notice, post


class Slack(Chat, frozen=True, kw_only=True):
    """Slack, by an incoming webhook."""

    slug: ClassVar[str] = "slack-webhook"

    url: str
    allow_private_urls: bool = True

    def write(self, notice: Notice) -> list[Outgoing]:
        body, subject = notice.body, notice.subject
        text = f"{self.sign}*{subject}*\n{body}" if subject else self.sign + body
        return [post(self.url, json={"text": text}, allow_private=self.allow_private_urls)]
