"""Which call a call is; and by script, what becomes of those that an earlier attempt has finished."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.engine.calls import identify_call
from headrace.engine.checkpoints import Checkpoints, Restored
from headrace.engine.context import FlowContext, TaskContext
from headrace.engine.flow_definition import Flow
from headrace.engine.flow_lifecycle import flow_lifecycle
from headrace.engine.flow_run import RunningFlow
from headrace.engine.requests import CreateFlowRun, Reopen, RestoreResult, StoreResult, TakeUpFlowRun
from headrace.engine.results import Result, ResultStore, StoredResult
from headrace.engine.task_definition import Task
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.schema.checkpoint import Checkpoint
from headrace.schema.fact import TaskRunFact
from headrace.schema.identities import call_of, forget_call, name_call
from headrace.schema.orchestration import Claim
from headrace.schema.run import FlowRun, FlowRunPolicy
from headrace.schema.state import State, StateType
from headrace.testing import RecordingSession, Step, asks, calls, emits, enters, play, proposes
from tests.unit.engine.cases import kept
from tests.unit.engine.flow_cases import ENDED, created, decided
from tests.unit.engine.task_cases import RUN, START


def double(x: int) -> int:
    return 2 * x


def parent(durable: bool = True) -> FlowContext:
    """The context of a flow run in execution."""
    context = RunningFlow(RecordingSession(), Flow(double, durable=durable), {"x": 1}, None).context
    context.begin_attempt(1)
    return context


def left_by(context: FlowContext, folder: Path, key: str, value: Any = 42, kind: Any = StateType.COMPLETED) -> Restored:
    """Let an earlier attempt have called `key` with x=1, and return what it left."""
    call = identify_call(context, context, key, {"x": 1}).call
    assert call is not None
    store = ResultStore(folder / "results", folder)
    record = store.write("kept", value, "pickle")
    made = {name: getattr(record, name) for name in StoredResult.__struct_fields__}
    checkpoint = Checkpoint(
        task_run_id=uuid7(),
        name="double-0",
        task_key=key,
        call=call,
        state=State(type=kind, name="Cached", data=made),
        result=made,
        child_flow_run_id=uuid7(),
    )
    context.checkpoints = Checkpoints([checkpoint], store)
    context.begin_attempt(2)
    return Restored(checkpoint, checkpoint.state or State(type=kind), record)


def restored(request: RestoreResult) -> Result:
    return Result(42, request.record)


# which call it is


def test_equal_calls_are_told_apart_by_their_order() -> None:
    context = parent()
    one, other, third = (identify_call(context, context, "load", {"x": x}).call for x in (1, 1, 2))
    assert one is not None
    assert other is not None
    assert (one[:-2], one[-2:], other[-2:]) == (other[:-2], ".0", ".1")
    assert third != one
    context.begin_attempt(2)
    assert identify_call(context, context, "load", {"x": 1}).call == one


def test_calls_from_a_task_are_told_apart_from_those_of_the_flow() -> None:
    context = parent()
    run = RunningTask(context.session, Task(double), {"x": 1}, context)
    called = {identify_call(scope, context, "load", {"x": 1}).call for scope in (context, run.context)}
    assert len(called) == 2


def test_a_task_that_is_not_durable_is_no_place_to_be_found_again() -> None:
    context = parent()
    run = RunningTask(context.session, Task(double, durable=False), {"x": 1}, context)
    assert isinstance(run.context, TaskContext)
    assert identify_call(run.context, context, "load", {"x": 1}) == (
        None, None, "the task it is called from is not durable",
    )  # fmt: skip


def test_an_argument_that_is_not_the_same_in_every_process_is_named() -> None:
    context = parent()
    found = identify_call(context, context, "load", {"x": threading.Lock()})
    assert found == (None, None, "argument 'x' (lock) is not the same in every process")


def test_what_was_finished_is_found(tmp_path: Path) -> None:
    context = parent()
    left = left_by(context, tmp_path, "load")
    assert identify_call(context, context, "load", {"x": 1}).restored == left
    assert identify_call(context, context, "load", {"x": 2}).restored is None


def test_an_identity_stands_in_the_dynamic_key_behind_the_attempt() -> None:
    call = name_call("3f9a", 0)
    context = parent()
    assert call_of(context.in_attempt(call)) == call
    context.begin_attempt(2)
    assert (context.in_attempt(call), call_of(context.in_attempt(call))) == ("2-3f9a.0", call)
    context.fork()
    assert call_of(context.in_attempt(call)) == call
    assert call_of(context.next_call("load")) is None
    assert call_of(forget_call(f"2-{call}")) is None


# by script


def test_a_task_run_that_has_finished_is_not_made_again(tmp_path: Path) -> None:
    context, task = parent(), Task(double)
    left = left_by(context, tmp_path, task.task_key)
    run = RunningTask(context.session, task, {"x": 1}, context)
    state = play(task_lifecycle(run), [asks(RestoreResult, restored, record=left.record)])
    assert (run.id, run.name) == (left.checkpoint.task_run_id, "double-0")
    assert (state.name, state.result(), run.ended) == ("Cached", 42, state)
    assert run.announce() == ()


def test_a_task_run_whose_value_is_gone_says_so(tmp_path: Path) -> None:
    context, task = parent(), Task(double)
    left_by(context, tmp_path, task.task_key)
    run = RunningTask(context.session, task, {"x": 1}, context)
    gone = errors.MissingResult("gone")
    with pytest.raises(errors.MissingResult):
        play(task_lifecycle(run), [asks(RestoreResult, raises=gone)])


@pytest.mark.parametrize("options", [{}, {"cache_result_in_memory": False}])
def test_a_restored_value_is_known_to_come_from_its_run(options: dict[str, Any], tmp_path: Path) -> None:
    context, task, value = parent(), Task(double, **options), [1]
    left = left_by(context, tmp_path, task.task_key)
    run = RunningTask(context.session, task, {"x": 1}, context)

    def answer(request: RestoreResult) -> Result:
        result = Result(value, request.record)
        if not request.in_memory:
            result.forget()
        return result

    play(task_lifecycle(run), [asks(RestoreResult, answer)])
    assert context.lineage.origin(value) == (None if options else left.checkpoint.task_run_id)


UNKEPT = errors.SerializationError("it is a lock")
KEEPS = asks(StoreResult, raises=UNKEPT)


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ({"durable": True}, (enters("Completed", durable=True),)),
        ({"durable": True, "persist_result": False}, (enters("Completed", durable=True),)),
        ({"durable": True, "persist_result": True}, (enters("Failed", durable=True),)),
        ({"persist_result": True}, (enters("Failed"),)),
    ],
)
def test_a_value_that_nobody_asked_to_have_kept_need_not_be(
    options: dict[str, Any], end: tuple[Step, ...], home: object
) -> None:
    run = RunningTask(RecordingSession(), Task(double, **options), {"x": 1}, None)
    keeps = () if options.get("persist_result") is False else (KEEPS,)
    state = play(task_lifecycle(run), [*RUN, calls(returns=3), *keeps, *end])
    assert state.is_completed() is not bool(options.get("persist_result"))


def test_a_durable_task_of_a_flow_is_named_by_its_call(home: object) -> None:
    context = parent()
    run = RunningTask(context.session, Task(double), {"x": 1}, context)
    assert call_of(run.dynamic_key) == run.context.call
    script = [*START, enters("Running"), calls(returns=2), asks(StoreResult, kept), enters("Completed", durable=True)]
    assert play(task_lifecycle(run), script).result() == 2


def test_a_subflow_that_has_finished_is_not_run_again(tmp_path: Path) -> None:
    context, flow = parent(), Flow(double)
    left = left_by(context, tmp_path, flow.flow_key)
    run = RunningFlow(context.session, flow, {"x": 1}, context)
    state = play(flow_lifecycle(run), [asks(RestoreResult, restored, record=left.record)])
    assert (state.name, state.result(), run.ended) == ("Cached", 42, state)


def claimed(request: Reopen) -> Claim:
    run = FlowRun(
        id=request.request.flow_run_id,
        flow_id=uuid4(),
        name="of old",
        run_count=1,
        state=State(type=StateType.PENDING),
        empirical_policy=FlowRunPolicy(resumes=2, pause_keys=["1"]),
    )
    return Claim(flow_run=run, epoch=3)


def test_a_subflow_that_has_not_finished_goes_on_as_the_run_it_was(tmp_path: Path) -> None:
    context, flow = parent(), Flow(double)
    left = left_by(context, tmp_path, flow.flow_key, kind=StateType.CRASHED)
    context.session.attempts[context.run.id] = 7
    run = RunningFlow(context.session, flow, {"x": 1}, context)

    def takes_up(request: TakeUpFlowRun) -> FlowRun:
        policy = request.told.empirical_policy
        assert isinstance(policy, FlowRunPolicy)
        assert (policy.on_crash, policy.resumes, policy.pause_keys) == ("resume", 2, ["1"])
        return request.run

    def reopened(request: Reopen) -> Claim:
        assert request.request.parent_task_run_id == run.parent_task_run_id is not None
        assert request.request.parent_epoch == 7
        return claimed(request)

    script = [
        emits(TaskRunFact), enters("Pending"), calls(), asks(Reopen, reopened), asks(TakeUpFlowRun, takes_up),
        proposes("Retrying", raises=errors.StaleEpoch("over")),
    ]  # fmt: skip
    play(flow_lifecycle(run), script)
    assert run.id == left.checkpoint.child_flow_run_id


def test_a_subflow_whose_run_is_gone_is_run_anew(tmp_path: Path) -> None:
    context, flow = parent(), Flow(double, persist_result=False)
    left_by(context, tmp_path, flow.flow_key, kind=StateType.CRASHED)
    run = RunningFlow(context.session, flow, {"x": 1}, context)
    gone = errors.ObjectNotFound("There is no such run.")
    script = [
        emits(TaskRunFact), enters("Pending"), calls(), asks(Reopen, raises=gone), asks(CreateFlowRun, created),
        proposes("Running", decided()), calls(returns=2), *ENDED, proposes("Completed", decided()),
    ]  # fmt: skip
    assert play(flow_lifecycle(run), script).result() == 2


def test_parameters_are_kept_that_the_record_does_not_hold(home: object) -> None:
    def keeps(request: StoreResult) -> Result:
        assert request.storage_key == f"{run.id}-parameters"
        assert request.value == {"x": ([1, 2], (1, 2))}
        return kept(request)

    run = RunningFlow(
        RecordingSession(), Flow(double, durable=True, validate_parameters=False), {"x": (1, 2), "y": 3}, None
    )
    script = [
        calls(), asks(StoreResult, keeps), asks(CreateFlowRun, created), proposes("Running", raises=errors.StaleEpoch("over")),
    ]  # fmt: skip
    play(flow_lifecycle(run), script)
