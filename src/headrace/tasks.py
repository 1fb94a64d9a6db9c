"""Tasks: `@task` makes a function's calls within a flow runs of their own, retried, cached and mapped."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack, overload

from headrace.connect import open_session
from headrace.engine import task_definition
from headrace.engine.caching import hash_values
from headrace.engine.opening import set_opener
from headrace.engine.task_definition import TaskOptions
from headrace.rules.retries import exponential_backoff

if TYPE_CHECKING:
    from headrace.engine.assets import Asset
    from headrace.engine.deferring import Dependencies
    from headrace.engine.distributed import DistributedFuture
    from headrace.engine.inputs import Awaited
    from headrace.engine.task_run import RunningTask

__all__ = ["Task", "exponential_backoff", "task", "task_input_hash"]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")

set_opener(open_session)


class Task(task_definition.Task[P, R_co]):
    """A function whose calls are task runs, here or in task workers. Made by the `task` decorator."""

    def __new__(cls, *_: Any, **options: Any) -> Self:
        """A task that reads assets is of a kind of its own, so that others need not know of them."""
        reads = cls is Task and options.get("asset_deps")
        kind: Any = ReadingTask if reads else cls
        return object.__new__(kind)

    @overload
    def delay(self: Task[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any) -> DistributedFuture[T]: ...

    @overload
    def delay(self: Task[..., Generator[T, Any, Any]], *args: Any, **kwargs: Any) -> DistributedFuture[list[T]]: ...

    @overload
    def delay(self: Task[..., AsyncGenerator[T, Any]], *args: Any, **kwargs: Any) -> DistributedFuture[list[T]]: ...

    @overload
    def delay(self, *args: Any, **kwargs: Any) -> DistributedFuture[R_co]: ...

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """Have the task run by a task worker, and return a future at once: `task.delay(1, b=2)`.

        The run is stored when this returns, and is executed at least once, whatever becomes of this process. Its value is
        kept; what it was given is kept until then.
        """
        return self.apply_async(args, kwargs)

    def apply_async(
        self,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        wait_for: Awaited = None,
        dependencies: Dependencies = None,
    ) -> DistributedFuture[Any]:
        """As `delay`, with more to say: `task.apply_async((1,), {"b": 2}, wait_for=[future])`.

        `wait_for` names futures and states that must have completed first, `dependencies` what else the run is to be shown
        with, by name.
        """
        parameters = self.signature.bind(tuple(args or ()), dict(kwargs or {}))
        from headrace.engine.task_calls import defer_task

        return defer_task(self, parameters, wait_for, dependencies)

    def serve(
        self, *, limit: int | None = 10, status_server_port: int | None = None, timeout: float | None = None
    ) -> None:
        """Execute runs of this task that are delayed, until Ctrl-C; see `serve` of `headrace.task_worker`."""
        from headrace.task_worker import serve

        serve(self, limit=limit, status_server_port=status_server_port, timeout=timeout)


class ReadingTask(Task[P, R_co]):
    """A task that reads assets, those of `asset_deps`: they come with its value to tasks that are given that."""

    def __init__(self, fn: Callable[P, R_co], **options: Unpack[TaskOptions]) -> None:
        from headrace.engine.assets import collect_assets

        super().__init__(fn, **options)
        self.asset_deps = collect_assets(f"Task {self.name!r}: asset_deps", options.get("asset_deps") or ())

    def begin(self, parameters: dict[str, Any], wait_for: Awaited = None) -> RunningTask:
        """A run of the task, called from here, whose assets the flow run knows of."""
        from headrace.engine.assets import pass_on

        run = super().begin(parameters, wait_for)
        pass_on(run, self.passes_on())
        return run

    def passes_on(self) -> tuple[Asset, ...]:
        """The assets that come with its value."""
        return self.asset_deps


@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(**options: Unpack[TaskOptions]) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def task(fn: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]) -> Any:
    """Make a function a task: `@task`, or `@task(retries=3, retry_delay_seconds=2)`.

    * `name`, `description`, `version`, `tags` – what it is called and marked with
    * `task_run_name` – names each run: a template over the arguments (`"load {path}"`) or a function
    * `retries`, `retry_delay_seconds`, `retry_jitter_factor` – how often a failed run is tried again, after how many
      seconds (a number, a list, or a function such as `exponential_backoff(2)`), stretched at random by up to the factor
    * `retry_condition_fn` – `(task, run, state) -> bool`, asked before each retry
    * `timeout_seconds` – a run that takes longer fails as TimedOut
    * `cache_policy` or `cache_key_fn`, `cache_expiration`, `refresh_cache` – when a value computed before is used again
      (`headrace.cache_policies`), for how long, and whether to compute it anew
    * `persist_result`, `result_storage`, `result_serializer`, `result_storage_key`, `cache_result_in_memory` – whether the
      value is kept, in which folder, as what (`"pickle"`, `"json"`), under which name, and whether in memory as well
    * `durable` – a call returns only when its value is kept and its end recorded, so that it is restored and not made again
      when the flow run is resumed; inherited from the flow unless said
    * `log_prints` – `print` becomes a log line; inherited from the flow unless said
    * `on_completion`, `on_failure`, `on_running` – functions told `(task, run, state)`
    * `on_commit`, `on_rollback` – functions told the transaction (`headrace.transactions`) when what a completed run did is
      committed, or has to be undone
    * `viz_return_value` – what stands for its value while a flow is drawn (`flow.visualize`)
    * `asset_deps` – what it reads: assets, or their keys (`headrace.assets`)

    Raises `UsageError` for options that cannot be.
    """
    if fn is None:
        return lambda function: Task(function, **options)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType, reportUnknownVariableType]
    return Task(fn, **options)


def task_input_hash(context: Any, arguments: dict[str, Any]) -> str | None:
    """A `cache_key_fn` that keys a call by its task and its arguments."""
    return hash_values(context.task.task_key, context.task.version, arguments)
