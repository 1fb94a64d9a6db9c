"""Tasks: functions whose calls are recorded, retried, cached and mapped.

A definition is data: what executes its calls is in `task_calls`, which the first of them loads. So a module that defines
tasks costs who imports it little, and a script pays for what it runs when it runs.
"""

from __future__ import annotations

from datetime import timedelta
from functools import update_wrapper
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from headrace.base import errors
from headrace.engine.caching import NO_CACHE, CacheKeyFnPolicy, CachePolicy, NoCache
from headrace.engine.doors import Door
from headrace.engine.kinds import bind_method, is_async, is_generator, unwrap_method
from headrace.engine.naming import RunName, check_run_name, render_run_name
from headrace.engine.options import check_texts, check_timeout, collect_hooks, find_folder
from headrace.engine.parameters import Signature
from headrace.engine.references import reduce_definition
from headrace.engine.serializers import Serializer, find_serializer
from headrace.engine.sources import describe, doc_of, key_of
from headrace.rules.retries import RetryDelay, plan_delays

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Generator, Iterable, Mapping, Sequence
    from os import PathLike

    from headrace.base.settings import Settings
    from headrace.engine import task_calls
    from headrace.engine.definitions import Hook
    from headrace.engine.futures import Future, FutureList
    from headrace.engine.inputs import Awaited
    from headrace.engine.task_run import RunningTask
    from headrace.engine.transactions import TransactionHook
    from headrace.schema.run import TaskRunPolicy
    from headrace.schema.state import State
else:
    task_calls = Door("headrace.engine.task_calls")

P = ParamSpec("P")
Q = ParamSpec("Q")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


class TaskOptions(TypedDict, total=False):
    """The options of a task; the `task` decorator says what each means."""

    name: str | None
    description: str | None
    version: str | None
    tags: Iterable[str] | None
    task_run_name: RunName | None
    cache_policy: CachePolicy | None
    cache_key_fn: Callable[[Any, dict[str, Any]], str | None] | None
    cache_expiration: timedelta | None
    refresh_cache: bool | None
    retries: int | None
    retry_delay_seconds: RetryDelay
    retry_jitter_factor: float | None
    retry_condition_fn: Callable[[Any, Any, State], bool] | None
    persist_result: bool | None
    result_storage: PathLike[str] | str | None
    result_serializer: Serializer | str | None
    result_storage_key: str | Callable[..., str] | None
    cache_result_in_memory: bool
    timeout_seconds: float | None
    log_prints: bool | None
    on_completion: Sequence[Hook] | None
    on_failure: Sequence[Hook] | None
    on_running: Sequence[Hook] | None
    on_commit: Sequence[TransactionHook] | None
    on_rollback: Sequence[TransactionHook] | None
    durable: bool | None
    viz_return_value: Any
    asset_deps: Collection[Any] | None


class Task(Generic[P, R_co]):
    """A function whose calls are task runs. Made by the `task` decorator, which documents the options."""

    def __init__(self, fn: Callable[P, R_co], **options: Unpack[TaskOptions]) -> None:
        self._given: Any = fn
        fn = unwrap_method(fn)
        if not callable(fn):
            raise errors.UsageError(f"@task needs a function, not {fn!r}.")
        unknown = options.keys() - TaskOptions.__annotations__.keys()
        if unknown:
            raise errors.UsageError(f"@task has no option {min(unknown)!r}.")
        self.options = options
        self.fn = fn
        self.is_async, self.is_generator = is_async(fn), is_generator(fn)
        update_wrapper(self, fn)
        option = options.get
        self.name = option("name") or describe(fn)
        self.description = option("description") or doc_of(fn)
        self.version = option("version")
        check_texts(f"Task {self.name!r}", name=self.name, version=self.version)
        self.tags = frozenset(option("tags") or ())
        for tag in self.tags:
            check_texts(f"Task {self.name!r}", tag=tag)
        self.sorted_tags = sorted(self.tags)
        self.task_key = key_of(fn)
        self.signature = Signature(fn, self.name)
        self.task_run_name = option("task_run_name") or None
        check_run_name(self.task_run_name, self.name)
        self.refresh_cache = bool(option("refresh_cache"))
        self.cache_expiration = option("cache_expiration")
        if not (self.cache_expiration is None or isinstance(self.cache_expiration, timedelta)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise errors.UsageError(f"Task {self.name!r}: cache_expiration must be a timedelta.")
        self.cache_policy = self._choose_cache_policy()
        self.persist_result = option("persist_result")
        self.caches = not isinstance(self.cache_policy, NoCache) and self.persist_result is not False
        self.retry_condition_fn = option("retry_condition_fn")
        if self.retry_condition_fn is not None and not callable(self.retry_condition_fn):
            raise errors.UsageError(f"Task {self.name!r}: retry_condition_fn must be a function.")
        self.retry_jitter_factor = option("retry_jitter_factor")
        self.plan_retries(option("retries") or 0, option("retry_delay_seconds"))
        self.result_folder = find_folder(option("result_storage"))
        self.result_serializer = find_serializer(option("result_serializer"))
        self.result_storage_key = option("result_storage_key")
        self.cache_result_in_memory = option("cache_result_in_memory", True)
        self.viz_return_value = option("viz_return_value")
        self.timeout_seconds = check_timeout(f"Task {self.name!r}", option("timeout_seconds"))
        self.log_prints = option("log_prints")
        whose = f"Task {self.name!r}"
        self.completion_hooks = collect_hooks(whose, "on_completion", option("on_completion"))
        self.failure_hooks = collect_hooks(whose, "on_failure", option("on_failure"))
        self.running_hooks = collect_hooks(whose, "on_running", option("on_running"))
        self.commit_hooks = collect_hooks(whose, "on_commit", option("on_commit"))
        self.rollback_hooks = collect_hooks(whose, "on_rollback", option("on_rollback"))
        self.durable = option("durable")
        self._settled_for: Settings | None = None

    def _choose_cache_policy(self) -> CachePolicy:
        policy, function = self.options.get("cache_policy"), self.options.get("cache_key_fn")
        if policy is not None and function is not None:
            raise errors.UsageError(f"Task {self.name!r} has both a cache_key_fn and a cache_policy: give one of them.")
        if function is not None:
            return CacheKeyFnPolicy(function)
        return policy or NO_CACHE

    def plan_retries(self, retries: int, delay: RetryDelay) -> None:
        """Set how often and how fast a failed run is tried again. Raises `UsageError` for what cannot be."""
        jitter = self.retry_jitter_factor
        if retries < 0 or (jitter is not None and jitter < 0):
            raise errors.UsageError(f"Task {self.name!r}: neither retries nor retry_jitter_factor can be negative.")
        try:
            delays = plan_delays(delay, retries)
        except ValueError as error:
            raise errors.UsageError(f"Task {self.name!r}: {error}") from None
        self.retries, self.retry_delays = retries, delays
        self._policy: TaskRunPolicy | None = None

    @property
    def policy(self) -> TaskRunPolicy:
        """How a failed run is tried again, as it is recorded with each run."""
        if self._policy is None:
            from headrace.schema.run import TaskRunPolicy

            delays = self.retry_delays
            self._policy = TaskRunPolicy(
                retries=self.retries,
                retry_delay=delays[0] if len(delays) == 1 else list(delays) or 0,
                retry_jitter_factor=self.retry_jitter_factor,
            )
        return self._policy

    def settle_defaults(self, settings: Settings) -> None:
        """Fill in what was left to the settings, which are known when a run begins."""
        if self._settled_for is settings:
            return
        self._settled_for = settings
        retries, delay = self.options.get("retries"), self.options.get("retry_delay_seconds")
        self.plan_retries(
            settings.tasks_default_retries if retries is None else retries,
            settings.tasks_default_retry_delay_seconds if delay is None else delay,
        )

    @overload
    def __call__(
        self: Task[..., Coroutine[Any, Any, Any]], *args: Any, return_state: Literal[True], **kwargs: Any
    ) -> Coroutine[Any, Any, State]: ...

    @overload
    def __call__(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> State: ...

    @overload
    def __call__(self, *args: Any, wait_for: Awaited, **kwargs: Any) -> R_co: ...

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task here and return its value; its exception is raised.

        `return_state=True` returns the final state instead and raises nothing; `wait_for=[…]` names futures and states that
        must have completed first. A task that is a coroutine function returns a coroutine; one that is a generator returns a
        generator, whose iteration executes the run step by step. The run has completed when the generator is exhausted or
        closed. It is tried again only as long as no item of it has been given, and what it gives is not cached.
        """
        return task_calls.call_task(self, args, kwargs)

    def begin(self, parameters: dict[str, Any], wait_for: Awaited = None) -> RunningTask:
        """A run of the task, called from here, that has not begun yet."""
        return task_calls.begin_task(self, parameters, wait_for)

    @overload
    def submit(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> State: ...

    @overload
    def submit(
        self: Task[..., Coroutine[Any, Any, T]], *args: Any, return_state: Literal[False] = False, **kwargs: Any
    ) -> Future[T]: ...

    @overload
    def submit(
        self: Task[..., Generator[T, Any, Any]], *args: Any, return_state: Literal[False] = False, **kwargs: Any
    ) -> Future[list[T]]: ...

    @overload
    def submit(
        self: Task[..., AsyncGenerator[T, Any]], *args: Any, return_state: Literal[False] = False, **kwargs: Any
    ) -> Future[list[T]]: ...

    @overload
    def submit(self, *args: Any, return_state: Literal[False] = False, **kwargs: Any) -> Future[R_co]: ...

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task on the flow's task runner and return a future at once.

        Futures among the arguments are waited for before the task begins. The value of a generator is the list of its items.
        `return_state=True` waits for the end and returns the final state; `wait_for=[…]` as for a call.
        """
        return task_calls.submit_task(self, args, kwargs)

    @overload
    def map(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> list[State]: ...

    @overload
    def map(
        self: Task[..., Coroutine[Any, Any, T]], *args: Any, return_state: Literal[False] = False, **kwargs: Any
    ) -> FutureList[T]: ...

    @overload
    def map(
        self: Task[..., Generator[T, Any, Any]], *args: Any, return_state: Literal[False] = False, **kwargs: Any
    ) -> FutureList[list[T]]: ...

    @overload
    def map(
        self: Task[..., AsyncGenerator[T, Any]], *args: Any, return_state: Literal[False] = False, **kwargs: Any
    ) -> FutureList[list[T]]: ...

    @overload
    def map(self, *args: Any, return_state: Literal[False] = False, **kwargs: Any) -> FutureList[R_co]: ...

    def map(self, *args: Any, **kwargs: Any) -> Any:
        """Submit one run per item of the arguments that can be iterated, which must be equally long; return the futures.

        Texts, and arguments marked with `unmapped`, are given to every run as they are. Raises
        `MappingMissingIterable` when nothing can be iterated and `MappingLengthMismatch` when the lengths differ.
        """
        return task_calls.map_task(self, args, kwargs)

    def with_options(self, **options: Unpack[TaskOptions]) -> Self:
        """A task like this one with other options."""
        return type(self)(self._given, **{**self.options, **options})

    def on_completion(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run completes."""
        self.completion_hooks.append(hook)
        self.options["on_completion"] = self.completion_hooks
        return hook

    def on_failure(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run fails, its retries exhausted."""
        self.failure_hooks.append(hook)
        self.options["on_failure"] = self.failure_hooks
        return hook

    def on_running(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run begins to execute, each try anew."""
        self.running_hooks.append(hook)
        self.options["on_running"] = self.running_hooks
        return hook

    def on_commit(self, hook: TransactionHook) -> TransactionHook:
        """Add a hook that is told, with its transaction, when what a completed run did is committed."""
        self.commit_hooks.append(hook)
        self.options["on_commit"] = self.commit_hooks
        return hook

    def on_rollback(self, hook: TransactionHook) -> TransactionHook:
        """Add a hook that undoes, given its transaction, what a completed run did."""
        self.rollback_hooks.append(hook)
        self.options["on_rollback"] = self.rollback_hooks
        return hook

    def storage_key(self, parameters: Mapping[str, Any]) -> str:
        """The key of the task's own under which the value of a run with these parameters is kept."""
        assert self.result_storage_key is not None
        return render_run_name(self.result_storage_key, parameters, self.name)

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Task[P, R_co]: ...

    @overload
    def __get__(self: Task[Concatenate[S, Q], R_co], instance: S, owner: Any = None) -> Task[Q, R_co]: ...

    @overload
    def __get__(self, instance: Any, owner: Any = None) -> Task[P, R_co]: ...

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A task that is a method is bound like one."""
        method = bind_method(self._given, instance, owner)
        if method is None:
            return self
        return type(self)(method, **{**self.options, "name": self.name})

    def __reduce__(self) -> str | tuple[Any, ...]:
        return reduce_definition(self, self._given, dict(self.options))

    def __repr__(self) -> str:
        return f"<Task {self.name!r}>"
