"""Flows: functions whose runs are recorded, retried, and observed as a whole."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import update_wrapper
from os import PathLike
from typing import Any, Generic, Literal, ParamSpec, Self, TypedDict, TypeVar, Unpack, overload

from headrace.base import errors
from headrace.engine.context import current, current_sketch
from headrace.engine.definitions import Hook
from headrace.engine.drivers import drive_items, drive_sync
from headrace.engine.flow_lifecycle import flow_lifecycle
from headrace.engine.flow_run import ClaimedFlow, RunningFlow
from headrace.engine.forks import is_being_spawned
from headrace.engine.inputs import Awaited
from headrace.engine.iteration import Iteration, Sink
from headrace.engine.kinds import bind_method, is_async, is_generator, unwrap_method
from headrace.engine.naming import RunName, check_run_name
from headrace.engine.options import OnCrash, check_count, check_on_crash, check_texts, check_timeout, collect_hooks
from headrace.engine.parameters import Signature
from headrace.engine.recorded import recall
from headrace.engine.references import reduce_definition
from headrace.engine.results import find_folder
from headrace.engine.runner import TaskRunner
from headrace.engine.runners.threads import ThreadPoolTaskRunner
from headrace.engine.serializers import Serializer, find_serializer
from headrace.engine.session import Session, current_session
from headrace.engine.sources import describe, doc_of, key_of, version_of
from headrace.engine.task_definition import finish
from headrace.rules.retries import LONGEST_DELAY
from headrace.schema.orchestration import Claim
from headrace.schema.run import FlowRun
from headrace.schema.state import State, StateType

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
_HOOK_OPTIONS: dict[StateType, _HookOption] = {
    StateType.COMPLETED: "on_completion",
    StateType.FAILED: "on_failure",
    StateType.CANCELLED: "on_cancellation",
    StateType.CRASHED: "on_crashed",
}


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
        self.task_runner: TaskRunner = runner() if isinstance(runner, type) else runner or ThreadPoolTaskRunner()
        if not isinstance(self.task_runner, TaskRunner):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
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
        self._final_hooks: dict[StateType, list[Hook]] = {
            kind: collect_hooks(whose, name, option(name)) for kind, name in _HOOK_OPTIONS.items()
        }

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
        sketch = current_sketch.get()
        if sketch is not None:
            return sketch.call_flow(self, args, kwargs)
        return_state, wait_for = bool(kwargs.pop("return_state", False)), kwargs.pop("wait_for", None)
        run = self.begin(self.signature.bind(args, kwargs), wait_for)
        if self.is_generator:
            return self._iterate(run, return_state)
        if self.is_async:
            return self._run_async(run, return_state)
        return finish(drive_sync(flow_lifecycle(run), run), return_state)

    def begin(self, parameters: dict[str, Any], wait_for: Awaited = None) -> RunningFlow:
        """A run of the flow, called from here, that has not begun yet."""
        if is_being_spawned():
            raise errors.UsageError(
                f"Flow {self.name!r} is called while a process that the script has started loads the script again: call it "
                f"below `if __name__ == '__main__':`."
            )
        session = current_session()
        self._settle_defaults(session)
        return RunningFlow(session, self, parameters, current.get(), wait_for)

    def execute(self, claim: Claim) -> State:
        """Execute a run that the orchestrator has made and this process has claimed; return its final state.

        What ends the run from outside (SystemExit, KeyboardInterrupt) crashes it and is raised.
        """
        session = current_session()
        self._settle_defaults(session)
        return self._drive(ClaimedFlow(session, self, claim))

    def replay(self, record: FlowRun) -> State:
        """Execute a copy of a run that has ended; return its final state.

        What the run has finished is restored and not executed again; the run itself stays as it is.
        """
        session = current_session()
        self._settle_defaults(session)
        run = RunningFlow(session, self, self.signature.rebind(recall(session, record.id, record.parameters)), None)
        run.replay(record.id)
        return self._drive(run)

    def _drive(self, run: RunningFlow) -> State:
        """Execute a run that nobody takes the items of, in a loop of its own where it needs one."""
        if self.is_generator:
            run.iteration = Iteration(Sink.NOWHERE)
        if not self.is_async:
            return drive_sync(flow_lifecycle(run), run)
        import asyncio

        from headrace.engine.loop import drive_async

        return asyncio.run(drive_async(flow_lifecycle(run), run))

    def _iterate(self, run: RunningFlow, return_state: bool) -> Any:
        if return_state:
            raise errors.UsageError(
                f"Flow {self.name!r} is a generator: what a call gives are its items, so it cannot return a state."
            )
        if not self.is_async:
            items = drive_items(flow_lifecycle(run), run, finish)
            run.session.iterations.add(items)
            return items
        from headrace.engine.loop import drive_items_async

        return drive_items_async(flow_lifecycle(run), run, finish)

    async def _run_async(self, run: RunningFlow, return_state: bool) -> Any:
        from headrace.engine.loop import drive_async

        return finish(await drive_async(flow_lifecycle(run), run), return_state)

    def _settle_defaults(self, session: Session) -> None:
        """Fill in what was left to the settings."""
        if self.options.get("retries") is None:
            self.retries = session.settings.flows_default_retries
        if self.options.get("retry_delay_seconds") is None:
            self.retry_delay_seconds = session.settings.flows_default_retry_delay_seconds

    def hooks_for(self, state: State) -> list[Hook]:
        """The hooks that are told of a final state."""
        return self._final_hooks.get(state.type, [])

    def on_completion(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run completes."""
        return self._add_hook(StateType.COMPLETED, hook)

    def on_failure(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run fails, its retries exhausted."""
        return self._add_hook(StateType.FAILED, hook)

    def on_cancellation(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run is cancelled."""
        return self._add_hook(StateType.CANCELLED, hook)

    def on_crashed(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run is interrupted."""
        return self._add_hook(StateType.CRASHED, hook)

    def on_running(self, hook: Hook) -> Hook:
        """Add a hook that is told when a run begins to execute, each try anew."""
        self.running_hooks.append(hook)
        self.options["on_running"] = self.running_hooks
        return hook

    def _add_hook(self, kind: StateType, hook: Hook) -> Hook:
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
