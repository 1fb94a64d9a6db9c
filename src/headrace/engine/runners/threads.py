"""The pool of threads, which executes tasks by default."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Self

from headrace.engine.places import Places, occupying
from headrace.engine.runner import TaskRunner

EAGER = 16
"""Threads that are started as soon as work finds none idle."""

GROWTH = 0.003
"""Seconds the oldest work may find every thread busy before more are started."""

IDLE = 2.0
"""Seconds a thread waits for work before it ends."""


class ThreadPoolTaskRunner(TaskRunner):
    """Runs tasks in threads, at most `max_workers` at a time; by default as many as there is work that blocks.

    The pool is elastic, so a task that waits for tasks it submitted itself never starves them: the first threads start
    at once, further ones when work has waited a moment with all of them busy. With `max_workers`, one that waits for the
    future of another run lends it its place.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        if max_workers is not None and max_workers < 1:
            raise ValueError(f"max_workers must be at least 1, not {max_workers}.")
        self.max_workers = max_workers
        self._limit = max_workers or 10_000
        self._places = Places(max_workers) if max_workers is not None else None
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._drained = threading.Condition(self._lock)
        self._threads = 0
        self._unfinished = 0
        self._finished = 0
        self._watcher: threading.Thread | None = None

    def duplicate(self) -> Self:
        """A pool of its own for one flow run; threads start with the work."""
        return type(self)(self.max_workers)

    def submit(self, work: Callable[[], None]) -> None:
        """Execute `work` on one of the threads. Raises `RuntimeError` when not even one can be started."""
        with self._lock:
            if self._unfinished >= self._threads and self._threads < self._most():
                if self._threads < EAGER:
                    self._add_thread(needed=not self._threads)
                elif self._watcher is None:
                    self._start_watcher()
            self._unfinished += 1
        self._work.put(work)

    def teardown(self) -> None:
        """Wait until everything submitted has been executed; its threads then end."""
        with self._drained:
            self._drained.wait_for(lambda: self._unfinished == 0)
            for _ in range(self._threads):
                self._work.put(None)

    def _most(self) -> int:
        """The most threads there may be: those that only wait are not counted."""
        return self._limit if self._places is None else self._limit + self._places.lent

    def _replace(self) -> None:
        """A place has been lent: see that somebody takes it, if there is work."""
        with self._lock:
            if self._unfinished > self._threads:
                self._add_thread()

    def _add_thread(self, needed: bool = False) -> None:
        """Start a thread. Where the system has no more to give, those that are there must do."""
        try:
            threading.Thread(target=self._execute, name=f"headrace-task-{self._threads + 1}", daemon=True).start()
        except RuntimeError:
            if needed:
                raise
        else:
            self._threads += 1

    def _start_watcher(self) -> None:
        watcher = threading.Thread(target=self._watch, name="headrace-pool", daemon=True)
        with contextlib.suppress(RuntimeError):  # as above
            watcher.start()
            self._watcher = watcher

    def _watch(self) -> None:
        """Add threads while work waits and none gets done: twice as many each time, so a thousand are there in no time."""
        pause = threading.Event()
        finished = self._finished
        while True:
            pause.wait(GROWTH)
            with self._lock:
                waiting = min(self._unfinished, self._most()) - self._threads
                if waiting <= 0:
                    self._watcher = None
                    return
                if self._finished == finished:
                    for _ in range(min(waiting, self._threads)):
                        self._add_thread()
                finished = self._finished

    def _execute(self) -> None:
        calls: list[Callable[[], None]] = []
        _ending.calls = calls
        try:
            while (work := self._next()) is not None:
                if self._places is None:
                    work()
                else:
                    with occupying(self._places, self._replace):
                        work()
                with self._lock:
                    self._finished += 1
                    self._unfinished -= 1
                    if self._unfinished == 0:
                        self._drained.notify_all()
        finally:
            for call in calls:
                call()

    def _next(self) -> Callable[[], None] | None:
        """The next work; None when the thread is to end: told so, or idle, and not the last that could do what waits."""
        while True:
            try:
                work = self._work.get(timeout=IDLE)
            except Empty:
                work = None
            if work is not None:
                return work
            with self._lock:
                if self._unfinished < self._threads:
                    self._threads -= 1
                    return None


_ending = threading.local()


def at_thread_end(call: Callable[[], None]) -> bool:
    """Have `call` called when this thread ends; False when it is none of ours, so nobody would."""
    calls: list[Callable[[], None]] | None = getattr(_ending, "calls", None)
    if calls is None:
        return False
    calls.append(call)
    return True
