"""The one live channel of a process: it reads the event log while somebody waits, and wakes those whose run has moved on."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from headrace.base import errors
from headrace.gateway.execution import Execution
from headrace.rules.transitions import ENDING
from headrace.schema.event import Cursor
from headrace.schema.state import StateType

log = logging.getLogger("headrace.live")

_POLL = 1.0
_SHORT = 0.5
_FAREWELL = 0.1


class _Watcher(NamedTuple):
    """Somebody who waits for a run to be in one of some states."""

    wake: Callable[[], None]
    until: frozenset[StateType]


class LiveChannel:
    """Watches for states of flow runs, cancellations above all, on behalf of those who wait.

    A thread reads the log only while somebody watches; waits shorter than half a second are not worth one.
    """

    def __init__(self, gateway: Execution) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._watchers: dict[UUID, list[_Watcher]] = {}
        self._unchecked: set[UUID] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def watch(
        self,
        flow_run_id: UUID | None,
        wake: Callable[[], None],
        duration: float,
        until: frozenset[StateType] = ENDING,
    ) -> Generator[None]:
        """Call `wake` if the flow run is or comes to be in one of the states within the block.

        The block is to last about `duration` seconds.
        """
        if flow_run_id is None or duration < _SHORT:
            yield
            return
        watcher = _Watcher(wake, until)
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
                if self._closed or not self._watchers:
                    self._thread = None
                    return
            try:
                cursor = cursor or self._gateway.last_cursor()
                self._check()
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

    def _read(self, cursor: Cursor) -> Cursor:
        while True:
            page = self._gateway.read_events(cursor)
            for event in page.events:
                if event.kind == "flow-run" and event.states:
                    self._wake(event.subject_id, event.states[-1].type)
            if not page.events:
                return page.cursor
            cursor = page.cursor

    def _wake(self, flow_run_id: UUID, state: StateType | None) -> None:
        with self._lock:
            waiting = list(self._watchers.get(flow_run_id, ()))
        for watcher in waiting:
            if state in watcher.until:
                watcher.wake()
