"""Who asks, and what they may do: default deny.

Every route and websocket says which permission it needs (`needs`), and `refuse_unguarded` does not let an app be built
in which one does not. Who asks is told by a credential alone, never by a path or a field of the request.

Without a key the server is for the user of this machine: it listens on a loopback address only, and the gate
(`server/gate.py`) keeps out what a foreign web page in this user's browser sends there.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from enum import StrEnum
from typing import Any

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from msgspec import Struct

from headrace.base.errors import ConfigurationError

PERMISSION = "permission"
"""The key of a handler's `opt` under which its permission stands."""

IDENTITY = "headrace.identity"
"""The key of a connection's scope under which the gate has put who asks."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The names under which a server without a key answers."""


class Permission(StrEnum):
    """What a route needs. Everything but PUBLIC needs somebody known."""

    PUBLIC = "public"
    """Health, readiness and the files of the UI, which hold no data."""
    READ = "read"
    """Look at anything that is no secret."""
    RUN = "run"
    """Execute: make runs, report what happens to them, hold slots."""
    EDIT = "edit"
    """Change and delete what people made, and the course of other people's runs."""
    METRICS = "metrics"
    """Read what whoever watches the server is told: figures, and names of pools and queues."""
    MANAGE = "manage"
    """Manage the server itself."""


class Identity(Struct, frozen=True):
    """Somebody known, and what they may do."""

    name: str
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Whether they may do what needs this permission."""
        return permission in self.permissions


EVERYTHING = frozenset(Permission)
LOCAL = Identity("local", EVERYTHING)
"""Whoever can reach a loopback address of this machine, where no key is set."""
ADMIN = Identity("admin", EVERYTHING)
"""Whoever has the admin key."""


class Access:
    """The server's one admin key, or none. A key `user:password` is what the contract calls an auth string."""

    def __init__(self, key: str | None = None) -> None:
        self._key = key.encode() if key else None

    @property
    def is_open(self) -> bool:
        """Whether there is no key, so that the address is all that protects the server."""
        return self._key is None

    def identify(self, header: str | None) -> Identity | None:
        """Who sends this `Authorization` header: `Bearer <key>`, or `Basic` with the key as auth string or password."""
        scheme, _, credential = (header or "").strip().partition(" ")
        match scheme.lower():
            case "bearer":
                return self._recognise(credential.strip().encode("utf-8", "surrogateescape"))
            case "basic":
                return self._recognise(_decode_basic(credential))
            case _:
                return self._recognise(b"")

    def identify_token(self, token: str | None) -> Identity | None:
        """Who sends this token in a websocket's first frame: the key, or the auth string."""
        return self._recognise((token or "").encode("utf-8", "surrogatepass"))

    def _recognise(self, given: bytes) -> Identity | None:
        """Whose credential this is. A wrong one takes as long to compare as the right one."""
        if self._key is None:
            return LOCAL
        whole = hmac.compare_digest(given, self._key)
        password = hmac.compare_digest(given.partition(b":")[2], self._key)
        return ADMIN if whole or password else None


def _decode_basic(credential: str) -> bytes:
    try:
        return base64.b64decode(credential.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def needs(permission: Permission) -> dict[str, Any]:
    """The arguments of a blocking HTTP route: what it needs, and that it runs in a thread.

    >>> @get("/{flow_id:uuid}", **needs(READ))
    """
    return {"opt": {PERMISSION: permission}, "sync_to_thread": True}


def needs_at_once(permission: Permission) -> dict[str, Any]:
    """The arguments of an HTTP route or websocket that never blocks: what it needs."""
    return {"opt": {PERMISSION: permission}}


async def require_permission(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of every route: somebody known, who may. Raises 401 or 403.

    A websocket whose client tells who it is after the handshake is let through; it asks `demand` then. It awaits nothing,
    but a guard that is no coroutine would be run in a thread, at each request.
    """
    permission = handler.opt.get(PERMISSION)
    if permission is Permission.PUBLIC:
        return
    identity = identity_of(connection.scope)
    if identity is None and handler.opt.get(IN_BAND):
        return
    demand(identity, permission)


IN_BAND = "identifies in band"
"""The key of a websocket's `opt` that says it asks for a credential in its first frames."""


def identity_of(scope: Any) -> Identity | None:
    """Who asks, as the gate found it."""
    return scope.get(IDENTITY)


def demand(identity: object, permission: object) -> Identity:
    """The identity, if it may. Raises 401 for nobody, 403 for somebody who may not."""
    if not isinstance(identity, Identity):
        raise NotAuthorizedException("Unauthorized")
    if not isinstance(permission, Permission) or not identity.may(permission):
        raise PermissionDeniedException(f"{identity.name} may not do this.")
    return identity


def refuse_unguarded(app: Litestar) -> None:
    """Raise `ConfigurationError` when a route or websocket of the app does not say which permission it needs."""
    unguarded = sorted(
        f"{route.path} ({handler.handler_name})"
        for route in app.routes
        for handler in _list_handlers(route)
        if not isinstance(handler.opt.get(PERMISSION), Permission) and not _is_options(handler)
    )
    if unguarded:
        raise ConfigurationError(f"These routes do not say which permission they need: {', '.join(unguarded)}.")


def _list_handlers(route: Any) -> list[BaseRouteHandler]:
    """The handlers of a route: several of HTTP, one of a websocket or a mounted app."""
    return route.route_handlers if hasattr(route, "route_handlers") else [route.route_handler]


def _is_options(handler: BaseRouteHandler) -> bool:
    """Whether the framework made the handler to answer OPTIONS, which the gate never lets through."""
    return getattr(handler, "http_methods", None) == {"OPTIONS"}


def check_binding(host: str, access: Access) -> None:
    """Raise `ConfigurationError` when a server without a key would be reachable from other machines."""
    if access.is_open and not is_loopback(host):
        raise ConfigurationError(
            f"Listening on {host} lets other machines in, so it needs a key: set HEADRACE_SERVER_API_KEY, "
            "or listen on 127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address, under a name that a server without a key answers to."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return str(address) in {"127.0.0.1", "::1"}
