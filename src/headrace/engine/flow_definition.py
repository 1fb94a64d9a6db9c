"""Flows: functions whose runs are recorded, retried, and observed as a whole.

A definition is data: what executes its calls is in `flow_calls`, which the first of them loads.
"""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, Self, TypedDict, TypeVar, Unpack, overload

from headrace.base import errors
from headrace.engine.doors import Door
from headrace.engine.kinds import bind_method, is_async, is_generator, unwrap_method
from headrace.engine.naming import RunName, check_run_name
from headrace.engine.options import (
    OnCrash,
    check_count,
    check_on_crash,
    check_texts,
    check_timeout,
    collect_hooks,
    find_folder,
)
from headrace.engine.parameters import Signature
from headrace.engine.references import reduce_definition
from headrace.engine.runner import TaskRunner
from headrace.engine.serializers import Serializer, find_serializer
from headrace.engine.sources import describe, doc_of, key_of, version_of
from headrace.rules.retries import LONGEST_DELAY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from os import PathLike

    from headrace.base.settings import Settings
    from headrace.engine import flow_calls
    from headrace.engine.definitions import Hook
    from headrace.engine.inputs import Awaited
    from headrace.schema.orchestration import Claim
    from headrace.schema.run import FlowRun
    from headrace.schema.state import State
else:
    flow_calls = Door("headrace.engine.flow_calls")

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)

FORBIDDEN = "/%&><"

MAX_RESUMES = 3
"""How often a run is resumed after a crash, unless its flow says otherwise."""


class FlowOptions(TypedDict, total=False):
    """The options of a flow; the `flow` decorator says what each means."""

    name: str | None
    version: str | None
    flow_run_name: RunName | None
    description: str | None
    retries: int | None
    retry_delay_seconds: float | None
    timeout_seconds: float | None
    validate_parameters: bool
    task_runner: TaskRunner | type[TaskRunner] | None
    persist_result: bool | None
    result_storage: PathLike[str] | str | None
    result_serializer: Serializer | str | None
    cache_result_in_memory: bool
    log_prints: bool | None
    durable: bool | None
    on_crash: OnCrash | None
    max_resumes: int
    on_completion: Sequence[Hook] | None
    on_failure: Sequence[Hook] | None
    on_cancellation: Sequence[Hook] | None
    on_crashed: Sequence[Hook] | None
    on_running: Sequence[Hook] | None


_HookOption = Literal["on_completion", "on_failure", "on_cancellation", "on_crashed"]
_HOOK_OPTIONS: dict[str, _HookOption] = {
    "COMPLETED": "on_completion",
    "FAILED": "on_failure",
    "CANCELLED": "on_cancellation",
    "CRASHED": "on_crashed",
}
"""The option that names the hooks of each type of state."""


class Flow(Generic[P, R_co]):
    """A function whose calls are flow runs. Made by the `flow` decorator, which documents the options."""

    def __init__(self, fn: Callable[P, R_co], **options: Unpack[FlowOptions]) -> None:
        self._given: Any = fn
        fn = unwrap_method(fn)
        if not callable(fn):
            raise errors.UsageError(f"@flow needs a function, not {fn!r}.")
        unknown = options.keys() - FlowOptions.__annotations__.keys()
        if unknown:
            raise errors.UsageError(f"@flow has no option {min(unknown)!r}.")
        self.options = options
        self.fn = fn
        self.is_async, self.is_generator = is_async(fn), is_generator(fn)
        update_wrapper(self, fn)
        option = options.get
        self.name = option("name") or describe(fn).replace("_", "-")
        check_texts(f"Flow {self.name!r}", name=self.name, version=option("version"))
        if any(character in self.name for character in FORBIDDEN):
            raise errors.InvalidNameError(
                f"A flow cannot be called {self.name!r}: none of {' '.join(FORBIDDEN)} may be in its name."
            )
        self.description = option("description") or doc_of(fn)
        self.flow_key = key_of(fn)
        self.signature = Signature(fn, self.name)
        self.flow_run_name = option("flow_run_name")
        check_run_name(self.flow_run_name, self.name)
        self.retries = option("retries") or 0
        self.retry_delay_seconds = float(option("retry_delay_seconds") or 0)
        if self.retries < 0 or self.retry_delay_seconds < 0:
            raise errors.UsageError(f"Flow {self.name!r}: neither retries nor retry_delay_seconds can be negative.")
        if not self.retry_delay_seconds <= LONGEST_DELAY:
            raise errors.UsageError(
                f"Flow {self.name!r}: retry_delay_seconds must be a number of seconds, {LONGEST_DELAY:g} at most."
            )
        self.timeout_seconds = check_timeout(f"Flow {self.name!r}", option("timeout_seconds"))
        self.validates_parameters = option("validate_parameters", True)
        runner = option("task_runner")
        self._task_runner: TaskRunner | None = runner() if isinstance(runner, type) else runner
        if not isinstance(self._task_runner, (TaskRunner, type(None))):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
            raise errors.UsageError(f"Flow {self.name!r}: task_runner must be a TaskRunner, not {runner!r}.")
        self.persist_result = option("persist_result")
        self.result_folder = find_folder(option("result_storage"))
        self.result_serializer = find_serializer(option("result_serializer"))
        self.cache_result_in_memory = option("cache_result_in_memory", True)
        self.log_prints = option("log_prints")
        whose = f"Flow {self.name!r}"
        self.durable = option("durable")
        self.on_crash: OnCrash | None = check_on_crash(whose, option("on_crash"))
        self.max_resumes = check_count(f"{whose}: max_resumes", option("max_resumes", MAX_RESUMES))
        self.running_hooks = collect_hooks(whose, "on_running", option("on_running"))
        self._final_hooks: dict[str, list[Hook]] = {
            kind: collect_hooks(whose, name, option(name)) for kind, name in _HOOK_OPTIONS.items()
        }

    @property
    def task_runner(self) -> TaskRunner:
        """What submitted tasks are executed by: threads, unless another one was chosen."""
        if self._task_runner is None:
            from headrace.engine.runners.threads import ThreadPoolTaskRunner

            self._task_runner = ThreadPoolTaskRunner()
        return self._task_runner

    @task_runner.setter
    def task_runner(self, chosen: TaskRunner) -> None:
        self._task_runner = chosen

    @property
    def version(self) -> str | None:
        """The version given, or a digest of the file the flow stands in."""
        version = self.options.get("version")
        return version if version is not None else version_of(self.fn)

    @overload
    def __call__(
        self: Flow[..., Coroutine[Any, Any, Any]], *args: Any, return_state: Literal[True], **kwargs: Any
    ) -> Coroutine[Any, Any, State]: ...

    @overload
    def __call__(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> State: ...

    @overload
    def __call__(self, *args: Any, wait_for: Awaited, **kwargs: Any) -> R_co: ...

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow here and return its value; its exception is raised.

        `return_state=True` returns the final state instead and raises nothing; `wait_for=[…]` names futures and states that
        must have completed first. Called within another flow it is a subflow. A flow that is a coroutine function returns
        a coroutine; one that is a generator returns a generator, whose iteration executes the run step by step. The run has
        completed when the generator is exhausted or closed, and is tried again only as long as no item of it has been given.
        """
        return flow_calls.call_flow(self, args, kwargs)

    def execute(self, claim: Claim) -> State:
        """Execute a run that the orchestrator has made and this process has claimed; return its final state.

        What ends the run from outside (SystemExit, KeyboardInterrupt) crashes it and is raised.
        """
        return flow_calls.execute_claim(self, claim)

    def replay(self, record: FlowRun) -> State:
        """Execute a copy of a run that has ended; return its final state.

        What the run has finished is restored and not executed again; the run itself stays as it is.
        """
        return flow_calls.replay_run(self, record)

    def settle_defaults(self, settings: Settings) -> None:
        """Fill in what was left to the settings, which are known when a run begins."""
        if self.options.get("retries") is None:
            self.retries = settings.flows_default_retries
        if self.options.get("retry_delay_seconds") is None:
            self.retry_delay_seconds = settings.flows_default_retry_delay_seconds

    def hooks_for(self, state: State) -> list[Hook]:
        """The hooks that are told of a final state."""
        return self._final_hooks.get(state.type, [])

    def on_completion(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run completes."""
        return self._add_hook("COMPLETED", hook)

    def on_failure(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run fails, its retries exhausted."""
        return self._add_hook("FAILED", hook)

    def on_cancellation(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run is cancelled."""
        return self._add_hook("CANCELLED", hook)

    def on_crashed(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run is interrupted."""
        return self._add_hook("CRASHED", hook)

    def on_running(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run begins to execute, each try anew."""
        self.running_hooks.append(hook)
        self.options["on_running"] = self.running_hooks
        return hook

    def _add_hook(self, kind: str, hook: Hook) -> Hook:
        hooks = self._final_hooks[kind]
        hooks.append(hook)
        self.options[_HOOK_OPTIONS[kind]] = hooks
        return hook

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters as the annotations ask for them. Raises `ParameterTypeError` naming each that does not fit."""
        return self.signature.validate(parameters)

    def with_options(self, **options: Unpack[FlowOptions]) -> Self:
        """A flow like this one with other options."""
        return type(self)(self._given, **{**self.options, **options})

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A flow that is a method is bound like one."""
        method = bind_method(self._given, instance, owner)
        if method is None:
            return self
        return type(self)(method, **{**self.options, "name": self.name})

    def __reduce__(self) -> str | tuple[Any, ...]:
        return reduce_definition(self, self._given, dict(self.options))

    def __repr__(self) -> str:
        return f"<Flow {self.name!r}>"
