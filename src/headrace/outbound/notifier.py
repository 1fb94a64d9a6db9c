"""The contract of a notifier: how one service is told something. The services are in `outbound.notifiers`.

A notifier is what a block of its type holds, secrets opened: a script that calls `notify`, and a server that sends what an
automation asked for, tell a service the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from msgspec import Struct, structs

from headrace.outbound.egress import ANYWHERE, Egress
from headrace.outbound.http import Answer, Outgoing, check_taken, send

IDEMPOTENCY_KEY = "Idempotency-Key"
"""The header under which a request says what it is: the same again is no second one."""

SIGNS: Mapping[str, str] = {"info": "", "success": "✅ ", "warning": "⚠️ ", "failure": "❌ "}
"""What stands before a text, by the kind of news it is."""

SUBJECT = "Headrace"
"""What a mail is about whose subject nobody gave."""


class Notice(Struct, frozen=True, kw_only=True):
    """A text for people. Under a `key`, it is the same however often it is sent."""

    body: str
    subject: str | None = None
    key: str | None = None


class Notifier(Struct, frozen=True, kw_only=True):
    """A service that tells people something."""

    slug: ClassVar[str]
    """The block type that holds it."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # most of what it holds is secret

    def tell(self, notice: Notice, egress: Egress = ANYWHERE) -> None:
        """Deliver a notice. Raises `Undelivered` in one line, without any secret, when it was not taken."""
        raise NotImplementedError


class Requester(Notifier, frozen=True, kw_only=True):
    """A service that is told by requests. Those of the internet are never at private addresses."""

    reaches_private: ClassVar[bool] = False

    def tell(self, notice: Notice, egress: Egress = ANYWHERE) -> None:
        for request in self.write(notice):
            transmit(request, notice.key, egress)

    def write(self, notice: Notice) -> list[Outgoing]:
        """The requests that deliver a notice."""
        raise NotImplementedError


class Chat(Requester, frozen=True, kw_only=True):
    """A service that is told news of some kind."""

    notify_type: str = "info"

    @property
    def sign(self) -> str:
        """What stands before a text."""
        return SIGNS.get(self.notify_type, "")


def transmit(request: Outgoing, key: str | None, egress: Egress) -> Answer:
    """Send a request under a key, and return the answer of whoever took it. Raises `Undelivered`."""
    if key is not None:
        headers = {IDEMPOTENCY_KEY: write_key(key), **request.headers}
        request = structs.replace(request, headers=headers)
    return check_taken(send(request, egress=egress), request.host)


def write_key(key: str) -> str:
    """A key as a header can hold it."""
    return quote(key, safe="/:.-_~ ")


def post(url: str, **what: Any) -> Outgoing:
    """A request that brings something."""
    return Outgoing(method="POST", url=url, **what)


def given(told: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of it all."""
    return {name: value for name, value in told.items() if value is not None}


def cut(text: str, longest: int) -> str:
    """The text, as long as it may be."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
