"""Pauses: each case by script, and driven on a thread and in a loop, with somebody who resumes; and suspensions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from headrace.base import clock, errors
from headrace.connect import open_administration
from headrace.engine.commands import Outcome
from headrace.engine.context import FlowContext, current
from headrace.engine.flow_definition import Flow
from headrace.engine.forms import Form
from headrace.engine.pause_lifecycle import pause_lifecycle
from headrace.engine.pausing import Pause, Suspension
from headrace.engine.requests import LeaveInput, ReadFlowRun, ReadInput
from headrace.engine.task_definition import Task
from headrace.flow_runs import (
    apause_flow_run,
    aresume_flow_run,
    asuspend_flow_run,
    pause_flow_run,
    resume_flow_run,
    suspend_flow_run,
)
from headrace.input import RunInput
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.flow import FlowCreate
from headrace.schema.flow_run_input import FlowRunInputCreate
from headrace.schema.orchestration import Claim, ClaimRequest, Proposal, Verb
from headrace.schema.run import FlowRun, FlowRunCreate
from headrace.schema.state import State, StateCreate, StateDetails, StateType
from headrace.testing import RecordingRun, Step, asks, frozen_clock, play, proposes, sleeps
from tests.unit.engine.conftest import Stage
from tests.unit.engine.flow_cases import decided

RUNNING, PAUSED = State(type=StateType.RUNNING), State(type=StateType.PAUSED)


def stands(kind: StateType | None, **what: Any) -> Step:
    """The run is looked at, and is in a state."""

    def read(request: ReadFlowRun) -> FlowRun:
        state = None if kind is None else State(type=kind, **what)
        return FlowRun(id=request.flow_run_id, flow_id=request.flow_run_id, state=state)

    return asks(ReadFlowRun, read)


def form(text: str) -> Step:
    """Somebody's answer is read."""
    return asks(ReadInput, text, key="paused-1-response")


class Approval(RunInput):
    """What a person decides."""

    approved: bool
    reason: str = "none"


CASES: Sequence[tuple[str, dict[str, Any], list[Step], Any]] = (
    (
        "is resumed at once",
        {},
        [proposes("Paused", decided()), sleeps(10.0, woken=True), stands(StateType.RUNNING)],
        None,
    ),
    (
        "is resumed after several looks",
        {"poll_interval": 2},
        [
            proposes("Paused", decided()),
            sleeps(2),
            stands(StateType.PAUSED),
            sleeps(2),
            stands(StateType.PAUSED),
            sleeps(2),
            stands(StateType.RUNNING),
        ],
        None,
    ),
    (
        "has fired before",
        {},
        [proposes("Paused", decided(Verb.REJECT, RUNNING, "This pause has already fired."))],
        None,
    ),
    (
        "asks for a model",
        {"kind": Approval},
        [
            asks(LeaveInput),
            proposes("Paused", decided()),
            sleeps(),
            stands(StateType.RUNNING),
            form('{"approved": true}'),
        ],
        Approval(approved=True),
    ),
    (
        "asks for a value",
        {"kind": int},
        [asks(LeaveInput), proposes("Paused", decided(Verb.REJECT, RUNNING)), form('{"value": 7}')],
        7,
    ),
    (
        "explains what it asks for",
        {"kind": Approval.with_initial_data("Is it good?", reason="it is")},
        [
            asks(LeaveInput),
            asks(LeaveInput, create=FlowRunInputCreate(key="paused-1-description", value="Is it good?")),
            proposes("Paused", decided(Verb.REJECT, RUNNING)),
            form('{"approved": false}'),
        ],
        Approval(approved=False, reason="it is"),
    ),
    (
        "is given what is no answer",
        {"kind": int},
        [asks(LeaveInput), proposes("Paused", decided(Verb.REJECT, RUNNING)), form('{"value": "many"}')],
        errors.ParameterTypeError("value: Input should be a valid integer"),
    ),
    (
        "is given what is no object",
        {"kind": Approval},
        [asks(LeaveInput), proposes("Paused", decided(Verb.REJECT, RUNNING)), form("7")],
        errors.ParameterTypeError("input: "),
    ),
    (
        "is not let",
        {},
        [proposes("Paused", decided(Verb.ABORT, RUNNING, "nobody could"))],
        errors.UsageError("nobody could"),
    ),
    (
        "is not let, and not why",
        {},
        [proposes("Paused", decided(Verb.ABORT, RUNNING))],
        errors.UsageError("does not let"),
    ),
    (
        "is cancelled before",
        {},
        [proposes("Paused", decided(Verb.REJECT, State(type=StateType.CANCELLING)))],
        errors.CancelledRun("Cancelling"),
    ),
    (
        "is cancelled meanwhile",
        {},
        [proposes("Paused", decided()), sleeps(woken=True), stands(StateType.CANCELLING, message="by hand")],
        errors.CancelledRun("by hand"),
    ),
    (
        "is nowhere meanwhile",
        {},
        [proposes("Paused", decided()), sleeps(woken=True), stands(None)],
        errors.UsageError("cannot pause"),
    ),
    ("is interrupted", {}, [proposes("Paused", decided()), sleeps(raises=KeyboardInterrupt())], KeyboardInterrupt()),
    ("leaves", {"leaves": True}, [proposes("Suspended", decided())], Suspension(PAUSED)),
    ("has left before", {"leaves": True}, [proposes("Suspended", decided(Verb.REJECT, RUNNING))], None),
    (
        "leaves with a question",
        {"leaves": True, "kind": int, "key": "how many"},
        [
            asks(LeaveInput),
            proposes("Suspended", decided(Verb.REJECT, RUNNING)),
            asks(ReadInput, '{"value": 3}', key="suspended-how many-response"),
        ],
        3,
    ),
)


def as_in(context: FlowContext, make: Callable[[], Pause]) -> Pause:
    token = current.set(context)
    try:
        return make()
    finally:
        current.reset(token)


@pytest.mark.parametrize(("options", "script", "ends"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_by_script(options: dict[str, Any], script: list[Step], ends: Any, home: object) -> None:
    run = RecordingRun()
    with frozen_clock():
        pause = as_in(run.context.flow_run, lambda: Pause(**options))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        try:
            outcome = Outcome(play(pause_lifecycle(pause), script))
        except BaseException as error:  # noqa: BLE001 - interrupts are cases as well
            outcome = Outcome(None, error)
    if isinstance(ends, BaseException):
        assert type(outcome.error) is type(ends), outcome
        assert str(ends) in str(outcome.error)
    else:
        assert outcome.error is None, outcome
        assert outcome.value == ends or outcome.value.model_dump() == ends.model_dump()


def test_nobody_comes_in_time(home: object) -> None:
    run = RecordingRun()
    with frozen_clock() as stopped:
        pause = as_in(run.context.flow_run, lambda: Pause(timeout=25, key="late"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

        def wait(_: object) -> FlowRun:
            stopped.advance(10)
            return FlowRun(id=pause.context.run.id, flow_id=pause.context.run.id, state=PAUSED)

        looks = [step for delay in (10.0, 10.0, 5.0) for step in (sleeps(delay), asks(ReadFlowRun, wait))]
        with pytest.raises(errors.PauseTimeoutError, match="not resumed within 25 seconds"):
            play(pause_lifecycle(pause), [proposes("Paused", decided()), *looks])
        assert pause.ends == stopped.now - 5_000_000


# with an orchestrator

pause: Any = pause_flow_run


def pause_shortly() -> None:
    pause_flow_run(poll_interval=0.01)


def suspend() -> None:
    suspend_flow_run()


class Helper:
    """Somebody who waits until a run is paused, and resumes it."""

    def __init__(self, stage: Stage, *inputs: Any) -> None:
        self.stage = stage
        self.inputs = list(inputs)
        self.refusals: list[str] = []
        self.paused: list[State] = []
        self._thread = threading.Thread(target=self._work)
        stage.recorder.before = self._note
        self._asked = threading.Semaphore(0)
        self._thread.start()

    def _note(self, verb: str, request: Any) -> None:
        if verb == "read_flow_run":
            self._asked.release()

    def _work(self) -> None:
        while self.inputs:
            self._asked.acquire(timeout=30)
            run = self.stage.recorder.gateway.read_flow_run(self.stage.recorder.flow_runs()[-1])
            if run.state is None or not run.state.is_paused():
                continue
            self.paused.append(run.state)
            decision = self.stage.recorder.gateway.resume_flow_run(run.id, self.inputs.pop(0))
            if not decision.written:
                self.refusals.append(decision.reason or "")

    def join(self) -> None:
        self._thread.join()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["on a thread", "in a loop"])
def test_a_flow_pauses_and_goes_on(asynchronous: bool, stage: Stage) -> None:
    def main() -> Any:
        pause_flow_run(poll_interval=0.01)
        return pause_flow_run(Approval, poll_interval=0.01), pause_flow_run(int, poll_interval=0.01, key="how many")

    async def main_in_loop() -> Any:
        coroutine: Any = pause_flow_run(poll_interval=0.01)
        await coroutine
        approval = await apause_flow_run(Approval, poll_interval=0.01)
        return approval, await apause_flow_run(int, poll_interval=0.01, key="how many")

    helper = Helper(stage, None, {}, {"approved": True, "reason": "it works"}, {"value": 3})
    flow: Any = Flow(main_in_loop if asynchronous else main)
    approval, count = asyncio.run(flow()) if asynchronous else flow()
    helper.join()
    assert (approval.approved, approval.reason, count) == (True, "it works", 3)
    assert len(helper.refusals) == 1
    assert '"approved" is a required property' in helper.refusals[0]
    assert [state.state_details.pause_key for state in helper.paused] == ["1", "2", "2", "how many"]
    recorded = stage.settle()
    path = recorded.path(recorded.flow_runs()[0])
    assert path == ["Pending", *["Running", "Paused"] * 3, "Running", "Completed"]
    assert recorded.gateway.read_flow_run(recorded.flow_runs()[0]).run_count == 1


def test_a_resumption_is_noticed_at_once(stage: Stage) -> None:
    helper = Helper(stage, None)

    def main() -> str:
        pause_flow_run(poll_interval=3600)
        return "went on"

    assert Flow(main)() == "went on"
    helper.join()


def test_a_flow_that_is_cancelled_while_it_waits_ends(stage: Stage) -> None:
    def cancel(verb: str, request: Any) -> None:
        if verb == "read_flow_run" and not cancelled:
            cancelled.append(request)
            stage.recorder.cancel(request)

    cancelled: list[UUID] = []
    stage.recorder.before = cancel
    with pytest.raises(errors.CancelledRun):
        Flow(pause_shortly)()
    recorded = stage.settle()
    assert recorded.path(recorded.flow_runs()[0])[-2:] == ["Cancelling", "Cancelled"]


def test_a_pause_that_nobody_ends_fails_the_run(stage: Stage) -> None:
    def main() -> None:
        pause_flow_run(timeout=0.01, poll_interval=0.01)

    with pytest.raises(errors.PauseTimeoutError):
        Flow(main, retries=3)()
    recorded = stage.settle()
    assert recorded.path(recorded.flow_runs()[0]) == ["Pending", "Running", "Paused", "Failed"]


def test_a_retried_flow_pauses_again(stage: Stage) -> None:
    attempts: list[str] = []

    def main() -> int:
        attempts.append("begun")
        pause_flow_run(poll_interval=0.01)
        if len(attempts) == 1:
            raise LookupError("the first time")
        return 5

    helper = Helper(stage, None, None)
    assert Flow(main, retries=1)() == 5
    helper.join()
    assert [state.state_details.pause_key for state in helper.paused] == ["1", "1"]


def test_only_flows_pause(stage: Stage) -> None:
    with pytest.raises(errors.UsageError, match="this is a task"):
        Task(pause_shortly)()
    with pytest.raises(errors.MissingContextError):
        pause_flow_run()
    for wrong in ({"timeout": 0}, {"poll_interval": -1}, {"timeout": float("nan")}):
        with pytest.raises(errors.UsageError, match="must be a number of seconds above 0"):
            Flow(partial(pause, **wrong), name="wrong")()


def test_an_asynchronous_flow_pauses_on_another_thread_as_well(stage: Stage) -> None:
    async def main() -> Any:
        return await asyncio.to_thread(pause_flow_run, int, 60.0, 0.01)

    helper = Helper(stage, {"value": 4})
    assert asyncio.run(Flow(main)()) == 4
    helper.join()


# suspensions


def deploy(stage: Stage, flow: Flow[Any, Any], **parameters: Any) -> Claim:
    """A run of a deployment of the flow, claimed."""
    flow_id = stage.recorder.gateway.register_flow(FlowCreate(name=flow.name)).id
    administration: Any = open_administration(stage.settings)
    deployment = administration.create_deployment(DeploymentCreate(name="here", flow_id=flow_id))
    administration.close()
    state = StateCreate(type=StateType.SCHEDULED)
    stage.recorder.create_flow_run(
        FlowRunCreate(flow_id=flow_id, deployment_id=deployment.id, state=state, parameters=parameters)
    )
    return claim(stage)


def claim(stage: Stage) -> Claim:
    gateway = stage.recorder.gateway
    request = ClaimRequest(before=clock.now(), limit=1, claimant="worker", presence=gateway.presence())
    return gateway.claim_flow_runs(request)[0]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["on a thread", "in a loop"])
def test_a_suspended_flow_begins_again_from_the_top(asynchronous: bool, stage: Stage) -> None:
    log: list[str] = []

    def step(name: str) -> str:
        log.append(name)
        return name

    def main() -> int:
        future = Task(step).submit("before")
        try:
            count = suspend_flow_run(int)
        except Exception:  # noqa: BLE001 - user code that takes everything for an error of its own
            log.append("caught")
            return 0
        future.wait()
        Task(step)("after")
        return count

    async def main_in_loop() -> int:
        future = Task(step).submit("before")
        count = await asuspend_flow_run(int)
        future.wait()
        Task(step)("after")
        return count

    flow: Any = Flow(main_in_loop if asynchronous else main, name="main")
    claimed = deploy(stage, flow)
    state = flow.execute(claimed)
    assert (state.type, state.name) == (StateType.PAUSED, "Suspended")
    assert log == ["before"]
    assert claimed.flow_run.id not in stage.session.attempts
    resume_flow_run(claimed.flow_run.id, {"value": 3})
    again = flow.execute(claim(stage))
    assert again.result() == 3
    assert log == ["before", "before", "after"]
    recorded = stage.settle()
    path = recorded.path(claimed.flow_run.id)
    assert path == [
        "Scheduled", "Pending", "Running", "Suspended", "Resuming", "Pending", "Running", "Completed",
    ]  # fmt: skip
    assert recorded.gateway.read_flow_run(claimed.flow_run.id).run_count == 1


def test_a_flow_without_a_deployment_cannot_be_suspended(stage: Stage) -> None:
    with pytest.raises(errors.UsageError, match="without a deployment cannot be suspended"):
        Flow(suspend)()
    with pytest.raises(errors.PausedRun):
        State(type=StateType.PAUSED).result()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["on a thread", "in a loop"])
def test_a_run_that_is_suspended_from_outside_is_out_of_its_processs_hands(asynchronous: bool, stage: Stage) -> None:
    def main() -> int:
        run_id = claimed.flow_run.id

        def suspend() -> None:
            if asynchronous:
                asyncio.run(asuspend_flow_run(flow_run_id=run_id))
            else:
                suspend_flow_run(flow_run_id=str(run_id))

        thread = threading.Thread(target=suspend)
        thread.start()
        thread.join()
        return 5

    flow = Flow(main, name="main")
    claimed = deploy(stage, flow)
    assert flow.execute(claimed).is_crashed()
    run = stage.recorder.gateway.read_flow_run(claimed.flow_run.id)
    assert (run.state_name, run.epoch) == ("Suspended", claimed.epoch + 1)
    asyncio.run(aresume_flow_run(claimed.flow_run.id))
    with pytest.raises(errors.InvalidRequest, match=r"cannot be suspended\. Only a running flow can pause"):
        suspend_flow_run(flow_run_id=claimed.flow_run.id)


def test_a_run_can_name_itself(stage: Stage) -> None:
    def main() -> None:
        suspend_flow_run(flow_run_id=claimed.flow_run.id)

    flow = Flow(main, name="main")
    claimed = deploy(stage, flow)
    assert flow.execute(claimed).is_paused()


def test_what_cannot_be_suspended_or_resumed(stage: Stage) -> None:
    with pytest.raises(errors.UsageError, match="named by its id, not 'x'"):
        suspend_flow_run(flow_run_id="x")
    with pytest.raises(errors.UsageError, match="leave out wait_for_input"):
        suspend_flow_run(int, flow_run_id="0198c1b5-2e37-7f10-8000-000000000000")
    with pytest.raises(errors.UsageError, match="must be a dictionary or a model, not 7"):
        resume_flow_run("0198c1b5-2e37-7f10-8000-000000000000", 7)
    with pytest.raises(errors.ObjectNotFound):
        resume_flow_run("0198c1b5-2e37-7f10-8000-000000000000")
    Flow(lambda: None, name="done")()
    with pytest.raises(errors.InvalidRequest, match=r"cannot be resumed\. The run is not paused"):
        resume_flow_run(stage.recorder.flow_runs()[0])


def test_a_model_can_be_the_answer(stage: Stage) -> None:
    claimed = deploy(stage, Flow(lambda: None, name="main"))
    gateway = stage.recorder.gateway
    for kind in (StateType.RUNNING, StateType.PAUSED):
        details = StateDetails(run_input_keyset={"response": "answer"})
        gateway.propose_flow_run_state(
            Proposal(flow_run_id=claimed.flow_run.id, state=StateCreate(type=kind, state_details=details))
        )
    resume_flow_run(claimed.flow_run.id, Approval(approved=True))
    assert gateway.read_flow_run_input(claimed.flow_run.id, "answer").value == '{"approved":true,"reason":"none"}'


# forms


class Plain(BaseModel):
    """A model that is none of ours."""

    x: list[int]


@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        (Plain, '{"x": ["1", 2]}', Plain(x=[1, 2])),
        (dict[str, int], '{"value": {"a": 1}}', {"a": 1}),
        (str | None, '{"value": null}', None),
    ],
)
def test_forms_of_any_type(kind: Any, text: str, answer: Any) -> None:
    assert Form(kind).read(text) == answer
    assert Form(kind).description is None


@pytest.mark.parametrize("kind", [threading.Lock, object(), threading.Thread])
def test_what_nobody_can_answer_is_refused(kind: Any) -> None:
    with pytest.raises(errors.UsageError, match="A flow cannot wait for input of type"):
        Form(kind)


def test_initial_data_is_for_fields_that_exist() -> None:
    made: Any = Approval.with_initial_data(approved=True)
    assert made().approved
    assert made.description_of_input is None
    assert Approval.model_json_schema()["required"] == ["approved"]
    with pytest.raises(AttributeError, match="Approval has no field 'aproved'"):
        Approval.with_initial_data(aproved=True)
