"""The one live channel of a process: it reads the event log while somebody waits, and wakes those whose run they wait for,
those who may have the slots they stand in line for, and those who take background runs.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from headrace.base import clock, errors
from headrace.rules.transitions import ENDING
from headrace.schema.event import Cursor, LoggedEvent
from headrace.schema.state import StateType

if TYPE_CHECKING:
    from headrace.gateway.execution import Execution

log = logging.getLogger("headrace.live")

_POLL = 1.0
_SHORT = 0.5
_FAREWELL = 0.1
_LOOK = 30.0

Look = Callable[[], bool]
"""Looks at a background run; True when there is nothing more to see."""


class Watcher(NamedTuple):
    """Somebody who waits for a run to be in one of some states."""

    states: frozenset[StateType]
    wake: Callable[[], None]


class _Turn:
    """A request's place in line: whether the log is read for it, whether it was called, and who is to be woken then."""

    __slots__ = ("called", "in_log", "wake")

    def __init__(self) -> None:
        self.called = False
        self.in_log = False
        self.wake: Callable[[], None] | None = None


class LiveChannel:
    """Watches for states of flow runs (that one is cancelled, or has ended) and for the turns of requests for slots.

    A thread reads the log only while somebody watches; waits shorter than half a second are not worth one.
    """

    def __init__(self, gateway: Execution) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._watchers: dict[UUID, list[Watcher]] = {}
        self._unchecked: set[UUID] = set()
        self._turns: dict[UUID, _Turn] = {}
        self._in_log = 0
        self._looks: dict[UUID, list[Look]] = {}
        self._to_look: set[UUID] = set()
        self._looked = 0.0
        self._listeners: list[Callable[[str], None]] = []
        self._following = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def watch(
        self,
        flow_run_id: UUID | None,
        wake: Callable[[], None],
        duration: float,
        states: frozenset[StateType] = ENDING,
    ) -> Generator[None]:
        """Call `wake` if the flow run is or comes to be in one of the states within the block: is cancelled, by default.

        The block is to last about `duration` seconds.
        """
        if flow_run_id is None or duration < _SHORT:
            yield
            return
        watcher = Watcher(states, wake)
        with self._lock:
            self._watchers.setdefault(flow_run_id, []).append(watcher)
            self._unchecked.add(flow_run_id)
            self._start()
        try:
            yield
        finally:
            with self._lock:
                waiting = self._watchers[flow_run_id]
                waiting.remove(watcher)
                if not waiting:
                    del self._watchers[flow_run_id]

    def prepare(self, request_id: UUID) -> None:
        """Let a request for slots be called by this process."""
        with self._lock:
            self._turns.setdefault(request_id, _Turn())

    def expect(self, request_id: UUID) -> bool:
        """Listen in the log for the turn of a request from now on; False if that was so already.

        What was called before this returns may have been missed: ask once more. Without an answer from the log in time
        one is not called, and asks again when that was advised.
        """
        with self._lock:
            turn = self._turns.setdefault(request_id, _Turn())
            if turn.in_log or self._closed:
                return False
            turn.in_log = True
            self._in_log += 1
            self._start()
        return self._following.wait(_POLL)

    @contextmanager
    def attend(self, request_id: UUID | None, wake: Callable[[], None]) -> Generator[None]:
        """Call `wake` when a request is called within the block, or has been called since the last one."""
        turn = self._turns.get(request_id) if request_id is not None else None
        if turn is None:
            yield
            return
        with self._lock:
            turn.wake = wake
            called = turn.called
        if called:
            wake()
        try:
            yield
        finally:
            with self._lock:
                turn.wake, turn.called = None, False

    def forget(self, request_id: UUID) -> None:
        """Listen for the turn of a request no more."""
        with self._lock:
            turn = self._turns.pop(request_id, None)
            if turn is not None:
                self._in_log -= turn.in_log

    def call(self, request_id: UUID) -> None:
        """Wake who waits for the turn of a request, or let the next wait end at once."""
        with self._lock:
            turn = self._turns.get(request_id)
            if turn is None:
                return
            turn.called = True
            wake = turn.wake
        if wake is not None:
            wake()

    def follow(self, task_run_id: UUID, look: Look) -> None:
        """Call `look` soon, whenever something has happened to a background run, and now and then, until it returns True.

        When it raises, because nobody answers, it is called again.
        """
        with self._lock:
            self._looks.setdefault(task_run_id, []).append(look)
            self._to_look.add(task_run_id)
            self._start()

    @contextmanager
    def listen(self, hear: Callable[[str], None]) -> Generator[None]:
        """Call `hear` with the key of a task of which a background run is due, for each such run within the block."""
        with self._lock:
            self._listeners.append(hear)
            self._start()
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(hear)

    def close(self) -> None:
        """Stop reading; nobody is woken any more. A read that waits for the log is not waited for."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join(_FAREWELL)

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="headrace-live", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        cursor: Cursor | None = None
        while True:
            with self._lock:
                if self._closed or not (self._watchers or self._in_log or self._looks or self._listeners):
                    self._thread = None
                    self._following.clear()
                    return
            try:
                cursor = cursor or self._gateway.last_cursor()
                self._following.set()
                self._check()
                self._look()
                self._gateway.wait_for_events(_POLL)
                cursor = self._read(cursor)
            except Exception as error:  # noqa: BLE001 - nobody else would read if this thread died
                log.debug("The event log cannot be read just now: %s", error)
                threading.Event().wait(_POLL)

    def _check(self) -> None:
        """Look once at each run that is newly watched: it may have been cancelled just before."""
        with self._lock:
            unchecked, self._unchecked = self._unchecked, set()
        try:
            for flow_run_id in unchecked:
                with contextlib.suppress(errors.ObjectNotFound):
                    self._wake(flow_run_id, self._gateway.read_flow_run(flow_run_id).state_type)
        except Exception:
            with self._lock:
                self._unchecked |= unchecked
            raise

    def _look(self) -> None:
        """Look at each background run of which something was heard, and at all of them now and then."""
        now = clock.monotonic()
        with self._lock:
            if now - self._looked > _LOOK:
                self._to_look |= self._looks.keys()
                self._looked = now
            waiting = [(run_id, [*self._looks.get(run_id, ())]) for run_id in self._to_look]
        for run_id, looks in waiting:
            seen = [look for look in looks if look()]
            with self._lock:
                self._to_look.discard(run_id)
                left = [look for look in self._looks.pop(run_id, []) if look not in seen]
                if left:
                    self._looks[run_id] = left

    def _hear(self, event: LoggedEvent) -> None:
        """Take note of what is told of a background run."""
        with self._lock:
            if event.subject_id in self._looks:
                self._to_look.add(event.subject_id)
            listeners = [*self._listeners]
        if event.body is not None and event.body["due"]:
            for hear in listeners:
                hear(event.body["task_key"])

    def _read(self, cursor: Cursor) -> Cursor:
        while True:
            page = self._gateway.read_events(cursor, kinds=("flow-run", "slots", "background"))
            for event in page.events:
                if event.kind == "slots":
                    self.call(event.subject_id)
                elif event.kind == "background":
                    self._hear(event)
                else:
                    self._wake(event.subject_id, event.states[-1].type)
            if page.cursor == cursor:
                return cursor
            cursor = page.cursor

    def _wake(self, flow_run_id: UUID, state: StateType | None) -> None:
        with self._lock:
            waiting = list(self._watchers.get(flow_run_id, ()))
        for watcher in waiting:
            if state in watcher.states:
                watcher.wake()
