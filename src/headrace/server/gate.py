"""What every connection passes first, whatever it asks for: where it comes from, who sends it, and what goes out with it.

A server without a key trusts whoever reaches its loopback address. Any web page can make this machine's browser reach
it, so what a browser says of a request's origin decides: names under which only this machine is meant (against pages
that rebind their own name to it), and no foreign origin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from headrace.base import clock
from headrace.base.ids import uuid7
from headrace.server.auth import IDENTITY, LOOPBACK_HOSTS, Access
from headrace.server.cloud import leave_workspace
from headrace.server.requests import Requests

REQUEST_ID = "headrace.request_id"
"""The key of a connection's scope under which the request's id stands, as in its answer's header."""

SAME_SITE = frozenset({b"same-origin", b"none"})
"""What `Sec-Fetch-Site` says of our own pages and of an address somebody typed."""

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Styles may stand in attributes, where charts and tables need them; scripts come from our own files only."""

PROTECTION = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
NO_STORE = (b"cache-control", b"no-store")


class Gate:
    """The outermost application."""

    def __init__(self, app: ASGIApp, access: Access, requests: Requests | None = None) -> None:
        self._app = app
        self._access = access
        self._requests = requests or Requests()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a connection in with its identity, or refuse it."""
        if scope["type"] == "lifespan":  # pyright: ignore[reportUnnecessaryComparison]
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = str(uuid7())
        scope[REQUEST_ID] = request_id  # pyright: ignore[reportGeneralTypeIssues]
        refusal = self._refuse(scope, headers)
        if scope["type"] != "http":
            if refusal is not None:
                await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
                return
            send_out = send
        else:
            send_out = _protect(self._count(scope, send), request_id.encode())
        if refusal is not None:
            await _answer(send_out, *refusal)
            return
        identity = self._access.identify(_text(headers.get(b"authorization")))
        scope[IDENTITY] = identity  # pyright: ignore[reportGeneralTypeIssues]
        scope["path"] = leave_workspace(scope["path"])
        await self._app(scope, receive, send_out)

    def _count(self, scope: Any, send: Send) -> Send:
        """Send, and note when the answer begins what was asked; the framework leaves the route's pattern in the scope."""
        begun = clock.monotonic()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route: str | None = scope.get("path_template")
                self._requests.note(scope["method"], route, message["status"], clock.monotonic() - begun)
            await send(message)

        return send_counted

    def _refuse(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        """Why the connection is refused, with the status that says so."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            return 405, "Pages of other origins may not ask anything here."
        site = headers.get(b"sec-fetch-site")
        if site is not None and site not in SAME_SITE and not _is_visit(scope, headers):
            return 403, "Pages of other origins may not ask anything here."
        if not self._access.is_open:
            return None
        host = headers.get(b"host", b"").decode("latin-1")
        if strip_port(host) not in LOOPBACK_HOSTS:
            return (
                403,
                f"This server has no key, so it answers to localhost, 127.0.0.1 and [::1] only, not to {host!r}.",
            )
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in {f"http://{host}", f"https://{host}"}:
            return 403, "Pages of other origins may not ask anything here."
        return None


def strip_port(host: str) -> str:
    """The name in a Host header, in lower case."""
    name, separator, port = host.rpartition(":")
    return (name if separator and port.isdigit() else host).lower()


def _is_visit(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Whether somebody follows a link to us: the page they left learns nothing of what they see, and GET changes nothing."""
    return (
        scope["type"] == "http"
        and scope["method"] in {"GET", "HEAD"}
        and headers.get(b"sec-fetch-mode") == b"navigate"
        and headers.get(b"sec-fetch-dest") == b"document"
    )


def _protect(send: Send, request_id: bytes) -> Callable[[Message], Any]:
    """Send with the headers that tell browsers what they may do with an answer."""

    async def send_protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message["headers"], *PROTECTION, (b"x-request-id", request_id)]
            if all(name.lower() != b"cache-control" for name, _ in message["headers"]):
                headers.append(NO_STORE)
            message["headers"] = headers
        await send(message)

    return send_protected


async def _answer(send: Callable[[Message], Any], status: int, text: str) -> None:
    body = msgspec.json.encode({"exception_message": text, "detail": text})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
