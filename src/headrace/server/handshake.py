"""How the contract's websockets begin: the client says who it is in its first frame, and is answered.

A client that offers no subprotocol (a cloud client, an old one) says it by a header, or needs not to.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from headrace.server.auth import IN_BAND, PERMISSION, Access, Permission, identity_of

SUBPROTOCOL = "prefect"
PATIENCE = 30.0
"""Seconds that a client has to say who it is."""

POLICY_VIOLATION, PROTOCOL_ERROR = 1008, 1002

Socket = WebSocket[Any, Any, Any]


def needs_in_band(permission: Permission) -> dict[str, Any]:
    """The arguments of a websocket's route: what it needs, and that its client may say who it is in its first frame."""
    return {"opt": {PERMISSION: permission, IN_BAND: True}}


async def welcome(socket: Socket, access: Access) -> bool:
    """Accept the connection if its client may have it. False: it has been closed."""
    permission = cast("Permission", socket.route_handler.opt[PERMISSION])
    if SUBPROTOCOL not in socket.scope["subprotocols"]:
        identity = identity_of(socket.scope)
        if identity is None or not identity.may(permission):
            await socket.close(POLICY_VIOLATION, "Unauthorized")
            return False
        await socket.accept()
        return True
    await socket.accept(subprotocols=SUBPROTOCOL)
    try:
        async with asyncio.timeout(PATIENCE):
            frame = await receive(socket)
    except TimeoutError:
        frame = None
    if frame is None or frame.get("type") != "auth":
        await close(socket, POLICY_VIOLATION, "Expected 'auth' message")
        return False
    token = frame.get("token")
    identity = access.identify_token(token if isinstance(token, str) else None)
    if identity is None or not identity.may(permission):
        await close(socket, POLICY_VIOLATION, "Unauthorized")
        return False
    await send(socket, {"type": "auth_success"})
    return True


async def receive_data(socket: Socket) -> str | bytes:
    """The next frame. Raises `WebSocketDisconnect`."""
    event: Any = await socket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(detail="The client has gone.", code=event.get("code") or 1005)
    text = event.get("text")
    return text if text is not None else event.get("bytes") or b""


async def receive(socket: Socket) -> dict[str, Any] | None:
    """The next frame as an object; None for a frame that is none."""
    try:
        content = msgspec.json.decode(await receive_data(socket))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return cast("dict[str, Any]", content) if isinstance(content, dict) else None


async def send(socket: Socket, content: Any) -> None:
    """Send an object as a frame."""
    await socket.send_data(msgspec.json.encode(content).decode())


async def close(socket: Socket, code: int, reason: str) -> None:
    """Close the connection, saying why."""
    await socket.close(code, reason)
