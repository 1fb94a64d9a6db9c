"""What becomes of the calls of a task. Loaded by the first of them: a definition only says what is to be run, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.engine.calling import answer_call, settled
from headrace.engine.context import current, current_sketch
from headrace.engine.forks import after_fork
from headrace.engine.futures import Future, FutureList
from headrace.engine.inputs import Awaited, list_awaited
from headrace.engine.iteration import Iteration, Sink
from headrace.engine.mapping import spread
from headrace.engine.runner import TaskRunner
from headrace.engine.runners.threads import ThreadPoolTaskRunner
from headrace.engine.submissions import Submission
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask

if TYPE_CHECKING:
    from headrace.engine.deferring import Dependencies
    from headrace.engine.distributed import DistributedFuture
    from headrace.engine.task_definition import Task

_loose_runner: TaskRunner
"""Executes tasks submitted outside of a flow."""


def _renew_runner() -> None:
    global _loose_runner  # noqa: PLW0603 - one per process
    _loose_runner = ThreadPoolTaskRunner()


_renew_runner()
after_fork(_renew_runner)


def call_task(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a call of the task returns; see `Task.__call__`."""
    sketch = current_sketch.get()
    if sketch is not None:
        return sketch.call_task(task, args, kwargs)
    return_state, wait_for = bool(kwargs.pop("return_state", False)), kwargs.pop("wait_for", None)
    run = task.begin(task.signature.bind(args, kwargs), wait_for)
    return answer_call("Task", task, run, task_lifecycle(run), return_state)


def submit_task(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `Task.submit` returns."""
    sketch = current_sketch.get()
    if sketch is not None:
        return sketch.submit_task(task, args, kwargs)
    return_state, wait_for = kwargs.pop("return_state", False), kwargs.pop("wait_for", None)
    future = _submit(task, task.signature.bind(args, kwargs), wait_for)
    if return_state:
        future.wait()
        return future.state
    return future


def map_task(task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `Task.map` returns."""
    sketch = current_sketch.get()
    if sketch is not None:
        return sketch.map_task(task, args, kwargs)
    return_state, wait_for = kwargs.pop("return_state", False), list_awaited(kwargs.pop("wait_for", None))
    futures = FutureList(_submit(task, call, wait_for) for call in spread(task.signature, task.name, args, kwargs))
    if return_state:
        futures.wait()
        return [future.state for future in futures]
    return futures


def defer_task(
    task: Task[..., Any], parameters: dict[str, Any], wait_for: Awaited, dependencies: Dependencies
) -> DistributedFuture[Any]:
    """Have a call, whose arguments are bound, executed by a task worker."""
    sketch = current_sketch.get()
    if sketch is not None:
        return sketch.defer_task(task, parameters, wait_for, dependencies)
    from headrace.engine.deferring import defer

    return defer(settled(task), task, parameters, wait_for, dependencies)


def begin_task(task: Task[..., Any], parameters: dict[str, Any], wait_for: Awaited) -> RunningTask:
    """A run of the task, called from here, that has not begun yet."""
    return RunningTask(settled(task), task, parameters, current.get(), wait_for)


def _submit(task: Task[..., Any], parameters: dict[str, Any], wait_for: Awaited) -> Future[Any]:
    """Submit a call whose arguments are bound already."""
    around = current.get()
    runner = _loose_runner if around is None or around.flow_run is None else around.flow_run.runner()
    if runner.defer is not None:
        return runner.defer(settled(task), task, parameters, wait_for)
    run = task.begin(parameters, wait_for)
    if task.is_generator:
        run.iteration = Iteration(Sink.LIST)
    for fact in run.announce():
        run.session.emit(fact)
    submission = Submission(run)
    runner.submit(submission)
    return submission.future
