"""What happens, as it happens, for browsers: server-sent events from a cursor on.

`hello` says where the stream begins; `states` tells of runs that entered states; `commit` says that something else was
stored, such as log lines, so that a page that shows any can look. Each carries the cursor as its id, from which a browser
goes on by itself after the connection was lost.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, SkipValidation
from litestar.response import Stream

from headrace.base.errors import InvalidRequest
from headrace.schema.event import Cursor, LoggedEvent
from headrace.schema.state import State, StateType
from headrace.schema.wire import Wire
from headrace.server.auth import Permission, needs_at_once
from headrace.server.feed import Change, Feed

KEEP_ALIVE = 15.0
"""Seconds of silence after which a sign of life is sent, so that no proxy takes the connection for dead."""

News = NamedDependency[SkipValidation[Feed]]


class EnteredState(Wire, kw_only=True):
    """A state that a run entered."""

    type: StateType
    name: str | None
    timestamp: datetime | None


class RunNews(Wire, kw_only=True):
    """The states that a run entered, in order."""

    kind: str
    id: UUID
    flow_run_id: UUID | None
    states: list[EnteredState]


@get("/api/live", media_type="text/event-stream", **needs_at_once(Permission.READ))
async def stream_news(request: Request[Any, Any, Any], feed: News, after: FromQuery[str | None] = None) -> Stream:
    """Stream what happens from now on, or from after a cursor, as server-sent events.

    Whoever connects anew goes on where it was, by `Last-Event-ID`.
    """
    begin = request.headers.get("last-event-id") or after
    return Stream(
        tell(feed, read_cursor(begin) if begin else None),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def tell(feed: Feed, after: Cursor | None) -> AsyncGenerator[bytes]:
    """The stream's messages."""
    async with aclosing(feed.follow(after, KEEP_ALIVE)) as changes:
        first = True
        async for change in changes:
            yield write_message("hello", change, {}) if first else tell_change(change)
            first = False


def tell_change(change: Change) -> bytes:
    """One change as a message; a sign of life when nothing happened."""
    runs = [tell_run(event) for event in change.events if event.kind in {"flow-run", "task-run"}]
    if runs:
        return write_message("states", change, runs)
    return write_message("commit", change, {}) if change.stirred else b": \n\n"


def tell_run(event: LoggedEvent) -> RunNews:
    """What happened to a run, without what pages ask for themselves."""
    states = [EnteredState(type=state.type, name=state.name, timestamp=time_of(state)) for state in event.states]
    return RunNews(kind=event.kind, id=event.subject_id, flow_run_id=event.flow_run_id, states=states)


def time_of(state: State) -> datetime | None:
    """When the state was entered."""
    return None if state.timestamp is msgspec.UNSET else state.timestamp


def write_message(kind: str, change: Change, data: Any) -> bytes:
    """A server-sent event."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (
        write_cursor(change.cursor).encode(),
        kind.encode(),
        msgspec.json.encode(data),
    )


def write_cursor(cursor: Cursor) -> str:
    """A cursor as text."""
    return f"{cursor.transaction}-{cursor.sequence}"


def read_cursor(text: str) -> Cursor:
    """The cursor that text means. Raises `InvalidRequest`."""
    transaction, _, sequence = text.partition("-")
    if not (transaction.isdecimal() and sequence.isdecimal() and len(text) < 42):
        raise InvalidRequest(f"{text[:50]!r} is no cursor; one reads like 0-123.")
    return Cursor(int(transaction), int(sequence))


routes = [stream_news]
