"""The verbs of execution for Headrace's own engines, workers and supervisors (`schema.calls`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler

from headrace.base.errors import InvalidRequest
from headrace.schema.calls import JSON, MSGPACK, PREFIX, ROUTES, Route
from headrace.server.auth import Permission, needs_at_once
from headrace.server.gateways import Runs

LARGEST_CALL = 32 * 1024 * 1024
"""The most bytes of one call; a journal that was cut off for long catches up in several."""


def serve_verb(route: Route) -> HTTPRouteHandler:
    """The route of one verb."""
    perform = make_performer(route)

    async def call_verb(request: Request[Any, Any, Any], execution: Runs) -> Response[bytes]:
        body = await request.body()
        packed = request.content_type[0] == MSGPACK
        content = await sync_to_thread(perform, execution, body, packed)
        return Response(content, status_code=200, media_type=MSGPACK if packed else JSON)

    call_verb.__name__ = f"call_{route.verb}"
    return post(
        f"/api{PREFIX}/{route.path}",
        name=f"execution.{route.verb}",
        status_code=200,
        include_in_schema=False,
        request_max_body_size=LARGEST_CALL,
        **needs_at_once(Permission.RUN),
    )(call_verb)


def make_performer(route: Route) -> Callable[[Any, bytes, bool], bytes]:
    """What calls the verb with a body, and gives the answer's body."""
    read_json = msgspec.json.Decoder(route.call)
    read_msgpack = msgspec.msgpack.Decoder(route.call)

    def perform(execution: Any, body: bytes, packed: bool) -> bytes:
        try:
            call = (read_msgpack if packed else read_json).decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(str(error)) from None
        answer = getattr(execution, route.verb)(**msgspec.structs.asdict(call))
        return (msgspec.msgpack if packed else msgspec.json).encode(answer)

    return perform


routes = [serve_verb(route) for route in ROUTES]
