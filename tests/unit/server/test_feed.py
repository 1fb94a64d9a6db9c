"""One reader of the log for all who follow it, and streams made of what it reads."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec
import pytest

from headrace.base.clock import to_datetime
from headrace.base.errors import InvalidRequest, Unavailable
from headrace.base.ids import uuid7
from headrace.schema.event import Cursor, EventPage, LoggedEvent
from headrace.schema.state import State, StateType
from headrace.server import feed as module
from headrace.server.feed import KEPT, Change, Feed
from headrace.server.routes.live import read_cursor, tell, tell_change, write_cursor

T = TypeVar("T")


class Log:
    """An event log in memory, as an execution shows it."""

    def __init__(self, length: int = 0) -> None:
        self.events: list[LoggedEvent] = []
        self.reads = 0
        self.outages = 0
        self._stirred = threading.Condition()
        self._moment = 0
        self._seen = 0
        self.append(length)

    def append(self, count: int = 1, kind: Any = "flow-run") -> None:
        for _ in range(count):
            number = len(self.events) + 1
            state = State(type=StateType.RUNNING, id=uuid7(), timestamp=to_datetime(number))
            self.events.append(
                LoggedEvent(
                    cursor=Cursor(0, number),
                    kind=kind,
                    subject_id=uuid7(),
                    occurred=to_datetime(number),
                    states=[state],
                )
            )
        self.stir()

    def stir(self) -> None:
        """Something is stored that is no event, or after events were."""
        with self._stirred:
            self._moment += 1
            self._stirred.notify_all()

    def last_cursor(self) -> Cursor:
        self._seen = self._moment
        return Cursor(0, len(self.events))

    def read_events(self, after: Cursor, limit: int = 500) -> EventPage:
        self.reads += 1
        if self.outages:
            self.outages -= 1
            raise Unavailable("Away.")
        self._seen = self._moment
        events = self.events[after.sequence : after.sequence + limit]
        return EventPage(events=events, cursor=events[-1].cursor if events else after)

    def wait_for_events(self, timeout: float) -> bool:
        with self._stirred:
            return self._stirred.wait_for(lambda: self._moment != self._seen, timeout)


def follow(log: Log, use: Callable[[Feed], Awaitable[T]]) -> T:
    """Use a feed of the log in a loop of its own."""

    async def run() -> T:
        execution: Any = log
        feed = Feed(execution)
        try:
            async with asyncio.timeout(30):
                return await use(feed)
        finally:
            await feed.close()

    return asyncio.run(run())


async def take(changes: AsyncGenerator[Change], count: int) -> list[int]:
    """The numbers of the next events."""
    numbers: list[int] = []
    async for change in changes:
        numbers += [event.cursor.sequence for event in change.events]
        if len(numbers) >= count:
            break
    return numbers


def test_whoever_follows_is_told_what_comes() -> None:
    log = Log(3)

    async def use(feed: Feed) -> list[int]:
        async with aclosing(feed.follow()) as changes:
            assert await anext(changes) == Change([], Cursor(0, 3), stirred=False)
            log.append(2)
            return await take(changes, 2)

    assert follow(log, use) == [4, 5]


def test_whoever_comes_back_is_told_what_was_missed() -> None:
    log = Log(1200)

    async def use(feed: Feed) -> list[int]:
        async with aclosing(feed.follow(Cursor(0, 10))) as changes:
            await anext(changes)
            numbers = await take(changes, 1190)
            log.append()
            return numbers + await take(changes, 1)

    assert follow(log, use) == [*range(11, 1202)]


def test_many_follow_and_the_log_is_read_once() -> None:
    log = Log()

    async def use(feed: Feed) -> list[list[int]]:
        async def one() -> list[int]:
            async with aclosing(feed.follow()) as changes:
                await anext(changes)
                begun.release()
                return await take(changes, 3)

        begun = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(one()) for _ in range(20)]
        for _ in tasks:
            await begun.acquire()
        log.append(3)
        return await asyncio.gather(*tasks)

    assert follow(log, use) == [[1, 2, 3]] * 20
    assert log.reads < 10


def test_one_who_is_slow_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST", 0)
    log = Log()

    async def use(feed: Feed) -> list[int]:
        async with aclosing(feed.follow()) as slow, aclosing(feed.follow()) as fast:
            await anext(slow)
            await anext(fast)
            log.append(KEPT + 700)
            await take(fast, KEPT + 700)
            return await take(slow, KEPT + 700)

    assert follow(log, use) == [*range(1, KEPT + 701)]


def test_what_is_no_event_is_hinted_at() -> None:
    log = Log()

    async def use(feed: Feed) -> Change:
        async with aclosing(feed.follow()) as changes:
            await anext(changes)
            log.stir()
            return await anext(changes)

    assert follow(log, use) == Change([], Cursor(0, 0), stirred=True)


def test_silence_is_told_too() -> None:
    async def use(feed: Feed) -> Change:
        async with aclosing(feed.follow(idle=0.01)) as changes:
            await anext(changes)
            return await anext(changes)

    assert follow(Log(), use).stirred is False


def test_an_outage_is_waited_for(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "RECOVERY", 0)
    log = Log()
    log.outages = 2

    async def use(feed: Feed) -> list[int]:
        async with aclosing(feed.follow()) as changes:
            await anext(changes)
            log.append()
            return await take(changes, 1)

    assert follow(log, use) == [1]
    assert "cannot be read just now" in caplog.text


def test_closing_ends_everybodys_following() -> None:
    async def use(feed: Feed) -> list[Change]:
        async def one() -> list[Change]:
            async with aclosing(feed.follow()) as changes:
                return [change async for change in changes]

        task = asyncio.create_task(one())
        async with aclosing(feed.follow()) as changes:
            await anext(changes)
        await feed.close()
        return await task

    assert len(follow(Log(), use)) == 1


def test_nobody_follows_nothing_is_read() -> None:
    log = Log()

    async def use(feed: Feed) -> int:
        async with aclosing(feed.follow()) as changes:
            await anext(changes)
            log.append()
            await take(changes, 1)
        while feed._task is None or not feed._task.done():  # pyright: ignore[reportPrivateUsage]
            await asyncio.wait({feed._task} if feed._task else set())  # pyright: ignore[reportPrivateUsage]
        reads = log.reads
        log.append()
        async with aclosing(feed.follow()) as changes:
            await anext(changes)
            log.append()
            assert await take(changes, 1) == [3]
        return reads

    assert follow(log, use) >= 1


# the stream for browsers


def read_messages(data: bytes) -> list[tuple[str, str, Any]]:
    messages: list[tuple[str, str, Any]] = []
    for block in data.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            messages.append((fields["event"], fields["id"], msgspec.json.decode(fields["data"])))
    return messages


def test_a_stream_says_hello_and_what_happens() -> None:
    log = Log(2)

    async def use(feed: Feed) -> bytes:
        async with aclosing(tell(feed, Cursor(0, 1))) as messages:
            return await anext(messages) + await anext(messages)

    hello, states = read_messages(follow(log, use))
    assert hello == ("hello", "0-1", {})
    assert states[:2] == ("states", "0-2")
    event = log.events[1]
    (run,) = states[2]
    assert (run["kind"], run["id"], run["states"][0]["type"]) == ("flow-run", str(event.subject_id), "RUNNING")


def test_what_is_not_told_is_hinted_at() -> None:
    log = Log()
    log.append(kind="custom")
    assert read_messages(tell_change(Change(log.events, Cursor(0, 1)))) == [("commit", "0-1", {})]
    assert tell_change(Change([], Cursor(0, 1), stirred=False)) == b": \n\n"


@pytest.mark.parametrize("cursor", [Cursor(0, 0), Cursor(12, 345), Cursor(2**40, 2**63 - 1)])
def test_a_cursor_is_written_and_read(cursor: Cursor) -> None:
    assert read_cursor(write_cursor(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "x", "1", "1-", "-1", "1-x", "1-2-3", "-1--1", "9" * 50 + "-1"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_cursor(text)
