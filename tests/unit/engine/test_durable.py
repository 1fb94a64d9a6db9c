"""Durable runs whose attempts die: what is restored, what is called again, and what is said of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import Any
from uuid import UUID

import pytest

from headrace.base import errors
from headrace.engine.context import current_flow_run
from headrace.engine.flow_definition import Flow
from headrace.engine.recorded import PARAMETER_LIMIT
from headrace.engine.requests import Reopen
from headrace.engine.task_definition import Task
from headrace.schema.checkpoint import Reopening
from headrace.schema.state import State, StateType
from headrace.transactions import transaction
from tests.unit.engine.conftest import Stage
from tests.unit.engine.durable_cases import STORIES, Story, Told


def begin(flow: Flow[..., Any], *arguments: Any) -> None:
    """Make the first attempt, which dies."""
    with pytest.raises(SystemExit):
        flow(*arguments)


def resume(stage: Stage, flow: Flow[..., Any], run_id: UUID | None = None, **how: Any) -> State | None:
    """Make another attempt; None when it has died as well."""
    run_id = run_id or stage.recorder.flow_runs()[0]
    claim = Reopen(Reopening(flow_run_id=run_id, **how)).perform(stage.session)
    with contextlib.suppress(SystemExit):
        return flow.execute(claim)
    return None


def named(story: Story) -> str:
    return story.name


@pytest.mark.parametrize("story", STORIES, ids=named)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["on a thread", "in a loop"])
def test_told(story: Story, asynchronous: bool, stage: Stage) -> None:
    told = Told(story, asynchronous)
    with contextlib.suppress(SystemExit):
        told.begin()
    run_id = stage.recorder.flow_runs()[0]
    while len(told.executed) < len(story.attempts):
        resume(stage, told.flow, run_id)
    assert " | ".join(" ".join(attempt) for attempt in told.executed) == story.executed
    assert told.values == (story.values or told.values)
    assert story.says in "\n".join(stage.settle().messages())
    assert stage.recorder.gateway.read_flow_run(run_id).state_type is StateType.COMPLETED


class Deaths:
    """A flow that notes what it is given and dies in its first attempt, after it has called `first`."""

    def __init__(self, first: Any = None, **options: Any) -> None:
        self.first = first
        self.given: list[Any] = []
        self.called: list[Any] = []

        def mortal(x: Any = None) -> None:
            self.given.append(x)
            if self.first is not None:
                self.called.append(self.first())
            if len(self.given) == 1:
                raise SystemExit(9)

        given: Any = {"durable": True, **options}
        self.flow = Flow(mortal, **given)


# values


def test_a_value_that_is_gone_is_made_anew(stage: Stage) -> None:
    made: list[int] = []
    flow = Deaths(Task(lambda: made.append(1), name="make")).flow
    begin(flow)
    for path in stage.session.results.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    assert resume(stage, flow)
    assert made == [1, 1]
    assert "cannot be read: No such file or directory." in "\n".join(stage.settle().messages())


def test_a_value_that_cannot_be_opened_is_not_made_anew_in_silence(stage: Stage) -> None:
    flow = Deaths(Task(lambda: 1, name="make")).flow
    begin(flow)
    for path in stage.session.results.folder.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"!")
    state = resume(stage, flow)
    assert state
    assert isinstance(state.data, errors.MissingResult)
    assert "Run the flow run again from this task to have it made anew." in str(state.data)


@pytest.mark.parametrize("durable", ["task", "flow"])
def test_a_value_that_is_to_be_kept_and_cannot_fails_its_run(durable: str, stage: Stage) -> None:
    def lock() -> Any:
        return threading.Lock()

    task = Task(lock, persist_result=durable == "task" or None)

    def within() -> Any:
        return task()

    with pytest.raises(errors.SerializationError):
        Flow(within, durable=True, persist_result=durable == "flow" or None)()


def test_the_value_of_a_durable_flow_need_not_be_kept(stage: Stage) -> None:
    lock = threading.Lock()
    assert Flow(lambda: lock, name="lock", durable=True)() is lock
    assert "Its value cannot be kept" in "\n".join(stage.settle().messages())


def test_a_restored_state_belongs_to_the_run_that_ended_in_it(stage: Stage) -> None:
    task = Task(lambda: 1, name="one")
    mortal = Deaths(lambda: task(return_state=True))
    begin(mortal.flow)
    resume(stage, mortal.flow)
    first, again = mortal.called
    assert (again.id, again.name, again.result()) == (first.id, first.name, 1)
    assert again.state_details.task_run_id == first.state_details.task_run_id
    assert [made.name for made in stage.settle().task_runs()] == ["one-0"]


def test_items_are_made_anew(stage: Stage) -> None:
    made: list[int] = []

    def count() -> Generator[int]:
        made.append(1)
        yield 1

    items = Task(count)
    mortal = Deaths(lambda: list(items()))
    begin(mortal.flow)
    resume(stage, mortal.flow)
    assert (made, mortal.called) == ([1, 1], [[1], [1]])


def test_what_was_undone_is_done_again(stage: Stage) -> None:
    made: list[int] = []
    task = Task(lambda: made.append(1), name="make", on_rollback=[lambda transaction: made.append(-1)])

    def undone() -> None:
        with contextlib.suppress(LookupError), transaction():
            task()
            if len(made) == 1:
                raise LookupError

    mortal = Deaths(undone)
    begin(mortal.flow)
    resume(stage, mortal.flow)
    assert made == [1, -1, 1]


def test_what_was_committed_is_restored(stage: Stage) -> None:
    made: list[int] = []
    task = Task(lambda: made.append(1) or len(made), name="make")

    def done() -> Any:
        with transaction():
            return task()

    mortal = Deaths(done)
    begin(mortal.flow)
    resume(stage, mortal.flow)
    assert (made, mortal.called) == ([1], [1, 1])


# parameters


@pytest.mark.parametrize(
    "value", [3, "text", {"a": [1, None]}, (1, 2), {3}, 2**70, float("inf"), "x" * (PARAMETER_LIMIT + 1)]
)
def test_parameters_are_what_they_were(value: Any, stage: Stage) -> None:
    mortal = Deaths()
    begin(mortal.flow, value)
    resume(stage, mortal.flow)
    assert mortal.given == [value, value]
    assert type(mortal.given[1]) is type(value)


def test_parameters_may_be_given_anew(stage: Stage) -> None:
    mortal = Deaths()
    begin(mortal.flow, (1, 2))
    resume(stage, mortal.flow, parameters={"x": [5]})
    resume(stage, mortal.flow, parameters={"x": 7})
    assert mortal.given == [(1, 2), [5], 7]


def test_parameters_that_cannot_be_kept_are_given_as_they_are_shown(stage: Stage) -> None:
    mortal = Deaths()
    lock = threading.Lock()
    begin(mortal.flow, lock)
    resume(stage, mortal.flow)
    assert mortal.given == [lock, repr(lock)]
    said = "\n".join(stage.settle().messages())
    assert "Its parameters cannot be kept, so after a crash it would get them as they are shown" in said


def test_parameters_of_any_kind_are_given_where_they_belong(stage: Stage) -> None:
    given: list[Any] = []

    def mortal(x: int, /, *rest: int, depth: int = 1, **more: int) -> None:
        given.append((x, rest, depth, more))
        if len(given) == 1:
            raise SystemExit(9)

    flow = Flow(mortal, durable=True)
    with pytest.raises(SystemExit):
        flow(1, 2, 3, other=4)
    resume(stage, flow)
    assert given == [(1, (2, 3), 1, {"other": 4})] * 2
    (run_id,) = stage.recorder.flow_runs()
    assert flow.replay(stage.recorder.gateway.read_flow_run(run_id)).is_completed()
    assert given[2] == given[0]


def test_parameters_of_others_are_not_kept(stage: Stage) -> None:
    mortal = Deaths(durable=False)
    begin(mortal.flow, (1, 2))
    resume(stage, mortal.flow)
    assert mortal.given == [(1, 2), [1, 2]]


# subflows


def twofold(ticks: list[str]) -> Flow[..., Any]:
    """A flow with a subflow that dies in its first attempt, after a task has finished."""
    tick, deaths = Task(ticks.append, name="tick"), [1]

    def inner() -> None:
        tick("one")
        if deaths:
            raise SystemExit(deaths.pop())
        tick("other")

    child = Flow(inner, name="inner")

    def outer() -> None:
        child()

    return Flow(outer, durable=True)


def test_a_subflow_goes_on_as_the_run_it_was(stage: Stage) -> None:
    ticks: list[str] = []
    flow = twofold(ticks)
    begin(flow)
    assert resume(stage, flow)
    assert ticks == ["one", "other"]
    outer, inner = stage.settle().flow_runs()
    run = stage.recorder.gateway.read_flow_run(inner)
    assert (run.state_type, run.run_count) == (StateType.COMPLETED, 2)
    placeholders = [
        made for made in stage.recorder.task_runs() if (made.flow_run_id, made.name[:5]) == (outer, "inner")
    ]
    assert run.parent_task_run_id == placeholders[-1].id
    assert [stage.recorder.path(made.id)[-1] for made in placeholders] == ["Crashed", "Completed"]


def test_a_subflow_is_not_lost_by_an_attempt_that_dies_before_it_goes_on_with_it(stage: Stage) -> None:
    ticks: list[str] = []
    flow = twofold(ticks)
    begin(flow)

    def die(verb: str, request: Any) -> None:
        if verb == "reopen_flow_run" and request.parent_task_run_id is not None:
            stage.recorder.before = lambda verb, request: None
            raise SystemExit(9)

    stage.recorder.before = die
    assert resume(stage, flow) is None
    assert resume(stage, flow)
    assert ticks == ["one", "other"]
    assert len(stage.settle().flow_runs()) == 2


def test_a_subflow_whose_run_was_deleted_begins_anew(stage: Stage) -> None:
    ticks: list[str] = []
    flow = twofold(ticks)
    begin(flow)

    def forget(verb: str, request: Any) -> None:
        if verb == "reopen_flow_run" and request.parent_task_run_id is not None:
            raise errors.ObjectNotFound("There is no such run.")

    stage.recorder.before = forget
    assert resume(stage, flow)
    assert ticks == ["one", "one", "other"]
    assert "Not resumed, so it begins anew: There is no such run." in stage.settle().messages()


# replays


def test_a_replay_is_a_run_of_its_own_that_restores_what_another_had_finished(stage: Stage) -> None:
    made: list[UUID] = []
    task = Task(lambda: made.append(current_flow_run().run.id), name="make")
    mortal = Deaths(task)
    begin(mortal.flow, (1, 2))
    (run_id,) = stage.recorder.flow_runs()
    run = stage.recorder.gateway.read_flow_run(run_id)
    assert mortal.flow.replay(run).is_completed()
    assert made == [run_id]
    assert mortal.given == [(1, 2), (1, 2)]
    first, copy = stage.settle().flow_runs()
    assert first != copy
    assert stage.recorder.path(first)[-1] == "Crashed"
    assert stage.recorder.path(copy)[-1] == "Completed"


def test_so_is_a_replay_of_its_subflow(stage: Stage) -> None:
    ticks: list[str] = []
    flow = twofold(ticks)
    begin(flow)
    outer, inner = (stage.recorder.gateway.read_flow_run(run_id) for run_id in stage.recorder.flow_runs())
    assert flow.replay(outer).is_completed()
    assert ticks == ["one", "other"]
    assert [stage.recorder.gateway.read_flow_run(run.id) for run in (outer, inner)] == [outer, inner]
    assert [stage.recorder.path(run_id)[-1] for run_id in stage.settle().flow_runs()[2:]] == ["Completed"] * 2
