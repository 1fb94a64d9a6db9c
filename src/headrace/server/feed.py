"""The event log as it grows, read once for all who follow it in this process.

One thread reads and waits, only while somebody follows. What it read lately is kept, and each follower takes from there
what comes after its own cursor; one who is further behind reads the log itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from msgspec import Struct

from headrace.base.errors import HeadraceError
from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor, LoggedEvent

logger = logging.getLogger("headrace.server")

T = TypeVar("T")

PAGE = 500
KEPT = 5_000
"""How many events are kept for those who follow."""

PATIENCE = 0.5
"""Seconds that one wait takes at most, so that the last follower's leaving is noticed."""

REST = 0.05
"""Seconds of rest after something new, so that many commits make one change."""

RECOVERY = 1.0
"""Seconds before the log is asked again after it could not be read."""


class Change(Struct, frozen=True):
    """What followers are told: events, in order, and the cursor after them.

    Without events: something else was stored (`stirred`), such as log lines, or nothing for a while.
    """

    events: list[LoggedEvent]
    cursor: Cursor
    stirred: bool = True


class Feed:
    """Follows the log. Used from one event loop."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        # The execution remembers per thread what was read last, so reading and waiting share one thread.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._kept: deque[LoggedEvent] = deque(maxlen=KEPT)
        self._start = self._end = Cursor()
        self._followers = 0
        self._joining = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._grown = asyncio.Event()
        self.closed = False

    async def follow(self, after: Cursor | None = None, idle: float | None = None) -> AsyncGenerator[Change]:
        """Yield what is appended after the cursor, or from now on; after `idle` seconds of nothing, that.

        The first change tells where it begins. Ends when the feed is closed.
        """
        await self._join()
        try:
            cursor = self._end if after is None else after
            yield Change([], cursor, stirred=False)
            while not self.closed:
                grown = self._grown
                change = await self._read(cursor)
                if change.cursor != cursor:
                    cursor = change.cursor
                    yield change
                    continue
                stirred = await _wait(grown, idle)
                if not self.closed and (self._end == cursor or not stirred):
                    yield Change([], cursor, stirred)
        finally:
            self._followers -= 1

    async def close(self) -> None:
        """End everybody's following. The execution stays open."""
        self.closed = True
        self._wake()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._reader.shutdown(wait=True)

    async def _join(self) -> None:
        async with self._joining:
            self._followers += 1
            if self._task is None or self._task.done():
                self._kept.clear()
                try:
                    self._start = self._end = await self._in_thread(self._execution.last_cursor)
                except BaseException:
                    self._followers -= 1
                    raise
                self._task = asyncio.create_task(self._watch())

    async def _read(self, cursor: Cursor) -> Change:
        """What comes after the cursor, as far as it is known here; who is behind it asks the log."""
        if cursor < self._start:
            page = await asyncio.to_thread(self._execution.read_events, cursor, PAGE)
            return Change(page.events, page.cursor)
        if cursor >= self._end:
            return Change([], cursor)
        return Change([event for event in self._kept if event.cursor > cursor], self._end)

    async def _watch(self) -> None:
        """Read what is appended for as long as somebody follows."""
        stirred = False
        while self._followers and not self.closed:
            try:
                # Waits from the moment of the last reading on, so nothing is missed in between.
                if not stirred and not await self._in_thread(lambda: self._execution.wait_for_events(PATIENCE)):
                    continue
                page = await self._in_thread(lambda: self._execution.read_events(self._end, PAGE))
                self._keep(page.events, page.cursor)
                self._wake()
                stirred = len(page.events) == PAGE
                await asyncio.sleep(REST)
            except HeadraceError as error:
                logger.warning("The event log cannot be read just now: %s", error)
                stirred = True
                await asyncio.sleep(RECOVERY)

    def _keep(self, events: list[LoggedEvent], end: Cursor) -> None:
        for event in events:
            if len(self._kept) == KEPT:
                self._start = self._kept[0].cursor
            self._kept.append(event)
        self._end = end

    def _wake(self) -> None:
        """Let everybody look who waits; whoever comes later waits for the next time."""
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    async def _in_thread(self, verb: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, verb)


async def _wait(event: asyncio.Event, seconds: float | None) -> bool:
    """Whether the event came in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
