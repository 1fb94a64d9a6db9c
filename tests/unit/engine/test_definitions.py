"""Tasks and flows as people define and call them."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest

from headrace.base import errors
from headrace.base.ids import state_id
from headrace.cache_policies import INPUTS, NO_CACHE
from headrace.engine import flow_run, submissions, task_run
from headrace.engine.context import current, current_flow_run, tags
from headrace.engine.flow_definition import Flow
from headrace.engine.flow_run import RunningFlow
from headrace.engine.futures import Future, unmapped
from headrace.engine.recorded import PARAMETER_LIMIT, recordable
from headrace.engine.runner import TaskRunner, Work
from headrace.engine.runners.threads import ThreadPoolTaskRunner
from headrace.engine.task_definition import Task
from headrace.engine.task_run import RunningTask
from headrace.rules.transitions import ROLLED_BACK
from headrace.schema.orchestration import Decision, Verb
from headrace.schema.run import TaskRun, TaskRunResult
from headrace.schema.state import State, StateType
from headrace.testing import RecordingSession
from tests.unit.engine.conftest import Stage


def double(x: int = 1) -> int:
    """Twice as much."""
    return 2 * x


def nothing(*_: Any) -> None:
    pass


# what a definition says of itself


def test_a_task_is_called_like_its_function() -> None:
    task = Task(double)
    assert (task.name, task.description, task.__doc__) == ("double", "Twice as much.", "Twice as much.")
    assert task.task_key.startswith("double-")
    assert repr(task) == "<Task 'double'>"
    assert task.fn is double


def test_a_flow_is_called_like_its_function_with_dashes() -> None:
    def train_best_model() -> None:
        """Find it."""

    flow = Flow(train_best_model)
    assert (flow.name, flow.description) == ("train-best-model", "Find it.")
    assert repr(flow) == "<Flow 'train-best-model'>"
    assert flow.version is not None
    assert Flow(train_best_model, version="7").version == "7"


@pytest.mark.parametrize("kind", [Task, Flow])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"retires": 3}, "has no option 'retires'"),
        ({"retries": -1}, "can be negative"),
        ({"result_serializer": "yaml"}, "no serializer 'yaml'"),
        ({"on_completion": print}, "on_completion must be a list of functions, not <built-in function print>"),
        ({"on_failure": "tell"}, "on_failure must be a list of functions, not 'tell'"),
        ({"on_running": 5}, "on_running must be a list of functions, not 5"),
        ({"on_running": [print, "tell"]}, "on_running must be functions, and 'tell' is none"),
    ],
)
def test_options_that_cannot_be(kind: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(errors.UsageError, match=says):
        kind(double, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"retry_condition_fn": 5}, "retry_condition_fn must be a function"),
        ({"retry_jitter_factor": -0.5}, "can be negative"),
        ({"retry_delay_seconds": -1}, "cannot be negative"),
        ({"retries": 1, "retry_delay_seconds": [1] * 51}, "50 are the most"),
        ({"cache_policy": INPUTS, "cache_key_fn": nothing}, "give one of them"),
        ({"task_run_name": 5}, "must be a template or a function, not int"),
    ],
)
def test_options_that_a_task_cannot_have(options: dict[str, Any], says: str) -> None:
    with pytest.raises(errors.UsageError, match=says):
        Task(double, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"retry_delay_seconds": -1}, "can be negative"),
        ({"on_crash": "explode"}, 'on_crash must be "resume" or "fail", not \'explode\''),
        ({"max_resumes": -1}, "max_resumes must be a whole number, 0 or more, not -1"),
        ({"max_resumes": 1.5}, "max_resumes must be a whole number, 0 or more, not 1.5"),
        ({"max_resumes": True}, "max_resumes must be a whole number, 0 or more, not True"),
        ({"flow_run_name": 5}, "must be a template or a function, not int"),
    ],
)
def test_options_that_a_flow_cannot_have(options: dict[str, Any], says: str) -> None:
    with pytest.raises(errors.UsageError, match=says):
        Flow(double, **options)


def test_a_flow_has_a_name_that_can_stand_in_a_path() -> None:
    with pytest.raises(errors.InvalidNameError, match="cannot be called 'a/b'"):
        Flow(double, name="a/b")


@pytest.mark.parametrize(("kind", "says"), [(Task, "@task needs a function, not 5"), (Flow, "@flow needs a function")])
def test_what_is_no_function_is_refused(kind: Any, says: str) -> None:
    with pytest.raises(errors.UsageError, match=says):
        kind(5)


def test_a_number_of_delays_is_shown_as_people_wrote_it() -> None:
    assert Task(double).policy.retry_delay == 0
    assert Task(double, retries=2, retry_delay_seconds=3).policy.retry_delay == 3
    assert Task(double, retries=2, retry_delay_seconds=[1, 2]).policy.retry_delay == [1, 2]


def test_a_flow_may_be_given_another_task_runner_later() -> None:
    chosen = ThreadPoolTaskRunner(2)
    flow = Flow(double)
    default = flow.task_runner
    assert isinstance(default, ThreadPoolTaskRunner)
    assert flow.task_runner is default
    flow.task_runner = chosen
    assert flow.task_runner is chosen is Flow(double, task_runner=chosen).task_runner


def test_a_flow_can_check_parameters_without_a_run() -> None:
    assert Flow(double).validate_parameters({"x": "5"}) == {"x": 5}
    with pytest.raises(errors.ParameterTypeError):
        Flow(double).validate_parameters({"x": "five"})


# with other options, and as methods


@pytest.mark.parametrize("kind", [Task, Flow])
def test_with_options_keeps_the_others_and_the_hooks_that_were_added(kind: Any, stage: Stage) -> None:
    told: list[str] = []

    def tell(_definition: Any, _run: Any, state: State) -> None:
        told.append(str(state.name))

    first = kind(double, retries=2)
    for add in (first.on_running, first.on_completion, first.on_failure):
        assert add(tell) is tell
    second = first.with_options(name="twice")
    assert (second.name, second.retries) == ("twice", 2)
    assert second(4) == 8
    assert told == ["Running", "Completed"]


def test_hooks_of_a_flow_can_be_added_for_every_end(stage: Stage) -> None:
    told: list[str] = []

    def tell(_definition: Any, _run: Any, state: State) -> None:
        told.append(str(state.name))

    def leave() -> None:
        raise SystemExit(1)

    flow = Flow(leave)
    flow.on_crashed(tell)
    flow.on_cancellation(tell)
    with pytest.raises(SystemExit):
        flow()
    assert told == ["Crashed"]


def test_methods_are_bound(stage: Stage) -> None:
    class Model:
        factor = 3

        def scale(self, x: int) -> int:
            return self.factor * x

        times = Task(scale)
        train = Flow(scale, name="train it")

        @staticmethod
        def plain(x: int) -> int:
            return x

        alone = Task(plain)

    assert isinstance(Model.times, Task)
    assert isinstance(Model.train, Flow)
    model = Model()
    assert model.times(2) == 6
    assert model.train(2) == 6
    assert model.train.name == "train it"
    assert Model.alone(4) == 4


def test_objects_that_can_be_called_make_tasks_and_flows(stage: Stage) -> None:
    class Adder:
        def __call__(self, x: int) -> int:
            return x + 1

    assert Task(Adder())(1) == 2
    assert Flow(functools.partial(double, 4))() == 8
    assert Task(functools.partial(double, 4)).name == "double"


# settings


def test_what_is_left_to_the_settings_is_taken_from_them(stage: Stage) -> None:
    stage.use(tasks_default_retries=1, tasks_default_retry_delay_seconds=0.001, flows_default_retries=1)
    failures = [LookupError("one"), LookupError("two"), LookupError("three")]

    def fail() -> int:
        if failures:
            raise failures.pop()
        return 1

    task, own = Task(fail), Task(double, retries=0, retry_delay_seconds=0)

    def work() -> int:
        own()
        return task()

    assert Flow(work)() == 1
    states = ["AwaitingRetry", "Retrying"]
    recorded = stage.settle()
    assert recorded.task_paths("test")[0] == ["Pending", "Running", *states, "Failed"]
    assert recorded.path(recorded.flow_runs()[0]) == ["Pending", "Running", *states, "Completed"]
    assert own.retries == 0
    assert task.policy.retries == 1


def test_values_are_kept_where_settings_flows_and_tasks_say(stage: Stage) -> None:
    def run_in_flow(task: Task[..., Any], **options: Any) -> int:
        before = len(stage.recorder.results())

        def work() -> None:
            task(1)

        Flow(work, **options)()
        return len(stage.settle().results()) - before

    assert run_in_flow(Task(double)) == 0
    assert run_in_flow(Task(double), persist_result=True) == 2
    assert run_in_flow(Task(double, persist_result=False), persist_result=True) == 1
    assert run_in_flow(Task(double, persist_result=False, cache_policy=INPUTS)) == 0
    assert run_in_flow(Task(double, cache_policy=NO_CACHE)) == 0
    stage.use(results_persist_by_default=True)
    assert run_in_flow(Task(double)) == 2
    assert Task(double)(1) == 2
    assert len(stage.settle().results()) == 6


def test_a_cache_key_may_be_made_of_the_run(stage: Stage) -> None:
    def key_of(context: Any, arguments: dict[str, Any]) -> str:
        run = context.task_run
        return f"{run.flow_run_id}-{run.dynamic_key}-{run.task_key}-{arguments['x']}"

    task = Task(double, cache_key_fn=key_of)
    Flow(lambda: task(2), name="keyed")()
    (made,) = stage.settle().task_runs()
    (flow_run,) = stage.recorder.flow_runs()
    (kept,) = stage.recorder.results()
    assert kept.storage_key == f"{flow_run}-{made.dynamic_key}-{made.task_key}-2"


def test_values_are_kept_in_the_folder_that_was_named(stage: Stage, tmp_path: Path) -> None:
    Task(double, persist_result=True, result_storage=tmp_path / "here", result_storage_key="mine")(2)
    Flow(double, persist_result=True, result_storage=str(tmp_path / "there"))(2)
    assert [path.name for path in (tmp_path / "here").rglob("mine")] == ["mine"]
    assert [*(tmp_path / "there").rglob("*")]


# calls


def test_arguments_that_do_not_fit_make_no_run(stage: Stage) -> None:
    with pytest.raises(errors.ParameterBindError, match=r"double\(x: 'int' = 1\) -> 'int' cannot be called like this"):
        Task(double)(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert stage.settle().facts == []


def test_task_runs_are_numbered_within_their_flow(stage: Stage) -> None:
    task = Task(double)

    def work() -> None:
        task(1)
        task(2)

    flow = Flow(work)
    flow()
    task(3)
    first, second, alone = stage.settle().task_runs("double")
    assert [(run.name, run.dynamic_key) for run in (first, second)] == [("double-0", "0"), ("double-1", "1")]
    assert alone.flow_run_id is None
    assert alone.name == f"double-{str(alone.id)[-4:]}"


def test_calls_of_a_retried_flow_have_keys_of_their_own(stage: Stage) -> None:
    failures = [LookupError("once")]
    task = Task(double)

    def work() -> None:
        task(1)
        if failures:
            raise failures.pop()

    Flow(work, retries=1)()
    assert [run.dynamic_key for run in stage.settle().task_runs("double")] == ["0", "2-0"]
    assert [run.flow_run_run_count for run in stage.recorder.task_runs("double")] == [1, 2]


def test_tags_are_the_tasks_and_those_around_it(stage: Stage) -> None:
    task = Task(double, tags=["mine"])

    def work() -> None:
        with tags("inner"):
            task(1)

    with tags("outer") as now:
        Flow(work)()
        assert now == {"outer"}
    assert stage.settle().task_runs("double")[0].tags == ["inner", "mine", "outer"]
    assert stage.recorder.created[0].tags == ["outer"]
    task(2)
    assert stage.settle().task_runs("double")[1].tags == ["mine"]


def test_where_values_came_from_is_recorded(stage: Stage) -> None:
    def make() -> list[int]:
        return [1]

    def use(a: Any, b: Any = None) -> int:
        return 1

    maker, user = Task(make), Task(use)

    def work() -> None:
        made = maker()
        future = maker.submit()
        user(made)
        user.submit({"x": future}, 5, wait_for=[future])
        state = maker(return_state=True)
        user(state)

    Flow(work)()
    makers = [run.id for run in stage.settle().task_runs("test_where_values_came_from_is_recorded.<locals>.make")]
    users = stage.recorder.task_runs("test_where_values_came_from_is_recorded.<locals>.use")
    sources = [TaskRunResult(id=maker) for maker in makers]
    assert users[0].task_inputs == {"a": [sources[0]], "b": []}
    assert users[1].task_inputs == {"a": [sources[1]], "b": [], "wait_for": [sources[1]]}
    assert users[2].task_inputs == {"a": [sources[2]], "b": []}


# submitted


def test_submitted_tasks_end_before_their_flow_does(stage: Stage) -> None:
    go_on = threading.Event()

    def inner() -> None:
        go_on.wait()

    nested = Task(inner)

    def outer() -> None:
        nested.submit()
        go_on.set()

    task = Task(outer)

    def work() -> None:
        task.submit()

    Flow(work)()
    assert stage.settle().task_paths() == [["Pending", "Running", "Completed"]] * 2


def test_a_future_is_there_at_once_and_ends_later(stage: Stage) -> None:
    go_on = threading.Event()

    def wait(x: int) -> int:
        go_on.wait()
        return x

    future = Task(wait).submit(3)
    assert isinstance(future, Future)
    assert (future.done(), future.state.type) == (False, StateType.PENDING)
    go_on.set()
    assert future.result() == 3


def test_submit_and_map_can_wait_for_the_states(stage: Stage) -> None:
    task = Task(double)
    assert task.submit(1, return_state=True).result() == 2
    assert [state.result() for state in task.map([1, 2], return_state=True)] == [2, 4]
    assert task.map([1, 2], wait_for=task.submit(1)).result() == [2, 4]


def test_map_takes_any_signature(stage: Stage) -> None:
    def combine(a: int, /, *rest: int, key: int = 0, **more: int) -> tuple[Any, ...]:
        return a, rest, key, more

    futures = Task(combine).map([1, 2], [3, 4], unmapped(9), key=[5, 6], extra=7)
    assert futures.result() == [(1, (3, 9), 5, {"extra": 7}), (2, (4, 9), 6, {"extra": 7})]


def test_async_tasks_are_submitted_to_threads(stage: Stage) -> None:
    async def double_in_loop(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    def work() -> list[int]:
        return Task(double_in_loop).map([1, 2, 3]).result()

    assert Flow(work)() == [2, 4, 6]


def test_a_submitted_task_that_cannot_be_brought_to_its_end_ends_its_future(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_run: Any) -> Any:
        raise LookupError("no lifecycle")

    monkeypatch.setattr(submissions, "task_lifecycle", broken)
    state = Task(double).submit(1, return_state=True)
    assert state.is_crashed()
    assert isinstance(state.data, LookupError)


def test_a_hook_that_exits_leaves_the_future_its_value(stage: Stage) -> None:
    def leave(*_: Any) -> None:
        raise SystemExit(3)

    future = Task(double, on_completion=[leave]).submit(4)
    assert future.result() == 8


def test_a_crash_in_a_thread_is_raised_to_who_asks(stage: Stage) -> None:
    def leave() -> None:
        raise SystemExit(3)

    state = Task(leave).submit(return_state=True)
    assert state.is_crashed()
    with pytest.raises(SystemExit):
        state.result()


# subflows


def test_a_subflow_stands_in_its_parent_as_a_task_run(stage: Stage) -> None:
    def child(x: Any) -> Any:
        return x

    subflow, task = Flow(child, name="child"), Task(double)

    def parent() -> Any:
        return subflow(task(2)), subflow(task.submit(3))

    assert Flow(parent)() == (4, 6)
    recorded = stage.settle()
    placeholders = recorded.task_runs("test_a_subflow_stands_in_its_parent_as_a_task_run.<locals>.child")
    assert [made.name for made in placeholders] == ["child-0", "child-1"]
    assert [recorded.path(made.id)[-2:] for made in placeholders] == [["Running", "Completed"]] * 2
    assert recorded.created[1].parent_task_run_id == placeholders[0].id
    doubled = recorded.task_runs("double")
    assert placeholders[1].task_inputs == {"x": [TaskRunResult(id=doubled[1].id)]}


def test_a_subflow_inherits_what_it_does_not_say(stage: Stage) -> None:
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        context = current_flow_run()
        seen.append((context.log_prints, context.persist_result))

    inherits, says = Flow(look), Flow(look, log_prints=False, persist_result=False)

    def parent() -> None:
        inherits()
        says()

    Flow(parent, log_prints=True, persist_result=True)()
    assert seen == [(True, True), (False, False)]


def test_a_failed_subflow_fails_its_parent_unless_caught(stage: Stage) -> None:
    def child() -> None:
        raise LookupError("in the child")

    subflow = Flow(child, name="child")

    def parent() -> str:
        try:
            subflow()
        except LookupError:
            return "caught"
        return "not raised"

    assert Flow(parent)() == "caught"
    recorded = stage.settle()
    assert recorded.task_paths()[0][-2:] == ["Running", "Failed"]


def test_a_flow_called_from_a_task_outside_of_flows_has_no_parent(stage: Stage) -> None:
    subflow = Flow(double)

    def work() -> int:
        return subflow(2)

    assert Task(work)() == 4
    assert stage.settle().created[0].parent_task_run_id is None


# what hooks and conditions are told


def test_hooks_are_told_of_the_run_as_it_is(stage: Stage) -> None:
    told: list[TaskRun] = []

    def hook(_task: Any, run: TaskRun, state: State) -> None:
        told.append(run)
        assert run.state_name == state.name
        context: Any = current.get()
        assert context.task_run_id == run.id

    Task(double, on_running=[hook], on_completion=[hook])(1)
    assert [run.run_count for run in told] == [1, 1]
    assert told[1].state_id == state_id(told[1].id, 3)


def test_async_hooks_of_synchronous_runs_are_awaited(stage: Stage) -> None:
    told: list[str] = []

    async def hook(_definition: Any, _run: Any, state: State) -> None:
        await asyncio.sleep(0)
        told.append(str(state.name))

    Task(double, on_completion=[hook])(1)
    Flow(double, on_completion=[hook])(1)
    assert told == ["Completed", "Completed"]


# the runs behind them


def test_a_task_run_takes_no_step_that_is_none(home: object) -> None:
    run = RunningTask(RecordingSession(), Task(double), {"x": 1}, None)
    run.announce()
    run.enter(StateType.RUNNING, "Running")
    run.enter(StateType.COMPLETED, "Completed")
    with pytest.raises(errors.UsageError, match="cannot become Running: The task run has ended"):
        run.enter(StateType.RUNNING, "Running")
    assert run.enter(StateType.COMPLETED, ROLLED_BACK).state.ordinal == 4


def test_a_lifecycle_that_is_closed_ends_without_a_word(home: object) -> None:
    from headrace.engine.task_lifecycle import task_lifecycle

    lifecycle = task_lifecycle(RunningTask(RecordingSession(), Task(double), {"x": 1}, None))
    next(lifecycle)
    lifecycle.close()


def test_a_decision_without_a_state_leaves_the_state(home: object) -> None:
    run = RunningFlow(RecordingSession(), Flow(double), {"x": 1}, None)
    decision = Decision(verb=Verb.ABORT, state=None, written=False, epoch=4, flow_run=run.record)
    run.decided(decision)
    assert (run.epoch, run.state.type) == (4, StateType.PENDING)


def test_a_run_that_cannot_be_announced_raises(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from headrace.engine.task_lifecycle import task_lifecycle

    run = RunningTask(RecordingSession(), Task(double), {"x": 1}, None)

    def refuse() -> Any:
        raise RecursionError("too deep")

    monkeypatch.setattr(type(run), "announce", lambda self: refuse())  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(RecursionError):
        next(task_lifecycle(run))


def test_states_of_a_run_are_a_microsecond_apart_at_least(home: object) -> None:
    run = RunningTask(RecordingSession(), Task(double), {"x": 1}, None)
    run.timestamp += 1_000_000_000
    before = run.timestamp
    run.announce()
    assert run.timestamp == before + 1


def test_prints_are_taken_over_only_where_they_are_logged(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    monkeypatch.setattr(flow_run, "take_over_print", lambda: taken.append(True))
    monkeypatch.setattr(task_run, "take_over_print", lambda: taken.append(False))
    RunningFlow(RecordingSession(), Flow(double), {}, None)
    RunningTask(RecordingSession(), Task(double), {}, None)
    assert taken == []
    RunningFlow(RecordingSession(), Flow(double, log_prints=True), {}, None)
    RunningTask(RecordingSession(), Task(double, log_prints=True), {}, None)
    assert taken == [True, False]


# parameters as they are recorded


class Unspeakable:
    def __repr__(self) -> str:
        raise LookupError("no words")


def circle() -> list[Any]:
    within: list[Any] = []
    within.append(within)
    return within


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (1.5, 1.5),
        ({"a": (1, {2})}, {"a": [1, [2]]}),
        (object, "<class 'object'>"),
        (2**80, 2**80),
        ("\ud800", "'\\ud800'"),
        (circle(), "[[...]]"),
        (Unspeakable(), "<Unspeakable that cannot be shown: LookupError>"),
        (Path("/data/x"), "/data/x"),
        (float("nan"), None),
    ],
)
def test_parameters_are_recorded_whatever_they_are(value: Any, recorded: Any) -> None:
    assert recordable({"x": value}) == {"x": recorded}


def test_models_and_numbers_of_numpy_are_recorded_as_what_they_say() -> None:
    from pydantic import BaseModel

    class Model(BaseModel):
        depth: int

    class Scalar:
        shape = ()

        def item(self) -> float:
            return 0.5

    assert recordable({"model": Model(depth=3), "rate": Scalar()}) == {"model": {"depth": 3}, "rate": 0.5}


def test_long_parameters_are_recorded_cut() -> None:
    long = "x" * PARAMETER_LIMIT
    cut = recordable({"a": long, "b": 1})
    assert cut["b"] == 1
    assert cut["a"].endswith(f"… (cut: {PARAMETER_LIMIT + 2} characters)")
    assert len(cut["a"]) < 1_100
    assert recordable({}) == {}


@pytest.mark.parametrize(("delay", "whole"), [(2.0, 2), (0.5, None)])
def test_fractions_of_a_delay_are_kept(home: object, delay: float, whole: int | None) -> None:
    run = RunningFlow(RecordingSession(), Flow(double, retries=1, retry_delay_seconds=delay), {"x": 1}, None)
    policy = run.creation().run.empirical_policy
    assert (policy.retry_delay, policy.retry_delay_seconds) == (whole, delay)


def test_a_flow_run_sees_itself_while_it_is_named(stage: Stage) -> None:
    from headrace.runtime import flow_run as here

    def name() -> str:
        return f"{here.flow_name}: {here.parameters['x']}"

    Flow(double, flow_run_name=name)(3)
    assert stage.recorder.created[0].name == "double: 3"


# task runners of one's own


class Inline(TaskRunner):
    """Executes at once what is submitted, and notes what is asked of it."""

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    def duplicate(self) -> Inline:
        self.asked.append("duplicate")
        return Inline(self.asked)

    def setup(self) -> None:
        self.asked.append("setup")

    def submit(self, work: Work) -> None:
        self.asked.append("submit")
        work()

    def teardown(self) -> None:
        self.asked.append("teardown")

    def abandon(self) -> None:
        self.asked.append("abandon")


def test_a_runner_of_ones_own_is_set_up_for_the_first_task_and_torn_down_at_the_end(stage: Stage) -> None:
    asked: list[str] = []

    def work() -> list[int]:
        return [Task(double).submit(number).result() for number in (1, 2)]

    assert Flow(work, task_runner=Inline(asked))() == [2, 4]
    assert asked == ["duplicate", "setup", "submit", "submit", "teardown"]
    assert Flow(lambda: 3, name="idle", task_runner=Inline(idle := []))() == 3
    assert idle == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_the_runner_of_a_flow_that_is_interrupted_is_abandoned(stage: Stage, error: BaseException) -> None:
    asked: list[str] = []

    def work() -> None:
        Task(double).submit(1)
        raise error

    with pytest.raises(type(error)):
        Flow(work, task_runner=Inline(asked))()
    assert asked[-1] == "abandon"


async def _late() -> None:
    Task(double).submit(1)
    await asyncio.Event().wait()


def test_the_runner_of_a_flow_that_is_late_is_abandoned(stage: Stage) -> None:
    asked: list[str] = []
    state = asyncio.run(Flow(_late, name="late", timeout_seconds=0.05, task_runner=Inline(asked))(return_state=True))
    assert state.name == "TimedOut"
    assert asked[-1] == "abandon"


def test_a_flow_that_fails_waits_for_its_tasks_all_the_same(stage: Stage) -> None:
    asked: list[str] = []

    def work() -> None:
        Task(double).submit(1)
        raise ValueError("no")

    assert Flow(work, task_runner=Inline(asked))(return_state=True).is_failed()
    assert asked[-1] == "teardown"


def test_threads_go_on_when_they_are_abandoned(stage: Stage) -> None:
    entered, go, done = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        assert go.wait(60)
        done.set()

    def work() -> None:
        Task(wait).submit()
        assert entered.wait(60)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Flow(work)()
    go.set()
    assert done.wait(60)


def test_a_run_without_a_runner_has_nothing_to_abandon(stage: Stage) -> None:
    asked: list[str] = []

    def work() -> bool:
        Task(double).submit(1)
        for _ in range(2):
            current_flow_run().abandon()
        return current_flow_run().is_busy

    assert Flow(work, task_runner=Inline(asked))() is False
    assert asked.count("abandon") == 1


def test_a_script_that_is_loaded_again_by_a_process_it_starts_runs_no_flow(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(errors.UsageError, match=r"Flow 'double' is called while a process .* below `if __name__"):
        Flow(double)(1)


def test_what_is_no_task_runner_is_refused() -> None:
    wrong: Any = "threads"
    with pytest.raises(errors.UsageError, match="Flow 'double': task_runner must be a TaskRunner, not 'threads'"):
        Flow(double, task_runner=wrong)
