"""A task run that was submitted: what a task runner executes."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from headrace.engine.drivers import drive_sync
from headrace.engine.futures import Future
from headrace.engine.logs import describe_error
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.schema.state import State, StateType


class Submission:
    """A task run and the future of whoever submitted it. `context` is what was around them."""

    __slots__ = ("context", "future", "run")

    def __init__(self, run: RunningTask) -> None:
        self.run = run
        self.future: Future[Any] = Future(run.id, run.name)
        self.context = contextvars.copy_context()

    def __call__(self) -> None:
        """Run to the end on this thread. Never raises: there is nobody to raise to."""
        self.end_by(self._execute)

    def end_by(self, end: Callable[[], State]) -> None:
        """Have the run brought to its end by `end`, and tell the future; never raises either."""
        self.context.run(self._tell, end)

    def _tell(self, end: Callable[[], State]) -> None:
        run = self.run
        try:
            state = end()
        except BaseException as error:
            run.log.exception("The task run could not be brought to its end")
            state = run.ended or State(type=StateType.CRASHED, message=describe_error(error), data=error)
        self.future.end(state)

    def _execute(self) -> State:
        run = self.run
        if run.task.is_async:
            from headrace.engine.loop import drive_in_own_loop

            return drive_in_own_loop(task_lifecycle(run), run)
        return drive_sync(task_lifecycle(run), run)
