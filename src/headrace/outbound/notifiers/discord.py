from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Chat, Notice, cut, given, post

LONGEST = 2000


class Discord(Chat, frozen=True, kw_only=True):
    """Discord, by a webhook of a channel."""

    slug: ClassVar[str] = "discord-webhook"
    service: ClassVar[str] = "https://discord.com/api/webhooks"

    webhook_id: str
    webhook_token: str
    botname: str | None = None
    tts: bool = False
    avatar_url: str | None = None

    def write(self, notice: Notice) -> list[Outgoing]:
        body, subject = notice.body, notice.subject
        text = f"{self.sign}**{subject}**\n{body}" if subject else self.sign + body
        message = {"content": cut(text, LONGEST), "tts": self.tts}
        message |= given({"username": self.botname, "avatar_url": self.avatar_url})
        way = f"{quote(self.webhook_id, '')}/{quote(self.webhook_token, '')}"
        return [post(f"{self.service}/{way}", json=message, allow_private=self.reaches_private)]
