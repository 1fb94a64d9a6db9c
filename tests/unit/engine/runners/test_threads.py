"""The pool of threads: as many as there is work that blocks, never more than it may have, none when there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from headrace.engine.runners import threads
from headrace.engine.runners.threads import EAGER, ThreadPoolTaskRunner, at_thread_end

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
