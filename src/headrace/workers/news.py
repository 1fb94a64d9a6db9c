"""What happens to flow runs, read from the event log as it grows, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import UUID

from headrace.base import errors
from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor
from headrace.schema.state import StateType

log = logging.getLogger("headrace.worker")

POLL = 15.0
"""Seconds that one wait for events takes at most."""

RECOVERY = 1.0
"""Seconds before the log is asked again after it could not be read."""

REST = 0.02
"""Seconds of rest after something was read: what comes in a flood is read in larger pages."""


class News:
    """Tells of every state that a flow run enters: `hear(flow_run_id, state)`, and `hear(None, None)` after a gap.

    That there is room for runs which wait for it is told as if one of them were being scheduled.
    """

    def __init__(self, execution: Execution, hear: Callable[[UUID | None, StateType | None], None]) -> None:
        self._execution = execution
        self._hear = hear
        self._stopping = threading.Event()

    def start(self) -> None:
        """Read from now on."""
        threading.Thread(target=self._run, name="headrace-worker-news", daemon=True).start()

    def stop(self) -> None:
        """Read no more. A wait that has begun is not waited for."""
        self._stopping.set()

    def _run(self) -> None:
        cursor: Cursor | None = None
        while not self._stopping.is_set():
            try:
                if cursor is None:
                    cursor = self._execution.last_cursor()
                    self._hear(None, None)  # what happened before is for a look to find
                self._execution.wait_for_events(POLL)
                cursor = self._read(cursor)
                self._stopping.wait(REST)
            except errors.GatewayError as error:
                log.debug("The event log cannot be read just now: %s", error)
                self._stopping.wait(RECOVERY)

    def _read(self, cursor: Cursor) -> Cursor:
        while True:
            page = self._execution.read_events(cursor, kinds=("flow-run", "slots"))
            for event in page.events:
                if event.states:
                    self._hear(event.subject_id, event.states[-1].type)
                elif event.flow_run_id is not None:
                    self._hear(event.flow_run_id, StateType.SCHEDULED)  # a run's turn, or there is room where it ran
            if page.cursor == cursor:
                return cursor
            cursor = page.cursor
