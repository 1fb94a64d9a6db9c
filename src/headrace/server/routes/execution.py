"""The verbs of execution for Headrace's own engines, workers and supervisors (`schema.calls`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, cast

import msgspec
from litestar import Request, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from headrace.base.errors import InvalidRequest
from headrace.schema.calls import JSON, MSGPACK, PREFIX, ROUTES, WAIT, Route, WaitForEvents
from headrace.schema.event import Cursor
from headrace.server.auth import Permission, needs, needs_at_once
from headrace.server.feed import Feed
from headrace.server.gateways import Office, Runs
from headrace.server.routes.live import News

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


@post(f"/api{PREFIX}/{WAIT.path}", status_code=200, include_in_schema=False, **needs_at_once(Permission.RUN))
async def wait_for_events(request: Request[Any, Any, Any], feed: News) -> Response[bytes]:
    packed = request.content_type[0] == MSGPACK
    call = read_call(msgspec.msgpack.Decoder(WaitForEvents) if packed else WAITING, await request.body())
    came = await has_come(feed, call.after, call.timeout)
    return Response(encode(came, packed), status_code=200, media_type=MSGPACK if packed else JSON)


async def has_come(feed: Feed, after: Cursor | None, patience: float) -> bool:
    """Whether something is appended after the cursor, or from now on, within so many seconds."""
    try:
        async with asyncio.timeout(patience), aclosing(feed.follow(after)) as changes:
            first = True
            async for change in changes:
                if not first and (change.events or change.stirred):
                    return True
                first = False
    except TimeoutError:
        pass
    return False


@get("/api/events/cursor", **needs(Permission.READ))
def find_cursor(since: FromQuery[datetime], administration: Office) -> Cursor:
    return administration.find_cursor(since)


def make_performer(route: Route) -> Callable[[Any, bytes, bool], bytes]:
    """What calls the verb with a body, and gives the answer's body."""
    read_json = msgspec.json.Decoder(route.call)
    read_msgpack = msgspec.msgpack.Decoder(route.call)

    def perform(execution: Any, body: bytes, packed: bool) -> bytes:
        call = read_call(read_msgpack if packed else read_json, body)
        return encode(getattr(execution, route.verb)(**msgspec.structs.asdict(call)), packed)

    return perform


def read_call(decoder: Any, body: bytes) -> Any:
    """The parameters of a call. Raises `InvalidRequest`."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(str(error)) from None


def encode(answer: Any, packed: bool) -> bytes:
    """An answer in the form of its call."""
    if not packed:
        return msgspec.json.encode(answer)
    try:
        return msgspec.msgpack.encode(answer)
    except OverflowError:  # a number of more than 64 bits
        return msgspec.msgpack.encode(approximate(msgspec.to_builtins(answer, str_keys=True)))


def approximate(value: Any) -> Any:
    """The plain value with numbers that can be packed."""
    match value:
        case int() if not -(2**63) <= value < 2**64:
            return float(value) if abs(value) < 2**1023 else None
        case list():
            return [approximate(each) for each in cast("list[Any]", value)]
        case dict():
            return {key: approximate(each) for key, each in cast("dict[str, Any]", value).items()}
        case _:
            return value


WAITING = msgspec.json.Decoder(WaitForEvents)

routes = [*(serve_verb(route) for route in ROUTES), wait_for_events, find_cursor]
