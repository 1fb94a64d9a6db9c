"""The live channel: who waits for a run is woken when that run is cancelled, and only then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.engine import live
from headrace.engine.live import LiveChannel
from headrace.schema.event import Cursor, EventPage, LoggedEvent
from headrace.schema.run import FlowRun
from headrace.schema.state import TERMINAL, State, StateType


class Log:
    """An event log in memory, which says what is asked of it and may fail."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.events: list[LoggedEvent] = []
        self.states: dict[UUID, StateType] = {}
        self.failures: list[Exception] = []
        self.reads = 0
        self.waiting = threading.Event()
        self.closing = False

    def put(self, run: UUID, kind: StateType, about: Any = "flow-run") -> None:
        with self.changed:
            self.states[run] = kind
            self.events.append(
                LoggedEvent(
                    cursor=Cursor(0, len(self.events) + 1),
                    kind=about,
                    subject_id=run,
                    occurred=clock.now(),
                    states=[State(type=kind)],
                )
            )
            self.changed.notify_all()

    def tell(self, run: UUID, due: bool = False, key: str = "add") -> None:
        """Tell of a background run."""
        with self.changed:
            self.events.append(
                LoggedEvent(
                    cursor=Cursor(0, len(self.events) + 1),
                    kind="background",
                    subject_id=run,
                    occurred=clock.now(),
                    body={"task_key": key, "due": due},
                )
            )
            self.changed.notify_all()

    def last_cursor(self) -> Cursor:
        if self.failures:
            raise self.failures.pop()
        return Cursor(0, len(self.events))

    def read_flow_run(self, run: UUID) -> FlowRun:
        self.reads += 1
        if run not in self.states:
            raise errors.ObjectNotFound("no such run")
        return FlowRun(id=run, flow_id=run, state_type=self.states[run])

    def wait_for_events(self, timeout: float) -> bool:
        with self.changed:
            seen = len(self.events)
            self.waiting.set()
            return self.changed.wait_for(lambda: len(self.events) > seen or self.closing, timeout)

    def read_events(self, after: Cursor, limit: int = 500, kinds: tuple[str, ...] = ()) -> EventPage:
        with self.changed:
            events = self.events[after.sequence : after.sequence + 2]
        wanted = [event for event in events if not kinds or event.kind in kinds]
        return EventPage(events=wanted, cursor=Cursor(0, after.sequence + len(events)))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def channel(log: Log) -> Iterator[LiveChannel]:
    opened = LiveChannel(log)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    yield opened
    with log.changed:
        log.closing = True
        log.changed.notify_all()
    opened.close()


@pytest.mark.parametrize("kind", [StateType.CANCELLING, StateType.CANCELLED])
def test_a_cancellation_wakes(channel: LiveChannel, log: Log, kind: StateType) -> None:
    run, woken = uuid7(), threading.Event()
    log.states[run] = StateType.RUNNING
    with channel.watch(run, woken.set, 60):
        log.waiting.wait()
        log.put(run, kind)
        assert woken.wait(30)


def test_nothing_else_wakes(channel: LiveChannel, log: Log) -> None:
    run, other, woken, other_woken = uuid7(), uuid7(), threading.Event(), threading.Event()
    with channel.watch(run, woken.set, 60), channel.watch(other, other_woken.set, 60):
        log.waiting.wait()
        log.put(uuid7(), StateType.CANCELLED)
        log.put(run, StateType.COMPLETED)
        log.put(run, StateType.CANCELLED, about="task-run")
        log.put(other, StateType.CANCELLED)
        assert other_woken.wait(30)
    assert not woken.is_set()


def test_all_who_wait_for_a_run_are_woken(channel: LiveChannel, log: Log) -> None:
    run, woken = uuid7(), [threading.Event() for _ in range(3)]
    with channel.watch(run, woken[0].set, 60), channel.watch(run, woken[1].set, 60):
        with channel.watch(run, woken[2].set, 60):
            pass
        log.waiting.wait()
        log.put(run, StateType.CANCELLED)
        assert woken[0].wait(30)
        assert woken[1].wait(30)
    assert not woken[2].is_set()


def test_a_cancellation_just_before_the_watch_wakes_too(channel: LiveChannel, log: Log) -> None:
    first, second, woken = uuid7(), uuid7(), threading.Event()
    log.put(second, StateType.CANCELLED)
    with channel.watch(first, lambda: None, 60):
        log.waiting.wait()
        with channel.watch(second, woken.set, 60):
            log.put(uuid7(), StateType.RUNNING)
            assert woken.wait(30)


def test_short_waits_and_waits_for_nobody_are_not_watched(channel: LiveChannel, log: Log) -> None:
    with channel.watch(None, lambda: None, 60), channel.watch(uuid7(), lambda: None, 0.1):
        assert not log.waiting.is_set()


def test_a_log_that_cannot_be_read_is_read_later(
    channel: LiveChannel, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_POLL", 0.001)
    log.failures = [errors.Unavailable("away"), LookupError("what?")]
    run, woken = uuid7(), threading.Event()
    with channel.watch(run, woken.set, 60):
        log.waiting.wait()
        log.put(run, StateType.CANCELLED)
        assert woken.wait(30)


def test_a_run_that_cannot_be_looked_at_is_looked_at_later(
    channel: LiveChannel, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_POLL", 0.001)
    run, woken = uuid7(), threading.Event()
    log.put(run, StateType.CANCELLED)
    read, failures = log.read_flow_run, [errors.Unavailable("away")]

    def read_later(run: UUID) -> FlowRun:
        if failures:
            raise failures.pop()
        return read(run)

    monkeypatch.setattr(log, "read_flow_run", read_later)
    with channel.watch(run, woken.set, 60):
        assert woken.wait(30)


def test_the_thread_ends_with_the_last_watch_and_begins_with_the_next(
    channel: LiveChannel, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_POLL", 0.001)
    with channel.watch(uuid7(), lambda: None, 60):
        log.waiting.wait()
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "headrace-live"]
    thread.join()
    run, woken = uuid7(), threading.Event()
    log.put(run, StateType.CANCELLED)
    with channel.watch(run, woken.set, 60):
        assert woken.wait(30)


def test_closing_does_not_wait_for_the_log(channel: LiveChannel, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_POLL", 3600.0)
    with channel.watch(uuid7(), lambda: None, 60):
        log.waiting.wait()
        channel.close()
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "headrace-live"]
    log.put(uuid7(), StateType.RUNNING)
    thread.join()


def test_a_closed_channel_watches_nothing(channel: LiveChannel, log: Log) -> None:
    channel.close()
    with channel.watch(uuid7(), lambda: None, 60):
        assert not [thread for thread in threading.enumerate() if thread.name == "headrace-live"]


def test_who_waits_for_other_states_is_woken_by_those(channel: LiveChannel, log: Log) -> None:
    run, ended, cancelled = uuid7(), threading.Event(), threading.Event()
    with channel.watch(run, ended.set, 60, TERMINAL), channel.watch(run, cancelled.set, 60):
        log.waiting.wait()
        log.put(run, StateType.RUNNING)
        log.put(run, StateType.COMPLETED)
        assert ended.wait(30)
    assert not cancelled.is_set()


# turns


def test_a_called_request_is_woken_and_no_other(channel: LiveChannel, log: Log) -> None:
    request, other, woken, other_woken = uuid7(), uuid7(), threading.Event(), threading.Event()
    assert channel.expect(request) is True
    assert channel.expect(request) is False
    assert channel.expect(other) is True
    with channel.attend(request, woken.set), channel.attend(other, other_woken.set):
        log.put(uuid7(), StateType.PENDING, about="slots")
        log.put(request, StateType.PENDING, about="slots")
        assert woken.wait(30)
    assert not other_woken.is_set()


def test_a_call_between_two_waits_ends_the_next_at_once(channel: LiveChannel, log: Log) -> None:
    request, other, woken = uuid7(), uuid7(), threading.Event()
    channel.expect(request)
    channel.expect(other)
    log.put(request, StateType.PENDING, about="slots")
    with channel.attend(other, woken.set):
        log.put(other, StateType.PENDING, about="slots")
        assert woken.wait(30)
    first, second = threading.Event(), threading.Event()
    with channel.attend(request, first.set):
        assert first.is_set()
    with channel.attend(request, second.set):
        assert not second.is_set()


def test_who_is_not_expected_is_not_called(channel: LiveChannel, log: Log) -> None:
    request, woken = uuid7(), threading.Event()
    channel.expect(request)
    channel.forget(request)
    channel.forget(request)
    with channel.attend(request, woken.set), channel.attend(None, woken.set):
        pass
    channel.close()
    assert channel.expect(request) is False
    assert not woken.is_set()


def test_nothing_is_promised_while_the_log_cannot_be_read(
    channel: LiveChannel, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_POLL", 0.001)
    log.failures = [errors.Unavailable("away")] * 100_000
    assert channel.expect(uuid7()) is False


# background runs


class Looker:
    """Looks at a background run as often as it is asked to, and has seen enough after so many looks."""

    def __init__(self, enough: int, failures: int = 0) -> None:
        self.looks = 0
        self.looked = threading.Semaphore(0)
        self._enough = enough
        self._failures = failures

    def look(self) -> bool:
        self.looks += 1
        self.looked.release()
        if self._failures:
            self._failures -= 1
            raise errors.Unavailable("down")
        return self.looks >= self._enough


def test_a_background_run_is_looked_at_until_enough_is_seen(channel: LiveChannel, log: Log) -> None:
    run, other, one, patient = uuid7(), uuid7(), Looker(2), Looker(3)
    channel.follow(run, one.look)
    channel.follow(run, patient.look)
    assert one.looked.acquire(timeout=60)
    assert patient.looked.acquire(timeout=60)
    log.tell(other)
    log.tell(run)
    assert one.looked.acquire(timeout=60)
    assert patient.looked.acquire(timeout=60)
    log.tell(run)
    assert patient.looked.acquire(timeout=60)
    assert (one.looks, patient.looks) == (2, 3)


def test_who_gets_no_answer_looks_again(channel: LiveChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_POLL", 0.01)
    looker = Looker(2, failures=1)
    channel.follow(uuid7(), looker.look)
    assert looker.looked.acquire(timeout=60)
    assert looker.looked.acquire(timeout=60)


def test_every_run_is_looked_at_now_and_then(channel: LiveChannel, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_LOOK", -1.0)
    looker = Looker(3)
    channel.follow(uuid7(), looker.look)
    for _ in range(3):
        assert looker.looked.acquire(timeout=60)
        log.tell(uuid7())
    assert looker.looks == 3


def test_runs_that_are_due_are_heard_of(channel: LiveChannel, log: Log) -> None:
    heard: list[str] = []
    came = threading.Event()

    def hear(key: str) -> None:
        heard.append(key)
        if key == "last":
            came.set()

    with channel.listen(hear):
        assert log.waiting.wait(60)
        log.tell(uuid7(), due=True, key="add")
        log.tell(uuid7(), due=False, key="sub")
        log.tell(uuid7(), due=True, key="last")
        assert came.wait(60)
    log.tell(uuid7(), due=True, key="late")
    assert heard == ["add", "last"]
