"""The cases of a flow run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.engine.futures import UpstreamFailed, allow_failure, quote
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.requests import CreateFlowRun, StoreResult
from headrace.engine.task_definition import Task
from headrace.schema.orchestration import Decision, Verb
from headrace.schema.run import FlowRun
from headrace.schema.state import StateDetails
from headrace.states import Cancelled, Completed, Crashed, Failed, State, StateType
from headrace.testing import asks, calls, proposes, sleeps
from tests.unit.engine.cases import HANG, Case, kept
from tests.unit.engine.task_cases import FAILURE, by, do_nothing, ended, explode, interrupt, leave, name_of_x


def double(x: int) -> int:
    return 2 * x


def fail(x: Any = None) -> None:
    raise FAILURE


doubled = Task(double)
failing = Task(fail)
skipping = Task(lambda: Completed(data=3, name="Skipped"))
crashing = Task(lambda: Crashed("so"))
cancelling = Task(lambda: Cancelled("so", name="Withdrawn"))


def created(request: CreateFlowRun) -> FlowRun:
    """What the orchestrator answers to a creation."""
    run = request.run
    return FlowRun(
        id=run.id or uuid7(), flow_id=uuid7(), name=run.name or "", empirical_policy=run.empirical_policy, epoch=0
    )


def decided(
    verb: Verb = Verb.ACCEPT,
    state: State | None = None,
    reason: str | None = None,
    delay: float | None = None,
    run_count: int = 1,
) -> Callable[[Any], Decision]:
    """What the orchestrator answers to a proposal: by default yes, and by default the run is then in the state proposed."""

    def answer(request: Any) -> Decision:
        proposed = request.proposal.state
        now = state or State(type=proposed.type, name=proposed.name, message=proposed.message)
        run = FlowRun(id=request.proposal.flow_run_id, flow_id=uuid7(), name="scripted", run_count=run_count)
        return Decision(verb=verb, state=now, written=True, epoch=1, flow_run=run, reason=reason, delay=delay)

    return answer


PREPARE = (calls(), asks(CreateFlowRun, created))
START = (*PREPARE, proposes("Running", decided()))
ENDED = (calls(blocking=True),)
"""Waits for what was submitted."""

AGAIN = State(
    type=StateType.SCHEDULED, name="AwaitingRetry", state_details=StateDetails(scheduled_time=clock.to_datetime(0))
)
LATER = State(
    type=StateType.SCHEDULED,
    name="AwaitingRetry",
    state_details=StateDetails(scheduled_time=clock.to_datetime(clock.micros() + 3_600_000_000)),
)
RUNNING = State(type=StateType.RUNNING)


def decided_policy(kind: Any) -> Callable[[Any], Decision]:
    """Tried again, but by somebody else."""

    def answer(request: Any) -> Decision:
        decision = decided(Verb.REJECT, AGAIN)(request)
        decision.flow_run.empirical_policy.retry_type = kind
        return decision

    return answer


DONE = "Pending Running Completed"
FAILED = "Pending Running Failed"
CRASHED = "Pending Running Crashed"
UNSTARTED = "Pending Failed"

ENDINGS = (
    Case(
        "returns a value",
        [42],
        DONE,
        value=42,
        script=(*START, calls(returns=42), *ENDED, proposes("Completed", decided())),
    ),
    Case("returns nothing", [None], DONE, value=None),
    Case("returns its state", [1], DONE, keywords={"return_state": True}),
    Case(
        "raises",
        [FAILURE],
        FAILED,
        raises=ValueError,
        logs="Flow run failed with ValueError: no",
        script=(*START, calls(raises=FAILURE), *ENDED, proposes("Failed", decided(), message="ValueError: no")),
    ),
    Case("raises an error of ours", [errors.UsageError("not so")], FAILED, raises=errors.UsageError),
    Case(
        "is interrupted",
        [KeyboardInterrupt()],
        CRASHED,
        raises=KeyboardInterrupt,
        logs="Execution was interrupted by KeyboardInterrupt.",
        script=(*START, calls(raises=KeyboardInterrupt()), proposes("Crashed", decided())),
    ),
    Case("exits", [SystemExit(1)], CRASHED, options={"retries": 3}, raises=SystemExit, executions=1),
    Case("is cancelled", [asyncio.CancelledError()], CRASHED, raises=asyncio.CancelledError),
    Case(
        "is interrupted while its tasks end",
        [1],
        "",
        raises=KeyboardInterrupt,
        script=(
            *START,
            calls(returns=1),
            calls(blocking=True, raises=KeyboardInterrupt()),
            proposes("Crashed", decided()),
        ),
    ),
    Case(
        "has tasks that cannot be ended",
        [1],
        "",
        raises=LookupError,
        script=(
            *START,
            calls(returns=1),
            calls(blocking=True, raises=LookupError("a broken runner")),
            proposes("Failed", decided()),
        ),
    ),
    Case(
        "calls a task that fails",
        by(failing),
        FAILED,
        raises=ValueError,
    ),
)

RETURNED = (
    Case("returns a future", by(lambda x: doubled.submit(3)), DONE, value=6),
    Case("returns futures", by(lambda x: [doubled.submit(3), doubled.submit(4)]), DONE, value=[6, 8]),
    Case("returns mapped futures", by(lambda x: doubled.map([3, 4])), DONE, value=[6, 8]),
    Case("returns a failed future", by(lambda x: failing.submit(3)), FAILED, raises=ValueError),
    Case(
        "returns futures of which one failed",
        by(lambda x: [doubled.submit(3), failing.submit(4)]),
        FAILED,
        raises=ValueError,
    ),
    Case("returns the future of a run that was skipped", by(lambda x: skipping.submit()), DONE, value=3),
    Case("returns the state of a run that was skipped", by(lambda x: skipping(return_state=True)), DONE, value=3),
    Case(
        "returns the future of a run that crashed",
        by(lambda x: crashing.submit()),
        FAILED,
        raises=errors.FailedRun,
        says="so",
    ),
    Case(
        "returns the state of a run that was cancelled",
        by(lambda x: cancelling(return_state=True)),
        "Pending Running Cancelled",
        raises=errors.CancelledRun,
        says="so",
    ),
    Case("returns a state", by(lambda x: Completed(data=3)), DONE, value=3),
    Case("returns a failed state", by(lambda x: Failed("so")), FAILED, raises=errors.FailedRun, says="so"),
    Case(
        "returns a crashed state",
        by(lambda x: Crashed("so")),
        CRASHED,
        raises=errors.CrashedRun,
        says="so",
    ),
    Case("returns what is quoted", by(lambda x: quote([Failed()])), DONE),
    Case(
        "returns states of which one has no value here",
        by(lambda x: [State(type=StateType.COMPLETED, data={"storage_key": "x"})]),
        FAILED,
        raises=errors.MissingResult,
    ),
    Case(
        "awaits what it returns and is interrupted",
        [1],
        "",
        raises=KeyboardInterrupt,
        script=(
            *START,
            calls(returns=ended(Completed())),
            *ENDED,
            calls(blocking=True, raises=KeyboardInterrupt()),
            proposes("Crashed", decided()),
        ),
    ),
)

RETRIES = (
    Case(
        "is tried again at once",
        [FAILURE, 1],
        "Pending Running AwaitingRetry Retrying Completed",
        options={"retries": 1},
        value=1,
        logs="The flow run is tried again at once.",
        executions=2,
        script=(
            *START,
            calls(raises=FAILURE),
            *ENDED,
            proposes("Failed", decided(Verb.REJECT, AGAIN)),
            proposes("Retrying", decided(run_count=2)),
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided()),
        ),
    ),
    Case(
        "is tried again after a delay",
        [FAILURE, 1],
        "Pending Running AwaitingRetry Retrying Completed",
        options={"retries": 1, "retry_delay_seconds": 0.01},
        value=1,
        executions=2,
        script=(
            *START,
            calls(raises=FAILURE),
            *ENDED,
            proposes("Failed", decided(Verb.REJECT, LATER)),
            sleeps(),
            proposes("Retrying", decided(run_count=2)),
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided()),
        ),
    ),
    Case(
        "is tried again at no time that is known",
        [FAILURE],
        "",
        value=1,
        script=(
            *START,
            calls(raises=FAILURE),
            *ENDED,
            proposes("Failed", decided(Verb.REJECT, State(type=StateType.SCHEDULED, name="AwaitingRetry"))),
            proposes("Retrying", decided(run_count=2)),
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided()),
        ),
    ),
    Case(
        "uses up its retries",
        [FAILURE],
        "Pending Running AwaitingRetry Retrying AwaitingRetry Retrying Failed",
        options={"retries": 2},
        raises=ValueError,
        executions=3,
    ),
    Case(
        "is interrupted while it waits",
        [FAILURE],
        "",
        raises=KeyboardInterrupt,
        script=(
            *START,
            calls(raises=FAILURE),
            *ENDED,
            proposes("Failed", decided(Verb.REJECT, LATER)),
            sleeps(raises=KeyboardInterrupt()),
            proposes("Crashed", decided()),
        ),
    ),
    Case(
        "is cancelled while it waits",
        [FAILURE],
        "",
        options={"on_cancellation": [do_nothing]},
        raises=errors.CancelledRun,
        script=(
            *START,
            calls(raises=FAILURE),
            *ENDED,
            proposes("Failed", decided(Verb.REJECT, LATER)),
            sleeps(woken=True),
            proposes("Retrying", decided(Verb.REJECT, State(type=StateType.CANCELLED))),
            calls(),
        ),
    ),
    Case(
        "is tried again by somebody else",
        [FAILURE],
        "",
        raises=errors.UnfinishedRun,
        script=(*START, calls(raises=FAILURE), *ENDED, proposes("Failed", decided_policy("reschedule"))),
    ),
)

DECISIONS = (
    Case(
        "waits to be let in",
        [1],
        "",
        value=1,
        script=(
            *PREPARE,
            proposes("Running", decided(Verb.WAIT, State(type=StateType.PENDING), "no slot", 7.0)),
            sleeps(7.0),
            proposes("Running", decided(Verb.WAIT, State(type=StateType.PENDING), "no slot")),
            sleeps(0.0),
            proposes("Running", decided()),
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided()),
        ),
    ),
    Case(
        "waits to be let in and is interrupted",
        [1],
        "",
        raises=SystemExit,
        script=(
            *PREPARE,
            proposes("Running", decided(Verb.WAIT, State(type=StateType.PENDING), "no slot", 7.0)),
            sleeps(7.0, raises=SystemExit()),
            proposes("Crashed", decided()),
        ),
    ),
    Case(
        "is told to stop before it begins",
        [1],
        "",
        raises=errors.CancelledRun,
        says="somebody else has it",
        script=(
            *PREPARE,
            proposes("Running", decided(Verb.ABORT, State(type=StateType.PENDING), "somebody else has it")),
        ),
    ),
    Case(
        "is told to stop before it begins, and not why",
        [1],
        "",
        raises=errors.CancelledRun,
        says="does not let this run start",
        script=(*PREPARE, proposes("Running", decided(Verb.ABORT, State(type=StateType.PENDING)))),
    ),
    Case(
        "has ended before it begins",
        [1],
        "",
        options={"on_cancellation": [do_nothing]},
        raises=errors.CancelledRun,
        script=(*PREPARE, proposes("Running", decided(Verb.REJECT, State(type=StateType.CANCELLED))), calls()),
    ),
    Case(
        "is put off before it begins",
        [1],
        "",
        raises=errors.CancelledRun,
        says="later",
        script=(*PREPARE, proposes("Running", decided(Verb.REJECT, State(type=StateType.SCHEDULED), "later"))),
    ),
    Case(
        "is being cancelled before it begins",
        [1],
        "",
        raises=errors.CancelledRun,
        script=(
            *PREPARE,
            proposes("Running", decided(Verb.REJECT, State(type=StateType.CANCELLING))),
            proposes("Cancelled", decided()),
        ),
    ),
    Case(
        "is fenced before it begins",
        [1],
        "",
        raises=errors.CrashedRun,
        says="over",
        script=(*PREPARE, proposes("Running", raises=errors.StaleEpoch("attempt 1 is over"))),
    ),
    Case(
        "is fenced when it ends",
        [1],
        "",
        raises=errors.CrashedRun,
        says="over",
        script=(
            *START,
            calls(returns=1),
            *ENDED,
            proposes("Completed", raises=errors.StaleEpoch("attempt 1 is over")),
        ),
    ),
    Case(
        "is told to stop when it ends",
        [1],
        "",
        raises=errors.CancelledRun,
        says="taken over",
        script=(*START, calls(returns=1), *ENDED, proposes("Completed", decided(Verb.ABORT, RUNNING, "taken over"))),
    ),
    Case(
        "is told to stop when it ends, having crashed",
        [1],
        "",
        raises=errors.CrashedRun,
        script=(
            *START,
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided(Verb.ABORT, State(type=StateType.CRASHED))),
        ),
    ),
    Case(
        "is being cancelled when it ends",
        [1],
        "",
        options={"on_cancellation": [do_nothing], "on_completion": [explode]},
        raises=errors.CancelledRun,
        says="the run itself was",
        script=(
            *START,
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided(Verb.REJECT, State(type=StateType.CANCELLING))),
            proposes("Cancelled", decided()),
            calls(),
        ),
    ),
    Case(
        "is being cancelled for ever",
        [1],
        "",
        raises=errors.CancelledRun,
        script=(
            *START,
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided(Verb.REJECT, State(type=StateType.CANCELLING))),
            proposes("Cancelled", decided(Verb.REJECT, State(type=StateType.CANCELLING))),
        ),
    ),
    Case(
        "is paused when it ends",
        [1],
        "",
        raises=errors.PausedRun,
        script=(
            *START,
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided(Verb.REJECT, State(type=StateType.PAUSED))),
        ),
    ),
    Case(
        "is let in again where it is in already",
        [1],
        "",
        value=1,
        script=(
            *PREPARE,
            proposes("Running", decided(Verb.REJECT, RUNNING, "This transition has been made already.")),
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided()),
        ),
    ),
)

OUTAGES = (
    Case(
        "cannot be created",
        [1],
        "",
        raises=errors.Unavailable,
        script=(calls(), asks(CreateFlowRun, raises=errors.Unavailable("gone"))),
    ),
    Case(
        "cannot be let in",
        [1],
        "",
        raises=errors.Unavailable,
        script=(*PREPARE, proposes("Running", raises=errors.Unavailable("gone"))),
    ),
    Case(
        "cannot say how it ended",
        [1],
        "",
        options={"on_completion": [do_nothing]},
        value=1,
        script=(
            *START,
            calls(returns=1),
            *ENDED,
            proposes("Completed", raises=errors.Unavailable("gone")),
            calls(),
        ),
    ),
    Case(
        "is refused when it is created",
        [1],
        "",
        raises=errors.InvalidRequest,
        script=(calls(), asks(CreateFlowRun, raises=errors.InvalidRequest("too long a name"))),
    ),
    Case(
        "is refused when it ends",
        [1],
        "",
        raises=errors.InvalidRequest,
        script=(
            *START,
            calls(returns=1),
            *ENDED,
            proposes("Completed", raises=errors.InvalidRequest("no such thing")),
            proposes("Failed", decided()),
        ),
    ),
)

INTERRUPTS = (
    Case(
        "is interrupted when it is prepared",
        [1],
        "",
        raises=KeyboardInterrupt,
        script=(
            calls(raises=KeyboardInterrupt()),
            asks(CreateFlowRun, created),
            proposes("Crashed", decided()),
        ),
    ),
    Case(
        "is interrupted before it is created",
        [1],
        "",
        raises=KeyboardInterrupt,
        script=(
            calls(),
            asks(CreateFlowRun, raises=KeyboardInterrupt()),
            proposes("Crashed", raises=errors.ObjectNotFound("no such run")),
        ),
    ),
    Case(
        "is interrupted when it is let in",
        [1],
        "",
        raises=KeyboardInterrupt,
        script=(*PREPARE, proposes("Running", raises=KeyboardInterrupt()), proposes("Crashed", decided())),
    ),
    Case(
        "is interrupted when it says how it ended",
        [1],
        "",
        raises=KeyboardInterrupt,
        script=(
            *START,
            calls(returns=1),
            *ENDED,
            proposes("Completed", raises=KeyboardInterrupt()),
            proposes("Crashed", decided(Verb.REJECT, State(type=StateType.COMPLETED))),
        ),
    ),
)

TIMEOUTS = (
    Case(
        "takes too long",
        [HANG],
        "Pending Running TimedOut",
        options={"timeout_seconds": 0.02},
        raises=errors.FlowRunTimeoutError,
        says="exceeded its time limit of 0.02 seconds",
        script=(
            *START,
            calls(raises=DeadlineExceeded(0.02), timeout=0.02),
            proposes("TimedOut", decided(), type=StateType.FAILED),
        ),
    ),
    Case(
        "waits too long for its tasks",
        by(lambda x: Task(hang).submit() and None),
        "Pending Running TimedOut",
        options={"timeout_seconds": 0.05},
        raises=errors.FlowRunTimeoutError,
        says="exceeded its time limit of 0.05 seconds",
    ),
    Case("is in time", [1], DONE, options={"timeout_seconds": 60}, value=1),
    Case(
        "raises a timeout error of its own",
        [TimeoutError("mine")],
        FAILED,
        options={"timeout_seconds": 60},
        raises=TimeoutError,
        says="mine",
    ),
)

PARAMETERS = (
    Case("converts its parameters", by(lambda x: x), DONE, arguments=["5"], annotation=int, value=5),
    Case(
        "is given a parameter of the wrong type",
        [1],
        UNSTARTED,
        arguments=["five"],
        annotation=int,
        raises=errors.ParameterTypeError,
        says="x='five'",
        executions=0,
        script=(*PREPARE, proposes("Failed", decided())),
    ),
    Case(
        "does not look at its parameters",
        by(lambda x: x),
        DONE,
        arguments=["five"],
        annotation=int,
        options={"validate_parameters": False},
        value="five",
    ),
    Case("is given a future", by(lambda x: x), DONE, arguments=[ended(Completed(data=3))], value=3),
    Case("is given what is quoted", by(lambda x: x), DONE, arguments=[quote([1])], value=[1]),
    Case(
        "is given one that failed",
        [1],
        UNSTARTED,
        arguments=[ended(Failed("oh"))],
        raises=UpstreamFailed,
        says="did not reach a 'COMPLETED' state",
        executions=0,
    ),
    Case(
        "allows a failure",
        by(lambda x: x),
        DONE,
        arguments=[allow_failure(ended(Failed(data=FAILURE)))],
        value=FAILURE,
    ),
    Case(
        "waits for one that failed",
        [1],
        UNSTARTED,
        keywords={"wait_for": [ended(Failed("oh"))]},
        raises=UpstreamFailed,
        says="did not reach",
    ),
)

KEEPING = (
    Case(
        "keeps its value",
        [7],
        DONE,
        options={"persist_result": True},
        value=7,
        script=(
            *START,
            calls(returns=7),
            *ENDED,
            asks(StoreResult, kept, value=7),
            proposes("Completed", decided()),
        ),
    ),
    Case(
        "returns what cannot be pickled",
        by(lambda x: threading.Lock()),
        FAILED,
        options={"persist_result": True},
        raises=errors.SerializationError,
    ),
    Case(
        "returns what JSON cannot hold",
        by(lambda x: object()),
        FAILED,
        options={"persist_result": True, "result_serializer": "json"},
        raises=errors.SerializationError,
    ),
)

NAMING = (
    Case("is named by a template", [1], DONE, options={"flow_run_name": "train {x}"}, arguments=["a"], value=1),
    Case(
        "is named by a function of its parameters",
        [1],
        DONE,
        options={"flow_run_name": name_of_x},
        arguments=["a"],
        value=1,
    ),
    Case(
        "has a name that cannot be filled",
        [1],
        UNSTARTED,
        options={"flow_run_name": "train {y}"},
        raises=errors.UsageError,
        says="The run name of 'work' cannot be made: KeyError: 'y'",
    ),
    Case(
        "has a naming function that exits", [1], "Pending Crashed", options={"flow_run_name": leave}, raises=SystemExit
    ),
)

HOOKS = (
    Case(
        "has hooks",
        [1],
        DONE,
        options={"on_running": [do_nothing], "on_completion": [do_nothing], "on_failure": [explode]},
        value=1,
        script=(
            *START,
            calls(),
            calls(returns=1),
            *ENDED,
            proposes("Completed", decided()),
            calls(),
        ),
    ),
    Case(
        "has hooks that fail",
        [FAILURE],
        FAILED,
        options={"on_running": [explode], "on_failure": [explode, do_nothing]},
        raises=ValueError,
        logs="Hook 'explode' failed on state Failed: LookupError('no such thing')",
    ),
    Case(
        "crashes and has hooks",
        [SystemExit(1)],
        CRASHED,
        options={"on_crashed": [explode], "on_failure": [leave]},
        raises=SystemExit,
        logs="Hook 'explode' failed on state Crashed",
    ),
    Case(
        "has a hook that is interrupted before it begins",
        [1],
        CRASHED,
        options={"on_running": [interrupt]},
        raises=KeyboardInterrupt,
        executions=0,
    ),
    Case(
        "has a hook that exits when it has ended",
        [1],
        DONE,
        options={"on_completion": [leave, explode]},
        raises=SystemExit,
    ),
)


def hang() -> None:
    threading.Event().wait()


FLOW_CASES = (
    *ENDINGS, *RETURNED, *RETRIES, *DECISIONS, *OUTAGES, *INTERRUPTS, *TIMEOUTS, *PARAMETERS, *KEEPING, *NAMING, *HOOKS,
)  # fmt: skip
