"""The pool of threads: as many as there is work that blocks, never more than it may have, none when there is none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from headrace.base.ids import uuid7
from headrace.engine.flow_definition import Flow
from headrace.engine.futures import Future, as_completed
from headrace.engine.futures import wait as wait_for_all
from headrace.engine.places import Places, current_seat, lending_place, occupying
from headrace.engine.results import Result
from headrace.engine.runners import threads
from headrace.engine.runners.threads import EAGER, ThreadPoolTaskRunner, at_thread_end
from headrace.engine.task_definition import Task
from headrace.schema.state import State, StateType
from tests.unit.engine.conftest import Stage

LIMIT = 60


def pool(max_workers: int | None = None) -> ThreadPoolTaskRunner:
    return ThreadPoolTaskRunner(max_workers).duplicate()


class Doors:
    """Work that waits at a door of its own until it is opened."""

    def __init__(self, count: int) -> None:
        self.inside = threading.Semaphore(0)
        self.doors = [threading.Event() for _ in range(count)]

    def work(self, number: int) -> Callable[[], None]:
        def wait() -> None:
            self.inside.release()
            assert self.doors[number].wait(LIMIT)

        return wait

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.inside.acquire(timeout=LIMIT)

    def open(self) -> None:
        for door in self.doors:
            door.set()


def refuse_threads(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From here on the system has no more threads of this name to give."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(name):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.parametrize("count", [0, -1])
def test_a_pool_needs_at_least_one_thread(count: int) -> None:
    with pytest.raises(ValueError, match=f"max_workers must be at least 1, not {count}"):
        ThreadPoolTaskRunner(count)


def test_each_flow_run_gets_a_pool_of_its_own_like_the_one_given() -> None:
    given = ThreadPoolTaskRunner(3)
    assert given.duplicate() is not given
    assert given.duplicate().max_workers == 3


def test_everything_submitted_is_executed_before_the_pool_stops() -> None:
    runner, done = pool(), list[int]()
    for number in range(500):
        runner.submit(lambda number=number: done.append(number))
    runner.teardown()
    assert sorted(done) == list(range(500))


def test_one_thread_works_in_order() -> None:
    runner, done = pool(1), list[int]()
    for number in range(100):
        runner.submit(lambda number=number: done.append(number))
    runner.teardown()
    assert done == list(range(100))


def test_a_pool_that_has_nothing_to_do_stops_at_once() -> None:
    pool().teardown()


def test_a_pool_can_be_used_again() -> None:
    runner, done = pool(), list[int]()
    for number in range(3):
        runner.submit(lambda number=number: done.append(number))
        runner.teardown()
    assert done == [0, 1, 2]


def test_a_thousand_that_wait_for_one_another_all_run() -> None:
    runner, together = pool(), threading.Barrier(1_000)

    def wait() -> None:
        together.wait(LIMIT)

    for _ in range(1_000):
        runner.submit(wait)
    runner.teardown()
    assert not together.broken


def test_work_that_waits_for_work_it_submitted_does_not_starve_it() -> None:
    runner, deepest = pool(), threading.Event()

    def descend(depth: int) -> None:
        if not depth:
            deepest.set()
            return
        done = threading.Event()

        def below() -> None:
            descend(depth - 1)
            done.set()

        runner.submit(below)
        assert done.wait(LIMIT)

    runner.submit(lambda: descend(5 * EAGER))
    assert deepest.wait(LIMIT)
    runner.teardown()


@pytest.mark.parametrize("most", [1, 3, EAGER + 4])
def test_never_more_run_than_may(most: int) -> None:
    runner, lock = pool(most), threading.Lock()
    running, high = 0, 0
    together = threading.Barrier(most)

    def work() -> None:
        nonlocal running, high
        with lock:
            running += 1
            high = max(high, running)
        together.wait(LIMIT)
        with lock:
            running -= 1

    for _ in range(5 * most):
        runner.submit(work)
    runner.teardown()
    assert high == most


def test_what_gets_done_needs_no_further_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "GROWTH", 0.1)
    runner, doors = pool(), Doors(EAGER + 3)
    for number in range(EAGER + 3):
        runner.submit(doors.work(number))
    doors.doors[0].set()
    doors.wait_for(EAGER + 3)
    doors.open()
    runner.teardown()


def test_threads_end_when_they_are_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "IDLE", 0.01)
    runner, ended = pool(), threading.Event()
    known: list[bool] = []
    runner.submit(lambda: known.append(at_thread_end(ended.set)))
    assert ended.wait(LIMIT)
    assert known == [True]
    assert runner._threads == 0  # pyright: ignore[reportPrivateUsage]
    runner.submit(lambda: known.append(False))
    runner.teardown()
    assert known == [True, False]


def test_threads_end_when_the_pool_stops() -> None:
    runner, ended = pool(), threading.Semaphore(0)
    doors = Doors(3)

    def work(number: int) -> Callable[[], Any]:
        wait = doors.work(number)
        return lambda: (at_thread_end(ended.release), wait())

    for number in range(3):
        runner.submit(work(number))
    doors.wait_for(3)
    doors.open()
    runner.teardown()
    for _ in range(3):
        assert ended.acquire(timeout=LIMIT)


def test_a_thread_that_is_needed_does_not_end() -> None:
    runner, done = pool(1), threading.Event()
    runner._work.put(None)  # pyright: ignore[reportPrivateUsage] - left over from a stop that a thread did not wait for
    runner.submit(done.set)
    assert done.wait(LIMIT)
    runner.teardown()


def test_a_thread_that_is_none_of_ours_calls_nobody_at_its_end() -> None:
    assert not at_thread_end(lambda: None)


def test_a_system_without_threads_is_told_to_who_submits(monkeypatch: pytest.MonkeyPatch) -> None:
    runner, done = pool(), threading.Event()
    with monkeypatch.context() as patch:
        refuse_threads(patch, "headrace-task")
        with pytest.raises(RuntimeError, match="can't start new thread"):
            runner.submit(done.set)
    runner.submit(done.set)
    runner.teardown()
    assert done.is_set()


def test_threads_that_are_there_must_do_where_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    runner, doors, done = pool(), Doors(1), list[int]()
    runner.submit(doors.work(0))
    doors.wait_for(1)
    with monkeypatch.context() as patch:
        refuse_threads(patch, "headrace-task")
        for number in range(10):
            runner.submit(lambda number=number: done.append(number))
        doors.open()
        runner.teardown()
    assert done == list(range(10))


def test_a_pool_without_a_watcher_tries_again_with_the_next_work(monkeypatch: pytest.MonkeyPatch) -> None:
    runner, doors = pool(), Doors(EAGER + 2)
    with monkeypatch.context() as patch:
        refuse_threads(patch, "headrace-pool")
        for number in range(EAGER + 1):
            runner.submit(doors.work(number))
        doors.wait_for(EAGER)
    runner.submit(doors.work(EAGER + 1))
    doors.wait_for(2)
    doors.open()
    runner.teardown()


# a place that is lent


def descend(depth: int, wait: Callable[[Future[int]], int]) -> int:
    return 0 if not depth else 1 + wait(Task(descend).submit(depth - 1, wait))


WAITS: list[Callable[[Future[int]], int]] = [
    lambda future: future.result(),
    lambda future: wait_for_all([future]).done.pop().result(),
    lambda future: next(as_completed([future])).result(),
]


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("most", [1, 2])
def test_a_task_that_waits_for_tasks_it_submitted_lends_them_its_place(
    stage: Stage, most: int, wait: Callable[[Future[int]], int]
) -> None:
    def work() -> int:
        return Task(descend).submit(5, wait).result()

    assert Flow(work, name="deep", task_runner=ThreadPoolTaskRunner(most))() == 5


def test_a_task_with_a_time_limit_lends_its_place_as_well(stage: Stage) -> None:
    def outer() -> int:
        return Task(len).submit([1, 2]).result()

    def work() -> int:
        return Task(outer, timeout_seconds=LIMIT).submit().result()

    assert Flow(work, name="limited", task_runner=ThreadPoolTaskRunner(1))() == 2


def test_the_place_of_work_that_was_left_behind_is_free_again() -> None:
    places, calls = Places(1), list[int]()
    with occupying(places, lambda: calls.append(1)):
        seat = current_seat()
        assert seat is not None
        seat.begin_wait()
        assert places.lent == 1
    assert places.lent == 0
    seat.end_wait()
    seat.begin_wait()
    seat.end_wait()
    with occupying(places, lambda: calls.append(2)), lending_place(), lending_place():
        assert places.lent == 1
    assert calls == [1, 2]
    assert places.lent == 0


def test_an_async_task_lends_its_place_as_well(stage: Stage) -> None:
    async def deeper(depth: int) -> int:
        if not depth:
            return 0
        below = [Task(deeper).submit(depth - 1) for _ in range(2)]

        async def one(future: Future[int]) -> int:
            return await future

        return 1 + max(await asyncio.gather(*map(one, below)))

    def work() -> int:
        return Task(deeper).submit(3).result()

    assert Flow(work, name="deep", task_runner=ThreadPoolTaskRunner(1))() == 3


def test_a_task_whose_upstream_is_slow_keeps_nobody_waiting(stage: Stage) -> None:
    order: list[str] = []

    def note(value: str) -> None:
        order.append(value)

    def work() -> None:
        elsewhere: Future[str] = Future(uuid7(), "elsewhere")
        waits = Task(note).submit(elsewhere)
        Task(note).submit("meanwhile").wait()
        elsewhere.end(State(type=StateType.COMPLETED, data=Result("then")))
        waits.wait()

    Flow(work, name="order", task_runner=ThreadPoolTaskRunner(1))()
    assert order == ["meanwhile", "then"]


def test_never_more_run_than_may_although_places_are_lent(stage: Stage) -> None:
    lock, running, high = threading.Lock(), [0], [0]

    def enter(change: int) -> None:
        with lock:
            running[0] += change
            high[0] = max(high[0], running[0])

    def leaf() -> None:
        enter(1)
        enter(-1)

    def branch() -> None:
        enter(1)
        futures = [Task(leaf).submit() for _ in range(5)]
        enter(-1)
        wait_for_all(futures)
        enter(1)
        enter(-1)

    def work() -> None:
        wait_for_all([Task(branch).submit() for _ in range(10)])

    Flow(work, name="wide", task_runner=ThreadPoolTaskRunner(2))()
    assert 1 <= high[0] <= 2
