"""Which versions of the contract are spoken here, and what a client's own version is answered."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from headrace.server.errors import Refusal

API_VERSION = "0.8.4"
"""The version of the contract."""

OLDEST_API_VERSION = "0.8.0"
"""The oldest version a client may speak; newer ones than ours are welcome."""

COMPATIBLE_VERSION = "3.9.1"
"""What the contract's clients are told as the server's version: they refuse another major, and warn of an older one."""

HEADER = "x-prefect-api-version"
ANY_VERSION = "any version"
"""The key of a handler's `opt` that says it answers whatever version a client speaks."""

RENEWS_SLOTS = (3, 4, 11)
"""From this version on the contract's clients renew the slot that a run holds of its deployment's limit."""

_AGENT = re.compile(r"prefect/(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})")


def own_version() -> str:
    """The version of Headrace."""
    return version("headrace")


async def require_api_version(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard that turns away clients of a version that is not spoken here any more, 400. No thread is needed for it."""
    spoken = connection.headers.get(HEADER)
    if spoken is None or handler.opt.get(ANY_VERSION):
        return
    read = _read(spoken)
    if read is None:
        raise Refusal(400, f"{spoken[:50]!r} is no API version; one reads like {API_VERSION}.")
    if read < _read(OLDEST_API_VERSION):  # pyright: ignore[reportOperatorIssue]
        raise Refusal(400, f"API version {spoken} is not spoken here any more; {OLDEST_API_VERSION} is the oldest.")


def renews_slots(agent: str) -> bool:
    """Whether a client that calls itself so renews the slot that a run of its own holds."""
    match = _AGENT.match(agent)
    return match is not None and tuple(map(int, match.groups())) >= RENEWS_SLOTS


def _read(text: str) -> tuple[int, ...] | None:
    match = _VERSION.fullmatch(text)
    return tuple(map(int, match.groups())) if match else None
