"""Runs of generators: each case by script, as a task and as a flow, on a thread and in a loop; and what is beside them."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest

from headrace.base import errors
from headrace.base.clock import FrozenClock
from headrace.base.ids import uuid7
from headrace.cache_policies import INPUTS
from headrace.engine import iteration
from headrace.engine.commands import Lifecycle, Next, Outcome, emit, give, sleep
from headrace.engine.context import current, current_run, current_tags, tags
from headrace.engine.drivers import drive_items
from headrace.engine.flow_definition import Flow
from headrace.engine.flow_lifecycle import flow_lifecycle
from headrace.engine.flow_run import RunningFlow
from headrace.engine.loop import drive_items_async
from headrace.engine.outcomes import finish
from headrace.engine.session import close_session
from headrace.engine.task_definition import Task
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.schema.fact import TaskNameFact
from headrace.schema.run import TaskRunResult
from headrace.schema.state import TERMINAL, State, StateType
from headrace.testing import RecordingRun, RecordingSession, frozen_clock, play
from tests.unit.engine.conftest import Stage
from tests.unit.engine.item_cases import ITEM_CASES, InLoop, ItemCase, Recipe
from tests.unit.engine.recorder import Recorder
from tests.unit.engine.test_claimed import claim

COLOURS = pytest.mark.parametrize("asynchronous", [False, True], ids=["on a thread", "in a loop"])
KINDS = pytest.mark.parametrize("kind", [Task, Flow], ids=["task", "flow"])


def named(case: ItemCase) -> str:
    return case.name


def check(case: ItemCase, outcome: Outcome) -> None:
    if case.raises is None:
        assert outcome.error is None, outcome.error
    else:
        assert type(outcome.error) is case.raises, outcome
        assert case.says in str(outcome.error)


def paths(kind: Any, recorded: Recorder) -> list[list[str | None]]:
    return recorded.task_paths() if kind is Task else [recorded.path(run) for run in recorded.flow_runs()]


# the cases


@pytest.mark.parametrize("case", [case for case in ITEM_CASES if case.task_script is not None], ids=named)
def test_tasks_by_script(case: ItemCase, home: object) -> None:
    task = Task(Recipe(case).as_function(asynchronous=False), **case.options)
    run = RunningTask(RecordingSession(), task, {}, None)
    try:
        outcome = Outcome(finish(play(task_lifecycle(run), case.task_script or ())))
    except BaseException as error:  # noqa: BLE001 - interrupts are cases as well
        outcome = Outcome(None, error)
    if case.raises is not LookupError:  # a script throws what it throws
        check(case, outcome)


@pytest.mark.parametrize("case", [case for case in ITEM_CASES if case.flow_script is not None], ids=named)
def test_flows_by_script(case: ItemCase, home: object) -> None:
    flow = Flow(Recipe(case).as_function(asynchronous=False), **case.options)
    run = RunningFlow(RecordingSession(), flow, {}, None)
    try:
        outcome = Outcome(finish(play(flow_lifecycle(run), case.flow_script or ())))
    except BaseException as error:  # noqa: BLE001 - interrupts are cases as well
        outcome = Outcome(None, error)
    check(case, outcome)


@pytest.mark.parametrize("case", [case for case in ITEM_CASES if case.path or not case.executions], ids=named)
@COLOURS
@KINDS
def test_driven(case: ItemCase, asynchronous: bool, kind: Any, stage: Stage) -> None:
    if case.returns and asynchronous:
        return
    recipe = Recipe(case)
    definition = kind(recipe.as_function(asynchronous), **case.options)
    items: Any = InLoop(definition()) if asynchronous else definition()
    try:
        outcome = Outcome(case.takes(items))
    except BaseException as error:  # noqa: BLE001 - interrupts are cases as well
        outcome = Outcome(None, error)
    check(case, outcome)
    if case.raises is None:
        assert outcome.value == case.taken
    assert recipe.executions == recipe.closed == case.executions
    assert paths(kind, stage.settle()) == ([case.path.split()] if case.path else [])
    if asynchronous:
        items.runner.close()


@KINDS
def test_what_a_generator_returns_is_its_value(kind: Any, stage: Stage) -> None:
    def delegate() -> Generator[int, None, int]:
        inner: Generator[int, None, int] = kind(one_two)()
        return (yield from inner)

    def one_two() -> Generator[int, None, int]:
        yield 1
        yield 2
        return 3

    items: Any = kind(delegate)()
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(StopIteration) as end:
        next(items)
    assert end.value.value == 3


def test_the_return_value_is_kept(stage: Stage) -> None:
    def one() -> Generator[int, None, str]:
        yield 1
        return "done"

    session = stage.session
    assert list(Task(one, persist_result=True, result_storage_key="kept")()) == [1]
    assert session.results.read("kept") == "done"


def test_a_generator_that_nobody_keeps_is_closed(stage: Stage) -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    for _ in Task(endless)():
        break
    gc.collect()
    assert closed.is_set()
    assert stage.settle().task_paths() == [["Pending", "Running", "Completed"]]


def test_an_async_generator_that_nobody_keeps_is_closed_by_its_loop(stage: Stage) -> None:
    completed = asyncio.Event()

    async def endless() -> AsyncIterator[int]:
        while True:
            yield 1

    async def take_one() -> int:
        async for item in Task(endless, on_completion=[lambda task, run, state: completed.set()])():  # pyright: ignore[reportUnknownLambdaType]
            return item
        return 0

    async def main() -> None:
        assert await take_one() == 1
        gc.collect()
        await completed.wait()

    asyncio.run(main())
    assert stage.settle().task_paths() == [["Pending", "Running", "Completed"]]


# where items go


@COLOURS
def test_a_submitted_generator_resolves_to_its_items(asynchronous: bool, stage: Stage) -> None:
    attempts: list[int] = []

    def count(to: int) -> Iterator[Any]:
        attempts.append(to)
        for number in range(to):
            yield State(type=StateType.FAILED, message=str(number)) if number == 1 else number
            if len(attempts) == 1:
                raise LookupError("only once, and nobody has got anything yet")

    async def count_in_loop(to: int) -> AsyncIterator[Any]:
        for item in count(to):
            yield item

    task: Any = Task(count_in_loop if asynchronous else count, retries=1)
    zero, one, two = task.submit(3).result()
    assert (zero, one.message, two) == (0, "1", 2)
    assert attempts == [3, 3]
    assert task.map([0, 1]).result() == [[], [0]]


def test_items_that_were_submitted_for_are_cached_and_given_ones_are_not(stage: Stage) -> None:
    executed: list[int] = []

    def count(to: int) -> Iterator[int]:
        executed.append(to)
        yield from range(to)

    task = Task(count, cache_policy=INPUTS)
    assert [task.submit(3).result(), task.submit(3).result()] == [[0, 1, 2]] * 2
    assert executed == [3]
    assert [*task(3), *task(3)] == [0, 1, 2, 0, 1, 2]
    assert executed == [3, 3, 3]


@COLOURS
def test_a_claimed_run_of_a_generator_is_exhausted(asynchronous: bool, stage: Stage) -> None:
    taken: list[int] = []

    def count() -> Iterator[int]:
        for number in range(3):
            taken.append(number)
            yield number

    async def count_in_loop() -> AsyncIterator[int]:
        for number in count():
            yield number

    state = Flow(count_in_loop if asynchronous else count).execute(claim(stage))
    assert state.is_completed()
    assert taken == [0, 1, 2]


@KINDS
def test_a_generator_returns_no_state(kind: Any, stage: Stage) -> None:
    def one() -> Iterator[int]:
        yield 1

    with pytest.raises(errors.UsageError, match="'one' is a generator"):
        kind(one)(return_state=True)
    assert paths(kind, stage.settle()) == []


def test_where_items_came_from_is_recorded(stage: Stage) -> None:
    def lists() -> Iterator[list[int]]:
        yield [1]
        yield [2]

    def use(x: list[int]) -> int:
        return x[0]

    def main() -> int:
        return sum(Task(use)(item) for item in Task(lists)())

    assert Flow(main)() == 3
    recorded = stage.settle()
    made = next(fact for fact in recorded.task_runs() if fact.name.startswith("lists"))
    used = [fact.task_inputs["x"] for fact in recorded.task_runs() if fact.name.startswith("use")]
    assert used == [[TaskRunResult(id=made.id)]] * 2


# contexts


def test_what_runs_between_steps_is_part_of_the_run(stage: Stage) -> None:
    within: list[Any] = []
    outside: list[Any] = []

    def inner() -> str:
        return current_run().name

    def items() -> Iterator[str]:
        with tags("within"):
            for _ in range(2):
                within.append(current_run().flow_run_id)
                Task(inner)()
                yield "item"
        within.append(current_tags.get())

    outside += [(current.get(), current_tags.get()) for _ in Flow(items)()]
    outside.append((current.get(), current_tags.get()))
    recorded = stage.settle()
    (run,) = recorded.flow_runs()
    assert within == [run, run, frozenset()]
    assert [(made.flow_run_id, made.tags) for made in recorded.task_runs()] == [(run, ["within"])] * 2
    assert outside == [(None, frozenset())] * 3


def test_what_runs_between_async_steps_is_part_of_the_run(stage: Stage) -> None:
    within: list[Any] = []
    outside: list[Any] = []

    async def items() -> AsyncIterator[str]:
        with tags("within"):
            async with asyncio.timeout(60):  # belongs to the asyncio task in which it was entered
                for _ in range(2):
                    await asyncio.sleep(0)
                    within.append((current_run().flow_run_id, current_tags.get(), asyncio.current_task()))
                    yield "item"

    async def main() -> None:
        outside.extend([(current.get(), current_tags.get(), asyncio.current_task()) async for _ in Flow(items)()])

    asyncio.run(main())
    (run,) = stage.settle().flow_runs()
    task = outside[0][2]
    assert within == [(run, frozenset({"within"}), task)] * 2
    assert outside == [(None, frozenset(), task)] * 2


def test_a_cancellation_reaches_the_step_that_waits(stage: Stage) -> None:
    waiting = asyncio.Event()
    seen: list[BaseException] = []

    async def items() -> AsyncIterator[int]:
        yield 1
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            seen.append(error)
            raise

    async def take_all() -> None:
        async for _ in Task(items)():
            pass

    async def main() -> None:
        taking = asyncio.create_task(take_all())
        await waiting.wait()
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking

    asyncio.run(main())
    assert len(seen) == 1
    assert stage.settle().task_paths() == [["Pending", "Running", "Crashed"]]


# limits


def run_out(clock: FrozenClock, log: list[str]) -> Iterator[int]:
    try:
        for number in range(5):
            clock.advance(4)
            yield number
    finally:
        log.append("closed")


def test_the_limit_is_for_all_steps_together(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    taken: list[int] = []
    monkeypatch.setattr(iteration, "Next", unlimited)
    with frozen_clock() as clock:

        def items() -> Iterator[int]:
            yield from run_out(clock, log)

        run = RunningTask(RecordingSession(), Task(items, timeout_seconds=10), {}, None)
        items_of_run = drive_items(task_lifecycle(run), run, finish)
        for _ in range(2):
            taken.append(next(items_of_run))
            clock.advance(1000)  # the caller's time is not the run's
        with pytest.raises(errors.TaskRunTimeoutError, match="limit of 10 seconds"):
            next(items_of_run)
    assert taken == [0, 1]
    assert log == ["closed"]


def unlimited(steps: Any, value: Any = None, error: Any = None, timeout: Any = None) -> Any:
    """A step without a real limit beside the clock that stands still."""
    return Next(steps, value, error)


@pytest.mark.parametrize("in_thread", [False, True], ids=["on the main thread", "on another"])
def test_a_step_that_takes_too_long_is_interrupted(in_thread: bool, stage: Stage) -> None:
    def items() -> Iterator[int]:
        with tags("a"):
            yield 1
            yield 2
            while True:
                threading.Event().wait(0.01)

    def take_all() -> None:
        limited = Flow(items, timeout_seconds=0.5)()
        assert [next(limited), next(limited)] == [1, 2]
        with pytest.raises(errors.FlowRunTimeoutError):
            next(limited)
        done.append(True)

    done: list[bool] = []
    if in_thread:
        thread = threading.Thread(target=take_all)
        thread.start()
        thread.join()
    else:
        take_all()
    assert done
    recorded = stage.settle()
    assert recorded.path(recorded.flow_runs()[0]) == ["Pending", "Running", "TimedOut"]


def test_steps_of_a_coroutine_that_nobody_goes_on_with(home: object) -> None:
    closed: list[bool] = []

    def lifecycle() -> Lifecycle[None]:
        try:
            yield from sleep(3600)
        finally:
            closed.append(True)

    async def main() -> None:
        items = drive_items_async(lifecycle(), RecordingRun(), finish_with)
        step = items.asend(None)
        step.send(None)  # it waits now, and then its loop is gone
        with pytest.raises(GeneratorExit):
            step.throw(GeneratorExit())
        assert closed == [True]

    asyncio.run(main())


@COLOURS
def test_what_a_command_raises_is_thrown_in(asynchronous: bool, home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RecordingRun()

    def refuse(*_: Any) -> None:
        raise LookupError("no journal")

    def lifecycle() -> Lifecycle[str]:
        try:
            yield from emit(TaskNameFact(uuid7(), "x"))
        except LookupError as error:
            yield from give(str(error))
        return "end"

    monkeypatch.setattr(run.session, "emit", refuse)
    if asynchronous:
        items: Any = InLoop(drive_items_async(lifecycle(), run, finish_with))
        assert list(items) == ["no journal"]
        items.runner.close()
    else:
        assert list(drive_items(lifecycle(), run, finish_with)) == ["no journal"]


def finish_with(value: object) -> object:
    return value


# methods


def test_methods_of_every_sort(stage: Stage) -> None:
    for kind in (Task, Flow):
        check_methods(kind)


def check_methods(kind: Any) -> None:
    def scale(self: Any, x: int) -> int:
        return self.factor * x

    def make(cls: Any, x: int) -> Any:
        return cls.factor * x

    def plain(x: int) -> int:
        return x

    class Model:
        factor = 3
        scaled = kind(scale)
        made = kind(classmethod(make))
        made_outside = classmethod(kind(make))
        alone = kind(staticmethod(plain))
        alone_outside = staticmethod(kind(plain))
        renamed = kind(classmethod(make)).with_options(name="other")

    class Special(Model):
        factor = 5

    assert [Model().scaled(2), Special().scaled(2)] == [6, 10]
    for owner in (Model, Special, Model(), Special()):
        assert [owner.made(2), owner.made_outside(2), owner.renamed(2)] == [owner.factor * 2] * 3
        assert [owner.alone(2), owner.alone_outside(2)] == [2, 2]
    assert Model.renamed.name == "other"
    if kind is Task:
        assert [Special.made.submit(2).result(), Model.alone.submit(2).result()] == [10, 2]


def test_methods_of_a_class_need_no_docstring(stage: Stage) -> None:
    class Model:
        factor = 3

        @Task
        @classmethod
        def inside(cls, x: int) -> int:  # type: ignore[misc]
            return cls.factor * x

        @classmethod
        @Flow
        def outside(cls, x: int) -> int:
            return cls.factor * x

    model: Any = Model
    assert [model.inside(2), model().inside(2), model.outside(2)] == [6, 6, 6]


def test_async_and_generator_methods(stage: Stage) -> None:
    async def fetch(cls: Any, x: int) -> int:
        return cls.factor * x

    def count(x: int) -> Iterator[int]:
        yield from range(x)

    class Model:
        factor = 3
        fetched: Any = Task(classmethod(fetch))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
        counted: Any = Flow(staticmethod(count))

    assert asyncio.run(Model.fetched(2)) == 6
    assert list(Model().counted(2)) == [0, 1]


# the end of the process


def test_generators_that_are_left_are_closed_with_the_session(stage: Stage) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    def stubborn() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise LookupError("not even now")

    items = [Task(endless)(), Flow(endless)(), Task(stubborn)(), Task(endless)()]
    assert [next(each) for each in items[:3]] == [1, 1, 1]
    close_session()
    recorded = stage.recorder
    ends = [fact.state.name for fact in recorded.task_states() if fact.state.type in TERMINAL]
    assert sorted(ends) == ["Completed", "Failed"]
    assert [proposal.state.type for proposal in recorded.proposals] == [StateType.RUNNING, StateType.COMPLETED]
