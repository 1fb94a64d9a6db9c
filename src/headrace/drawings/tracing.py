"""Finding out what a flow consists of: its own code runs, its tasks and subflows do not."""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NoReturn, cast
from uuid import UUID

from headrace.base import errors
from headrace.base.errors import FlowVisualizationError
from headrace.base.ids import uuid7
from headrace.base.settings import load_settings
from headrace.drawings.graph import Graph, Need, Step
from headrace.drawings.unknown import Unknown, sources_of
from headrace.engine.context import FlowContext, current, current_sketch
from headrace.engine.futures import Annotation, Future, FutureList
from headrace.engine.inputs import Awaited, list_awaited
from headrace.engine.lineage import Lineage
from headrace.engine.logs import describe_error
from headrace.engine.mapping import spread
from headrace.engine.results import Result
from headrace.engine.session import Session, current_session
from headrace.schema.fact import Fact
from headrace.schema.run import FlowRun, TaskRunResult
from headrace.schema.state import State, StateDetails, StateType

if TYPE_CHECKING:
    from headrace.engine.deferring import Dependencies
    from headrace.engine.definitions import FlowDefinition, TaskDefinition
    from headrace.gateway.execution import Execution


def trace(flow: FlowDefinition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Graph:
    """Call the flow's function with these arguments, noting what it calls; return the steps it takes.

    Parameters that are given no value have none that its code may look at. An asynchronous flow runs in a loop of its
    own. Raises `FlowVisualizationError` in one line for a flow whose code looks at values that are not known, or fails.
    """
    sketch = Sketch(flow)
    positional, named = flow.signature.call_arguments(_bind(flow, args, kwargs))
    context = copy_context()
    try:
        context.run(sketch.enter)
        if flow.is_async:
            _run_beside(lambda: context.run(_run_loop, flow, positional, named))
        else:
            context.run(_exhaust, flow, positional, named)
    except FlowVisualizationError as error:
        raise FlowVisualizationError(f"Flow {flow.name!r} cannot be drawn: {error}") from None
    except Exception as error:
        raise FlowVisualizationError(
            f"Flow {flow.name!r} cannot be drawn: its own code raised {describe_error(error).rstrip('.')}. Where it uses what "
            "a task would have returned, give that task a viz_return_value."
        ) from error
    return sketch.finish()


def _exhaust(flow: FlowDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    made = flow.fn(*args, **kwargs)
    if flow.is_generator:
        for _ in made:
            pass


def _run_loop(flow: FlowDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    import asyncio

    async def run() -> None:
        made = flow.fn(*args, **kwargs)
        if flow.is_generator:
            async for _ in made:
                pass
        else:
            await made

    asyncio.run(run())


def _run_beside(work: Any) -> None:
    """Do it on a thread of its own, since a loop may be running here; raise what it raises."""
    raised: list[BaseException] = []

    def perform() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised to whoever asked
            raised.append(error)

    thread = threading.Thread(target=perform, name="headrace-drawing", daemon=True)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _bind(flow: FlowDefinition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the flow, checked; what stands for those that have no value."""
    signature = flow.signature.signature
    try:
        bound = signature.bind_partial(*args, **kwargs)
    except TypeError as error:
        raise errors.ParameterBindError(f"{flow.name}{signature} cannot be called like this: {error}.") from None
    bound.apply_defaults()
    given = flow.signature.validate(dict(bound.arguments)) if flow.validates_parameters else bound.arguments
    missing = {
        name: Unknown(f"its parameter {name!r}", f"Give {name} a value.")
        for name in signature.parameters
        if name not in given
    }
    return {**given, **missing}


class Sketch:
    """The calls a flow makes, taken in place of their execution."""

    def __init__(self, flow: FlowDefinition) -> None:
        self._flow = flow
        self._steps: list[Step] = []
        self._places: dict[UUID, int] = {}
        self._lineage = Lineage()
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Take calls that are made in this context from now on."""
        record = FlowRun(id=uuid7(), flow_id=uuid7(), name=f"drawing of {self._flow.name}")
        current.set(FlowContext(_Bystander(), self._flow, record, {}, log_prints=False, persist_result=False))
        current_sketch.set(self)

    def finish(self) -> Graph:
        """The steps taken: several calls of one name are told apart by their numbers."""
        counts: dict[str, int] = {}
        names = [step.name for step in self._steps]
        steps: list[Step] = []
        for step in self._steps:
            number = counts[step.name] = counts.get(step.name, 0) + 1
            name = f"{step.name}-{number}" if names.count(step.name) > 1 else step.name
            steps.append(Step(name, step.is_flow, step.many, step.needs))
        return Graph(self._flow.name, tuple(steps))

    def call_flow(self, flow: FlowDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note the call of a subflow and return what stands for its value."""
        return_state, wait_for = kwargs.pop("return_state", False), kwargs.pop("wait_for", None)
        step = self._note(flow.name, flow.signature.bind(args, kwargs).values(), wait_for, is_flow=True)
        value = Unknown(
            f"the value of subflow {flow.name!r}", "What a subflow gives can only be passed on.", frozenset([step])
        )
        return self._give(flow, step, value, return_state)

    def call_task(self, task: TaskDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note the call of a task and return what stands for its value."""
        return_state, wait_for = kwargs.pop("return_state", False), kwargs.pop("wait_for", None)
        step = self._note(task.name, task.signature.bind(args, kwargs).values(), wait_for)
        return self._give(task, step, self._value_of(task, step), return_state)

    def submit_task(self, task: TaskDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note a submitted call and return a future of what stands for its value."""
        return_state, wait_for = kwargs.pop("return_state", False), kwargs.pop("wait_for", None)
        step = self._note(task.name, task.signature.bind(args, kwargs).values(), wait_for)
        future = self._future_of(task, step)
        return future.state if return_state else future

    def defer_task(
        self, task: TaskDefinition, parameters: dict[str, Any], wait_for: Awaited, dependencies: Dependencies
    ) -> Any:
        """Note a deferred call, whose arguments are bound, and return a future of what stands for its value."""
        more = [list(each) for each in (dependencies or {}).values()]
        return self._future_of(task, self._note(task.name, [*parameters.values(), *more], wait_for))

    def map_task(self, task: TaskDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note the calls of a `map`, as one step, and return their futures: one where their number is not known."""
        return_state, wait_for = kwargs.pop("return_state", False), kwargs.pop("wait_for", None)
        try:
            calls = len(spread(task.signature, task.name, args, kwargs))
            many = str(calls)
        except FlowVisualizationError:
            calls, many = 1, "n"
        step = self._note(task.name, [*args, *kwargs.values()], wait_for, many=many)
        futures = FutureList(self._future_of(task, step) for _ in range(calls))
        return [future.state for future in futures] if return_state else futures

    def _note(
        self, name: str, given: Iterable[Any], wait_for: Any, is_flow: bool = False, many: str | None = None
    ) -> UUID:
        with self._lock:
            values = self._find_sources(list(given))
            waits = [source for source in self._find_sources(list_awaited(wait_for)) if source not in values]
            needs = [Need(self._places[source]) for source in values]
            needs += [Need(self._places[source], waits=True) for source in waits]
            made = uuid7()
            self._places[made] = len(self._steps)
            self._steps.append(Step(name, is_flow, many, tuple(needs)))
            return made

    def _find_sources(self, values: Any) -> list[UUID]:
        """The steps that the values came from, each once."""
        found: dict[UUID, None] = {}
        seen: set[int] = set()
        waiting: deque[Any] = deque([values])
        while waiting:
            value: Any = waiting.popleft()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, Unknown):
                found.update(dict.fromkeys(sorted(sources_of(value))))
            elif isinstance(value, Future):
                found[cast("Future[Any]", value).task_run_id] = None
            elif isinstance(value, State):
                found[value.state_details.task_run_id or UUID(int=0)] = None
            elif isinstance(value, TaskRunResult):
                found[value.id] = None
            elif isinstance(value, Annotation):
                waiting.append(cast("Annotation[Any]", value).value)
            elif (origin := self._lineage.origin(value)) is not None:
                found[origin] = None
            elif isinstance(value, Mapping):
                waiting += cast("Mapping[Any, Any]", value).values()
            elif isinstance(value, (list, tuple, set, frozenset)):
                waiting += cast("list[Any]", value)
        return sorted((source for source in found if source in self._places), key=self._places.__getitem__)

    def _value_of(self, task: TaskDefinition, step: UUID) -> Any:
        if task.viz_return_value is None:
            advice = f"Give the task {task.name!r} a viz_return_value."
            return Unknown(f"the value of task {task.name!r}", advice, frozenset([step]))
        value = task.viz_return_value
        with suppress(Exception):  # so that what this call gives is told from what others of the task do
            value = copy.copy(value)
        self._lineage.record(value, step)
        return value

    def _future_of(self, task: TaskDefinition, step: UUID) -> Future[Any]:
        value = self._value_of(task, step)
        future: Future[Any] = Future(step, task.name)
        future.end(_completed(step, [value] if task.is_generator and isinstance(value, Unknown) else value))
        return future

    def _give(self, definition: FlowDefinition | TaskDefinition, step: UUID, value: Any, return_state: bool) -> Any:
        """What the call gives: the value or a state, awaited or gone through if the definition is such."""
        if definition.is_generator:
            items = [value] if isinstance(value, Unknown) else value
            return _iterate_async(items) if definition.is_async else _iterate(items)
        given = _completed(step, value) if return_state else value
        return _answer(given) if definition.is_async else given


def _completed(step: UUID, value: Any) -> State:
    return State(type=StateType.COMPLETED, data=Result(value), state_details=StateDetails(task_run_id=step))


async def _answer(value: Any) -> Any:
    return value


def _iterate(items: Any) -> Generator[Any, None, None]:
    yield from items


async def _iterate_async(items: Any) -> AsyncGenerator[Any, None]:
    for item in items:
        yield item


class _Bystander(Session):
    """The session of a flow that is drawn: it may look at what there is, and nothing is recorded."""

    def __init__(self) -> None:
        super().__init__(
            cast("Execution", _NoOrchestrator()), load_settings(), lambda: current_session().administration
        )

    def emit(self, fact: Fact, durable: bool = False) -> None:
        """Drop it."""


class _NoOrchestrator:
    """Refuses whatever it is asked, with the first thing that it was asked."""

    def __init__(self) -> None:
        self._refusal: FlowVisualizationError | None = None

    def __getattr__(self, verb: str) -> Callable[..., NoReturn]:
        def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
            self._refusal = self._refusal or FlowVisualizationError(
                f"its own code asks the orchestrator ({verb}), which only a run can do."
            )
            raise self._refusal

        return refuse
