"""What runs must know of the flow or task they are runs of.

Contexts, runs and lifecycles know definitions by these protocols: the classes stand above them and begin runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from headrace.engine.caching import CachePolicy
from headrace.engine.inputs import Awaited
from headrace.engine.naming import RunName
from headrace.engine.options import OnCrash
from headrace.engine.parameters import Signature
from headrace.engine.runner import TaskRunner
from headrace.engine.serializers import Serializer
from headrace.engine.transactions import TransactionHook
from headrace.schema.run import TaskRunPolicy
from headrace.schema.state import State

if TYPE_CHECKING:
    from headrace.base.settings import Settings
    from headrace.engine.deferring import Dependencies

Hook = Callable[[Any, Any, State], Any]
"""`hook(flow_or_task, run, state)`; may be a coroutine function."""


class Definition(Protocol):
    """What flows and tasks have in common."""

    name: str
    is_async: bool
    is_generator: bool
    signature: Signature
    log_prints: bool | None
    timeout_seconds: float | None
    persist_result: bool | None
    result_folder: Path | None
    result_serializer: Serializer | None
    cache_result_in_memory: bool
    running_hooks: list[Hook]

    @property
    def fn(self) -> Callable[..., Any]:
        """The user's function."""
        ...

    def settle_defaults(self, settings: Settings) -> None:
        """Fill in what was left to the settings, which are known when a run begins."""
        ...


class FlowDefinition(Definition, Protocol):
    """A flow, as its runs know it."""

    flow_key: str
    flow_run_name: RunName | None
    retries: int
    retry_delay_seconds: float
    validates_parameters: bool
    durable: bool | None
    on_crash: OnCrash | None
    max_resumes: int

    @property
    def task_runner(self) -> TaskRunner:
        """What submitted tasks are executed by."""
        ...

    @property
    def version(self) -> str | None:
        """The version given, or a digest of the file the flow stands in."""
        ...

    def hooks_for(self, state: State) -> Sequence[Hook]:
        """The hooks that are told of a final state."""
        ...


class TaskDefinition(Definition, Protocol):
    """A task, as its runs know it."""

    task_key: str
    task_run_name: RunName | None
    version: str | None
    tags: frozenset[str]
    sorted_tags: list[str]
    retries: int
    retry_delays: tuple[float, ...]
    retry_jitter_factor: float | None
    retry_condition_fn: Callable[[Any, Any, State], bool] | None
    caches: bool
    cache_policy: CachePolicy
    cache_expiration: timedelta | None
    refresh_cache: bool
    result_storage_key: RunName | None
    completion_hooks: list[Hook]
    failure_hooks: list[Hook]
    commit_hooks: list[TransactionHook]
    rollback_hooks: list[TransactionHook]
    durable: bool | None
    viz_return_value: Any

    @property
    def policy(self) -> TaskRunPolicy:
        """How a failed run is tried again, as it is recorded with each run."""
        ...

    def storage_key(self, parameters: Mapping[str, Any]) -> str:
        """The key of the task's own under which the value of a run with these parameters is kept."""
        ...


class Sketch(Protocol):
    """What takes calls instead of executing them, while a flow is drawn."""

    def call_flow(self, flow: FlowDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note the call of a subflow and return what stands for its value."""
        ...

    def call_task(self, task: TaskDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note the call of a task and return what stands for its value."""
        ...

    def submit_task(self, task: TaskDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note a submitted call and return a future of what stands for its value."""
        ...

    def defer_task(
        self, task: TaskDefinition, parameters: dict[str, Any], wait_for: Awaited, dependencies: Dependencies
    ) -> Any:
        """Note a deferred call, whose arguments are bound, and return a future of what stands for its value."""
        ...

    def map_task(self, task: TaskDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note the calls of a `map`, as one step, and return their futures."""
        ...
