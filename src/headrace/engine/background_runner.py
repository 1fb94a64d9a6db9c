"""The task runner whose tasks are executed by task workers, wherever those are."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from headrace.base import errors
from headrace.engine.deferring import defer
from headrace.engine.distributed import DistributedFuture
from headrace.engine.futures import wait
from headrace.engine.inputs import Awaited
from headrace.engine.runner import TaskRunner, Work

if TYPE_CHECKING:
    from headrace.engine.definitions import TaskDefinition
    from headrace.engine.session import Session


class HeadraceTaskRunner(TaskRunner):
    """Has what a flow submits executed by task workers (`task.serve`); the flow waits for all of it before it ends.

    Each submitted call is deferred as by `delay`: it is stored, and whoever serves the task executes it at least once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: list[DistributedFuture[Any]] = []

    def duplicate(self) -> HeadraceTaskRunner:
        """A runner of its own for one flow run."""
        return HeadraceTaskRunner()

    def defer(
        self, session: Session, task: TaskDefinition, parameters: dict[str, Any], wait_for: Awaited
    ) -> DistributedFuture[Any]:
        """Have a call executed by a worker of the task."""
        future = defer(session, task, parameters, wait_for)
        with self._lock:
            self._futures.append(future)
        return future

    def submit(self, work: Work) -> None:
        """Refuse: what is executed elsewhere is deferred. Raises `UsageError`."""
        raise errors.UsageError(f"{work!r} cannot be executed by task workers: only calls of tasks can.")

    def teardown(self) -> None:
        """Wait until everything that was submitted has been executed."""
        with self._lock:
            futures, self._futures = self._futures, []
        wait(futures)
