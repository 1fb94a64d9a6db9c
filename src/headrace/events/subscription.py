"""Hearing of events and log lines as they come, from the orchestrator in this process or from a server."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import msgspec

from headrace.base.errors import UsageError
from headrace.base.ids import uuid7
from headrace.connect import open_session
from headrace.engine.here import session_here
from headrace.engine.opening import set_opener
from headrace.engine.session import Session
from headrace.events.emission import Event, emit_event
from headrace.rules.selection import chooses
from headrace.schema.event import Cursor, EventKind
from headrace.schema.filters import IdFilter, LogFilter
from headrace.schema.log import Log
from headrace.schema.state import StateType
from headrace.schema.wire_event import FLOW_RUN, ID, EventFilter, WireEvent

T = TypeVar("T")

PAGE = 200
WAIT = 1.0
"""Seconds that one wait for something new takes at most."""

KINDS: tuple[EventKind, ...] = ("flow-run", "task-run", "custom")
OVERLAP = 100
"""How many places of the log lines are read again at each look: some may have been written late."""

set_opener(open_session)


class ReceivedEvent(Event, kw_only=True):
    """Something that happened, as the orchestrator tells of it."""


class Listener:
    """Reads what comes, on a thread of its own, so that no event loop is held up."""

    def __init__(self) -> None:
        # The orchestrator knows by the thread what was read last, so reading and waiting share one.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="headrace-listener")
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        self._session = await self._do(session_here)
        await self._do(self._begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def session(self) -> Session:
        """The session that is listened to. Raises `UsageError` before it is entered."""
        if self._session is None:
            raise UsageError("A subscriber is entered first: `async with get_events_subscriber() as events:`.")
        return self._session

    def _begin(self) -> None:
        """Find out where to begin."""

    async def _do(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)


class EventSubscriber(Listener):
    """Yields the events that a filter chooses: those since `filter.occurred.since`, if it says so, then those that come.

    `async with get_events_subscriber(filter) as events: async for event in events: …`
    """

    def __init__(self, filter: EventFilter | None = None) -> None:  # noqa: A002 - the field's own name for it
        super().__init__()
        self._filter = filter or EventFilter()
        self._cursor = Cursor()
        self._ready: deque[ReceivedEvent] = deque()

    def __aiter__(self) -> AsyncIterator[ReceivedEvent]:
        return self

    async def __anext__(self) -> ReceivedEvent:
        while not self._ready:
            self._ready.extend(await self._do(self._read))
        return self._ready.popleft()

    def _begin(self) -> None:
        from headrace.orchestration.narration import Narrator

        since = self._filter.occurred.since
        session = self.session
        self._cursor = session.gateway.last_cursor() if since is None else session.administration.find_cursor(since)
        self._narrator = Narrator(session.administration)

    def _read(self) -> list[ReceivedEvent]:
        """What has come; waits a while when nothing has."""
        gateway = self.session.gateway
        page = gateway.read_events(self._cursor, PAGE, KINDS)
        if page.cursor == self._cursor:
            gateway.wait_for_events(WAIT)
            return []
        self._cursor = page.cursor
        return [_receive(event) for event in self._narrator.tell(page.events) if chooses(self._filter, event)]


class FlowRunSubscriber(EventSubscriber):
    """Yields the log lines and the events of a flow run and of its task runs until the run has ended, then ends.

    `async with FlowRunSubscriber(flow_run_id) as news: async for each in news: …`
    """

    def __init__(self, flow_run_id: UUID | str) -> None:
        super().__init__()
        self._run_id = UUID(str(flow_run_id))
        self._lines = LogFilter(flow_run_id=IdFilter(any_=[self._run_id]))
        self._first = self._place = 0
        self._sent: dict[UUID, None] = {}
        self._ended = False
        self._news: deque[Log | ReceivedEvent] = deque()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while not self._news:
            if self._ended:
                raise StopAsyncIteration
            self._news.extend(await self._do(self._look))
        return self._news.popleft()

    def _begin(self) -> None:
        super()._begin()
        administration = self.session.administration
        self._first = self._place = administration.tail_logs().place
        run = administration.read_flow_run(self._run_id)
        self._ended = run.state is not None and run.state.is_final()

    def _look(self) -> list[Log | ReceivedEvent]:
        """What the run has told; its lines before its end."""
        name = f"{FLOW_RUN}{self._run_id}"
        about = [
            event
            for event in self._read()
            if event.resource.get(ID) == name or any(each.get(ID) == name for each in event.related)
        ]
        lines = self._read_lines()
        for event in about:
            state = event.resource.get("prefect.state-type") if event.resource.get(ID) == name else None
            self._ended = self._ended or (state is not None and StateType(state) in _FINAL)
        return [*lines, *about]

    def _read_lines(self) -> list[Log]:
        found: list[Log] = []
        while True:
            tail = self.session.administration.tail_logs(self._lines, max(self._first, self._place - OVERLAP))
            new = [line for line in tail.logs if line.id not in self._sent]
            self._sent.update(dict.fromkeys(line.id for line in new))
            found += new
            if tail.place == self._place:
                return found
            self._place = tail.place


_FINAL = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED})


class EventsClient:
    """Emits events; see `emit_event`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return

    async def emit(self, event: WireEvent) -> Event:
        """Say that something happened: the event is in the log soon, once for each id."""
        from headrace.engine.loop import beside

        return await beside(
            lambda: emit_event(
                event.event,
                event.resource,
                occurred=event.occurred,
                related=event.related,
                payload=event.payload,
                id=event.id or uuid7(),
                follows=event.follows,
            )
        )


def get_events_client() -> EventsClient:
    """What emits events in async code: entered by `async with`, it takes `await client.emit(event)`."""
    return EventsClient()


def get_events_subscriber(filter: EventFilter | None = None) -> EventSubscriber:  # noqa: A002 - the field's own name for it
    """What yields events as they come; see `EventSubscriber`."""
    return EventSubscriber(filter)


def _receive(event: WireEvent) -> ReceivedEvent:
    return ReceivedEvent(**msgspec.structs.asdict(event))
