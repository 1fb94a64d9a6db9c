"""The contract's websockets: events in, events out, log lines out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import websocket
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect
from litestar.params import SkipValidation

from headrace.base.errors import HeadraceError, InvalidRequest
from headrace.rules.selection import chooses, may_choose
from headrace.schema.event import Cursor
from headrace.schema.filters import LogFilter
from headrace.schema.wire_event import EventFilter, WireEvent
from headrace.server.auth import Access, Permission
from headrace.server.events.derivation import PREFIXES, Narrator
from headrace.server.events.reading import read_event
from headrace.server.gateways import Office, Runs
from headrace.server.handshake import PROTOCOL_ERROR, Socket, close, needs_in_band, receive, receive_data, send, welcome
from headrace.server.routes.live import News

logger = logging.getLogger("headrace.server")

Q = TypeVar("Q", EventFilter, LogFilter)
Key = NamedDependency[SkipValidation[Access]]

GOING_AWAY = 1001
OVERLAP = 100
"""How many places before the newest line are read again: lines that were being written by then may come between.

Fewer than one answer holds, so that there is always something new in it.
"""

REMEMBERED = 4 * OVERLAP


@websocket("/api/events/in", **needs_in_band(Permission.RUN))
async def take_events(socket: Socket, execution: Runs, access: Key) -> None:
    """Take events, each stored before the next is taken. What is no event is said in the log and passed over."""
    if not await welcome(socket, access):
        return
    try:
        while True:
            frame = await receive_data(socket)
            try:
                await sync_to_thread(execution.report, [read_event(frame)])
            except InvalidRequest as error:
                logger.warning("An event was refused: %s", error)
    except WebSocketDisconnect:
        return
    except HeadraceError as error:
        # Not stored, so not answered: the client keeps the event and sends it again when it has connected anew.
        logger.warning("Events cannot be stored just now: %s", error)
        await close(socket, 1013, "Events cannot be stored just now")


@websocket("/api/events/out", **needs_in_band(Permission.READ))
async def send_events(socket: Socket, administration: Office, feed: News, access: Key) -> None:
    """Send the events that the client asks for: what happened lately, then what happens."""
    if not await welcome(socket, access):
        return
    asked = await ask(socket, EventFilter)
    if asked is not None:
        wanted, backfill = asked
        await stream(socket, lambda: follow_events(wanted, backfill, administration, feed))


@websocket("/api/logs/out", **needs_in_band(Permission.READ))
async def send_logs(socket: Socket, administration: Office, feed: News, access: Key) -> None:
    """Send the log lines that the client asks for as they are written."""
    if not await welcome(socket, access):
        return
    asked = await ask(socket, LogFilter)
    if asked is not None:
        await stream(socket, lambda: follow_logs(asked[0], administration, feed))


async def ask(socket: Socket, kind: type[Q]) -> tuple[Q, bool] | None:
    """What the client asks for, and whether it wants what happened before. None: it said nothing sensible, and is closed."""
    frame = await receive(socket)
    if frame is None or frame.get("type") != "filter":
        await close(socket, PROTOCOL_ERROR, "Expected 'filter' message")
        return None
    try:
        return msgspec.convert(frame.get("filter"), kind, strict=False), bool(frame.get("backfill", True))
    except msgspec.ValidationError as error:
        await close(socket, PROTOCOL_ERROR, f"Invalid filter: {error}"[:120])
        return None


async def follow_events(
    wanted: EventFilter, backfill: bool, administration: Office, feed: News
) -> AsyncGenerator[dict[str, Any] | None]:
    """The frames of the events that a filter chooses; before them None, when nothing is missed any more."""
    narrator = Narrator(administration)
    kinds = {kind for kind, prefix in PREFIXES.items() if may_choose(wanted, prefix)}
    after: Cursor | None = None
    if backfill and wanted.occurred.since is not None:
        after = await sync_to_thread(administration.find_cursor, wanted.occurred.since)

    def choose(logged: Any) -> list[WireEvent]:
        told = narrator.tell([event for event in logged if event.kind in kinds])
        return [event for event in told if chooses(wanted, event)]

    async with aclosing(feed.follow(after)) as changes:
        await anext(changes)
        yield None
        async for change in changes:
            for event in await sync_to_thread(choose, change.events) if change.events else ():
                yield {"type": "event", "event": event}


async def follow_logs(wanted: LogFilter, administration: Office, feed: News) -> AsyncGenerator[dict[str, Any] | None]:
    """The frames of the log lines that a filter names; before them None, when nothing is missed any more."""
    sent: dict[UUID, None] = {}
    async with aclosing(feed.follow()) as changes:
        await anext(changes)
        begin = place = (await sync_to_thread(administration.tail_logs)).place
        yield None
        async for change in changes:
            while change.stirred or change.events:
                tail = await sync_to_thread(administration.tail_logs, wanted, max(begin, place - OVERLAP))
                for line in tail.logs:
                    if line.id not in sent:
                        sent[line.id] = None
                        yield {"type": "log", "log": line}
                while len(sent) > REMEMBERED:
                    del sent[next(iter(sent))]
                if tail.place == place:
                    break
                place = tail.place


async def stream(socket: Socket, follow: Callable[[], AsyncGenerator[dict[str, Any] | None]]) -> None:
    """Send frames until there are no more, or the client has gone.

    The client is listened to only when nothing is missed any more: so the answer to a ping tells it that.
    """

    async def pump() -> None:
        async for frame in frames:
            await send(socket, frame)
        await close(socket, GOING_AWAY, "The server is stopping")

    async def notice_departure() -> None:
        while True:
            await receive_data(socket)

    async with aclosing(follow()) as frames:
        await anext(frames)
        await run_until_first(pump(), notice_departure())


async def run_until_first(*tasks: Coroutine[Any, Any, None]) -> None:
    """Run tasks until one of them ends, and end the others."""
    running = [asyncio.create_task(task) for task in tasks]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    for task in done:
        error = task.exception()
        if error is not None and not isinstance(error, WebSocketDisconnect):
            raise error


routes = [take_events, send_events, send_logs]
