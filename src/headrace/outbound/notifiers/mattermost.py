from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Chat, Notice, given, post


class Mattermost(Chat, frozen=True, kw_only=True):
    """Mattermost, by an incoming webhook."""

    slug: ClassVar[str] = "mattermost-webhook"
    reaches_private: ClassVar[bool] = True

    hostname: str
    token: str
    secure: bool = False
    botname: str | None = None
    channels: list[str] | None = None
    path: str | None = None
    port: int = 8065

    def write(self, notice: Notice) -> list[Outgoing]:
        body, subject = notice.body, notice.subject
        text = f"{self.sign}**{subject}**\n{body}" if subject else self.sign + body
        way = f"{(self.path or '').strip('/')}/hooks/{quote(self.token, '')}".lstrip("/")
        url = f"{'https' if self.secure else 'http'}://{self.hostname}:{self.port}/{way}"
        return [
            post(
                url,
                json=given({"text": text, "username": self.botname, "channel": channel}),
                allow_private=self.reaches_private,
            )
            for channel in self.channels or [None]
        ]
