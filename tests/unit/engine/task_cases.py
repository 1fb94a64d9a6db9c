"""The cases of a task run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.cache_policies import INPUTS
from headrace.engine.futures import Future, allow_failure, quote, unmapped
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.requests import FindResult, StoreResult
from headrace.engine.results import Result, StoredResult
from headrace.rules.retries import exponential_backoff
from headrace.schema.fact import TaskNameFact, TaskRunFact
from headrace.states import (
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Failed,
    Paused,
    Pending,
    Running,
    Scheduled,
    State,
    StateType,
)
from headrace.testing import Step, asks, calls, emits, enters, sleeps
from tests.unit.engine.cases import HANG, Case, kept

START = (emits(TaskRunFact), enters("Pending"))
RUN = (*START, enters("Running"))
RECORD = StoredResult("key", "/nowhere", "pickle", 1)


_ID = uuid7()


def ended(state: State) -> Future[Any]:
    """A future of a run that has ended so."""
    future: Future[Any] = Future(state.id or state.state_details.task_run_id or _ID, "upstream")
    future.end(state)
    return future


def explode(*_: Any) -> Any:
    raise LookupError("no such thing")


def interrupt(*_: Any) -> Any:
    raise KeyboardInterrupt


def leave(*_: Any) -> Any:
    raise SystemExit(3)


def by(function: Callable[[Any], Any]) -> Sequence[Any]:
    """What a function does that is called with the argument."""
    return [function]


def returning(state: State) -> Callable[[Any], State]:
    return lambda x: state


def never(task: Any, run: Any, state: State) -> bool:
    return False


def for_values(task: Any, run: Any, state: State) -> bool:
    return isinstance(state.data, ValueError)


def key_of_x(context: Any, inputs: dict[str, Any]) -> str:
    return f"always-{inputs['x']}"


def no_key(context: Any, inputs: dict[str, Any]) -> None:
    return None


def name_of_x(parameters: dict[str, Any]) -> str:
    return f"load {parameters['x']}"


def no_context() -> str:
    raise errors.MissingContextError("none here")


def do_nothing(*_: Any) -> None:
    pass


def failing(*delays: float, last: Step) -> Sequence[Step]:
    """A script that fails, waits this long, and tries again, and then comes to `last`."""
    steps: list[Step] = [*RUN]
    for delay in delays:
        steps += (calls(raises=ValueError("no")), enters("AwaitingRetry", "ValueError: no"))
        steps += (*([sleeps(delay)] if delay else []), enters("Retrying"))
    return (*steps, last)


FAILURE = ValueError("no")
DONE = "Pending Running Completed"
FAILED = "Pending Running Failed"
CRASHED = "Pending Running Crashed"

ENDINGS = (
    Case("returns a value", [42], DONE, value=42, script=(*RUN, calls(returns=42), enters("Completed"))),
    Case("returns nothing", [None], DONE, value=None, script=(*RUN, calls(returns=None), enters("Completed"))),
    Case("gives back its argument", by(lambda x: x + 1), DONE, arguments=[1], value=2, executions=1),
    Case("returns an exception", by(lambda x: FAILURE), DONE, arguments=[1], value=FAILURE),
    Case(
        "raises",
        [FAILURE],
        FAILED,
        raises=ValueError,
        says="no",
        logs="Task run failed with ValueError: no",
        script=(*RUN, calls(raises=FAILURE), enters("Failed", "ValueError: no")),
    ),
    Case("raises an error of ours", [errors.UsageError("not so")], FAILED, raises=errors.UsageError, says="not so"),
    Case(
        "is interrupted",
        [KeyboardInterrupt()],
        CRASHED,
        raises=KeyboardInterrupt,
        logs="Execution was interrupted by KeyboardInterrupt.",
        script=(*RUN, calls(raises=KeyboardInterrupt()), enters("Crashed")),
    ),
    Case("exits", [SystemExit(1)], CRASHED, options={"retries": 3}, raises=SystemExit, executions=1),
    Case("is cancelled", [asyncio.CancelledError()], CRASHED, raises=asyncio.CancelledError),
    Case(
        "is durable",
        [1],
        DONE,
        options={"durable": True},
        value=1,
        script=(*RUN, calls(returns=1), asks(StoreResult, kept), enters("Completed", durable=True)),
    ),
    Case(
        "fails durably",
        [FAILURE],
        FAILED,
        options={"durable": True},
        raises=ValueError,
        script=(*RUN, calls(raises=FAILURE), enters("Failed", durable=True)),
    ),
    Case(
        "returns its state",
        [1],
        DONE,
        keywords={"return_state": True},
    ),
)

RETRIES = (
    Case(
        "is tried again at once",
        [FAILURE, 1],
        "Pending Running AwaitingRetry Retrying Completed",
        options={"retries": 1},
        value=1,
        logs="Task run failed with ValueError: no - retry 1/1 starts at once",
        executions=2,
        script=(*failing(0, last=calls(returns=1)), enters("Completed")),
    ),
    Case(
        "returns a failed state, is tried again and succeeds",
        [Failed("so"), 1],
        "Pending Running AwaitingRetry Retrying Completed",
        options={"retries": 1},
        value=1,
        logs="Task run failed with so - retry 1/1 starts at once",
        executions=2,
        script=(
            *RUN,
            calls(returns=Failed("so")),
            enters("AwaitingRetry", "so"),
            enters("Retrying"),
            calls(returns=1),
            enters("Completed"),
        ),
    ),
    Case(
        "returns failed states until its retries are used up",
        [[Failed(name="Rejected")], Failed(name="Rejected")],
        "Pending Running AwaitingRetry Retrying Rejected",
        options={"retries": 1},
        raises=errors.FailedRun,
        logs="Task run failed with 1/1 states failed.",
        executions=2,
    ),
    Case(
        "returns a failed state that the condition does not let try again",
        [Failed("so"), 1],
        FAILED,
        options={"retries": 1, "retry_condition_fn": for_values},
        raises=errors.FailedRun,
        executions=1,
    ),
    Case(
        "returns a failed state and waits for its next try",
        [Failed(), 1],
        "Pending Running AwaitingRetry Retrying Completed",
        options={"retries": 1, "retry_delay_seconds": 0.001},
        value=1,
        logs="Task run failed with Failed() - retry 1/1",
    ),
    Case(
        "is tried again after a delay, until it succeeds",
        [FAILURE, FAILURE, 1],
        "Pending Running AwaitingRetry Retrying AwaitingRetry Retrying Completed",
        options={"retries": 5, "retry_delay_seconds": 0.001},
        value=1,
        script=(*failing(0.001, 0.001, last=calls(returns=1)), enters("Completed")),
    ),
    Case(
        "uses up its retries, each with a delay of its own",
        [FAILURE],
        "Pending Running AwaitingRetry Retrying AwaitingRetry Retrying AwaitingRetry Retrying Failed",
        options={"retries": 3, "retry_delay_seconds": [0.001, 0.002]},
        raises=ValueError,
        logs="Task run failed with ValueError: no - its retries are exhausted",
        executions=4,
        script=(*failing(0.001, 0.002, 0.002, last=calls(raises=FAILURE)), enters("Failed")),
    ),
    Case(
        "waits longer each time",
        [FAILURE, FAILURE, 1],
        "Pending Running AwaitingRetry Retrying AwaitingRetry Retrying Completed",
        options={"retries": 2, "retry_delay_seconds": exponential_backoff(0.001)},
        value=1,
        script=(*failing(0.001, 0.002, last=calls(returns=1)), enters("Completed")),
    ),
    Case(
        "waits a random while",
        [FAILURE, 1],
        "Pending Running AwaitingRetry Retrying Completed",
        options={"retries": 1, "retry_delay_seconds": 0.001, "retry_jitter_factor": 1.0},
        value=1,
        script=(
            *RUN,
            calls(raises=FAILURE),
            enters("AwaitingRetry"),
            sleeps(),
            enters("Retrying"),
            calls(returns=1),
            enters("Completed"),
        ),
    ),
    Case(
        "is interrupted while it waits",
        [FAILURE],
        "",
        options={"retries": 1, "retry_delay_seconds": 1},
        raises=KeyboardInterrupt,
        script=(
            *RUN,
            calls(raises=FAILURE),
            enters("AwaitingRetry"),
            sleeps(raises=KeyboardInterrupt()),
            enters("Crashed"),
        ),
    ),
    Case(
        "is cancelled with its flow while it waits",
        [FAILURE],
        "",
        options={"retries": 1, "retry_delay_seconds": 1},
        raises=errors.CancelledRun,
        script=(*RUN, calls(raises=FAILURE), enters("AwaitingRetry"), sleeps(woken=True), enters("Cancelled")),
    ),
    Case(
        "may not be tried again",
        [FAILURE],
        FAILED,
        options={"retries": 3, "retry_condition_fn": never},
        raises=ValueError,
        executions=1,
        script=(*RUN, calls(raises=FAILURE), calls(returns=False), enters("Failed")),
    ),
    Case(
        "may be tried again",
        [FAILURE, 1],
        "Pending Running AwaitingRetry Retrying Completed",
        options={"retries": 3, "retry_condition_fn": for_values},
        value=1,
    ),
    Case(
        "has a retry condition that fails",
        [FAILURE],
        FAILED,
        options={"retries": 3, "retry_condition_fn": explode},
        raises=ValueError,
        logs="The retry condition failed, so there is no retry: LookupError('no such thing')",
        executions=1,
    ),
    Case(
        "has a retry condition that exits",
        [FAILURE],
        CRASHED,
        options={"retries": 3, "retry_condition_fn": leave},
        raises=SystemExit,
        executions=1,
    ),
)

TIMEOUTS = (
    Case(
        "takes too long",
        [HANG],
        "Pending Running TimedOut",
        options={"timeout_seconds": 0.02},
        raises=errors.TaskRunTimeoutError,
        says="exceeded its time limit of 0.02 seconds",
        script=(*RUN, calls(raises=DeadlineExceeded(0.02), timeout=0.02), enters("TimedOut")),
    ),
    Case(
        "takes too long the first time",
        [HANG, 1],
        "Pending Running AwaitingRetry Retrying Completed",
        options={"timeout_seconds": 0.02, "retries": 1},
        value=1,
    ),
    Case("is in time", [1], DONE, options={"timeout_seconds": 60}, value=1),
    Case("raises in time", [FAILURE], FAILED, options={"timeout_seconds": 60}, raises=ValueError),
    Case(
        "raises a timeout error of its own",
        [TimeoutError("mine")],
        FAILED,
        options={"timeout_seconds": 60},
        raises=TimeoutError,
        says="mine",
    ),
    Case(
        "passes on the timeout of a run it called",
        [errors.TaskRunTimeoutError("another's")],
        FAILED,
        raises=errors.TaskRunTimeoutError,
        says="another's",
    ),
)

CACHING = (
    Case(
        "is not known yet",
        [1],
        DONE,
        options={"cache_policy": INPUTS},
        arguments=["a"],
        value=1,
        script=(
            *START,
            calls(),
            asks(FindResult),
            enters("Running"),
            calls(returns=1),
            asks(StoreResult, kept, value=1),
            enters("Completed"),
        ),
    ),
    Case(
        "is known already",
        [1, 2],
        "Pending Cached",
        options={"cache_policy": INPUTS},
        arguments=["a"],
        calls=2,
        value=1,
        executions=1,
        script=(*START, calls(), asks(FindResult, Result(1, RECORD)), enters("Cached", data=RECORD)),
    ),
    Case(
        "is known, but for too long",
        [1, 2],
        DONE,
        options={"cache_policy": INPUTS, "cache_expiration": timedelta(seconds=-1)},
        arguments=["a"],
        calls=2,
        value=2,
        executions=2,
    ),
    Case(
        "is known, and for a while yet",
        [1, 2],
        "Pending Cached",
        options={"cache_policy": INPUTS, "cache_expiration": timedelta(days=1)},
        arguments=["a"],
        calls=2,
        value=1,
        executions=1,
    ),
    Case(
        "is known, but to be computed anew",
        [1, 2],
        DONE,
        options={"cache_policy": INPUTS, "refresh_cache": True},
        arguments=["a"],
        calls=2,
        value=2,
        executions=2,
    ),
    Case(
        "is known, and not kept in memory",
        [[1], [2]],
        "Pending Cached",
        options={"cache_policy": INPUTS, "cache_result_in_memory": False},
        arguments=["a"],
        calls=2,
        value=[1],
        executions=1,
    ),
    Case(
        "is known under a name of its own",
        [1, 2],
        "Pending Cached",
        options={"cache_policy": INPUTS, "result_storage_key": "result-of-{parameters[x]}"},
        arguments=["a"],
        calls=2,
        value=1,
        executions=1,
    ),
    Case(
        "has a key function",
        [1, 2],
        "Pending Cached",
        options={"cache_key_fn": key_of_x},
        arguments=["a"],
        calls=2,
        value=1,
        executions=1,
    ),
    Case(
        "has a key function that gives no key",
        [1, 2],
        DONE,
        options={"cache_key_fn": no_key},
        calls=2,
        value=2,
        executions=2,
        script=(
            *START,
            calls(),
            enters("Running"),
            calls(returns=2),
            asks(StoreResult, kept),
            enters("Completed"),
        ),
    ),
    Case(
        "has a broken key function",
        [1, 2],
        DONE,
        options={"cache_key_fn": explode},
        calls=2,
        value=2,
        logs="No cache key could be computed",
        executions=2,
    ),
    Case(
        "has a key function that is interrupted",
        [1],
        "Pending Crashed",
        options={"cache_key_fn": interrupt},
        raises=KeyboardInterrupt,
        executions=0,
    ),
    Case(
        "has an argument without a digest",
        [1],
        DONE,
        options={"cache_policy": INPUTS},
        arguments=lambda: [threading.Lock()],
        value=1,
        logs="has no stable digest",
    ),
    Case(
        "looks for its value and is interrupted",
        [1],
        "",
        options={"cache_policy": INPUTS},
        raises=KeyboardInterrupt,
        script=(*START, calls(), asks(FindResult, raises=KeyboardInterrupt()), enters("Crashed")),
    ),
)

UPSTREAM = (
    Case("is given a state", by(lambda x: x), DONE, arguments=[Completed(data=3)], value=3),
    Case("is given a future", by(lambda x: x), DONE, arguments=[ended(Completed(data=3))], value=3),
    Case(
        "is given futures at any depth",
        by(lambda x: x),
        DONE,
        arguments=[{"a": [ended(Completed(data=3)), (ended(Completed(data=4)), {5})]}],
        value={"a": [3, (4, {5})]},
    ),
    Case(
        "is given one that failed",
        [1],
        "Pending NotReady",
        arguments=[ended(Failed("oh"))],
        raises=errors.UnfinishedRun,
        executions=0,
        script=(*START, calls(blocking=True), enters("NotReady")),
    ),
    Case("is given a failed state", [1], "Pending NotReady", arguments=[Failed("oh")], raises=errors.UnfinishedRun),
    Case(
        "allows a failure",
        by(lambda x: x),
        DONE,
        arguments=[allow_failure(ended(Failed(data=FAILURE)))],
        value=FAILURE,
    ),
    Case("allows a failure that is none", by(lambda x: x), DONE, arguments=[allow_failure(7)], value=7),
    Case(
        "is given what is quoted",
        by(lambda x: x.state.message),
        DONE,
        arguments=[quote(ended(Failed("as it is")))],
        value="as it is",
    ),
    Case("is given what is unmapped", by(lambda x: x), DONE, arguments=[unmapped([1])], value=[1]),
    Case(
        "waits for one that failed",
        [1],
        "Pending NotReady",
        keywords={"wait_for": [ended(Failed("oh"))]},
        raises=errors.UnfinishedRun,
    ),
    Case("waits for one", [1], DONE, keywords={"wait_for": ended(Completed())}, value=1),
    Case(
        "is given a value that was not kept",
        [1],
        "Pending Failed",
        arguments=[State(type=StateType.COMPLETED, data={"storage_key": "x"})],
        raises=errors.MissingResult,
    ),
    Case(
        "is interrupted while it waits for another",
        [1],
        "",
        arguments=[ended(Completed(data=3))],
        raises=KeyboardInterrupt,
        script=(*START, calls(blocking=True, raises=KeyboardInterrupt()), enters("Crashed")),
    ),
)

RETURNED = (
    Case("returns a completed state", by(lambda x: Completed("well", data=5)), DONE, value=5),
    Case("returns a completed state without a value", by(lambda x: Completed("well")), DONE, value=None),
    Case("returns a named state", by(lambda x: Completed(data=5, name="Skipped")), "Pending Running Skipped", value=5),
    Case("returns a failed state", by(lambda x: Failed("so")), FAILED, raises=errors.FailedRun, says="so"),
    Case("returns a state with an error", by(lambda x: Failed(data=FAILURE)), FAILED, raises=ValueError),
    Case(
        "returns a cancelled state",
        by(lambda x: Cancelled("so")),
        "Pending Running Cancelled",
        raises=errors.CancelledRun,
        says="so",
    ),
    Case("returns a crashed state", by(lambda x: Crashed("so")), CRASHED, raises=errors.CrashedRun, says="so"),
    *(
        Case(
            f"returns the state {state.name}",
            by(returning(state)),
            FAILED,
            raises=errors.FailedRun,
            says="in which no run ends",
        )
        for state in (Scheduled(), Pending(), Running(), Paused(), Cancelling())
    ),
    Case(
        "returns completed states",
        by(lambda x: [Completed(data=1), Completed(data=2)]),
        DONE,
        value=[1, 2],
    ),
    Case(
        "returns states of which one failed",
        by(lambda x: (Completed(data=1), Failed(data=FAILURE))),
        FAILED,
        raises=ValueError,
    ),
    Case(
        "returns states of which two failed without an error",
        by(lambda x: [Failed("a"), Completed(), Failed("b")]),
        FAILED,
        raises=errors.FailedRun,
        says="2/3 states failed.",
    ),
    Case(
        "returns states of which one crashed",
        by(lambda x: [Crashed("a"), Failed("b")]),
        FAILED,
        raises=errors.FailedRun,
        says="1/2 states crashed.",
    ),
    Case(
        "returns states of which one was cancelled",
        by(lambda x: [Cancelled("a"), Failed("b")]),
        "Pending Running Cancelled",
        raises=errors.CancelledRun,
        says="1/2 states cancelled.",
    ),
    Case(
        "returns states of which one has not ended",
        by(lambda x: [Running(), Completed()]),
        FAILED,
        raises=errors.FailedRun,
        says="1/2 states are not final.",
    ),
    Case("returns a future", by(lambda x: ended(Completed(data=9))), DONE, value=9),
    Case("returns a failed future", by(lambda x: ended(Failed(data=FAILURE))), FAILED, raises=ValueError),
    Case(
        "returns futures",
        by(lambda x: [ended(Completed(data=1)), ended(Completed(data=2))]),
        DONE,
        value=[1, 2],
        script=(
            *RUN,
            calls(returns=[ended(Completed(data=1)), ended(Completed(data=2))]),
            calls(blocking=True),
            enters("Completed", "All states completed."),
        ),
    ),
    Case("returns an empty list", by(lambda x: []), DONE, value=[]),
    Case("returns a list of a state and more", by(lambda x: [Failed("no matter"), 1][1:]), DONE, value=[1]),
    Case("returns what is quoted", by(lambda x: quote([1])), DONE, value=[1]),
    Case(
        "returns states of which one has no value here",
        by(lambda x: [State(type=StateType.COMPLETED, data={"storage_key": "x"})]),
        FAILED,
        raises=errors.MissingResult,
    ),
    Case(
        "returns a future and is interrupted while that is awaited",
        [1],
        "",
        raises=KeyboardInterrupt,
        script=(
            *RUN,
            calls(returns=ended(Completed())),
            calls(blocking=True, raises=KeyboardInterrupt()),
            enters("Crashed"),
        ),
    ),
)

KEEPING = (
    Case(
        "keeps its value",
        [7],
        DONE,
        options={"persist_result": True},
        value=7,
        script=(*RUN, calls(returns=7), asks(StoreResult, kept, value=7, cache_key=None), enters("Completed")),
    ),
    Case(
        "keeps its value as JSON, on disk only",
        [{"a": 1}],
        DONE,
        options={"persist_result": True, "result_serializer": "json", "cache_result_in_memory": False},
        value={"a": 1},
    ),
    Case(
        "returns what JSON cannot hold",
        by(lambda x: object()),
        FAILED,
        options={"persist_result": True, "result_serializer": "json"},
        raises=errors.SerializationError,
        says="cannot be written as JSON",
    ),
    Case(
        "returns what cannot be pickled",
        by(lambda x: threading.Lock()),
        FAILED,
        options={"persist_result": True},
        raises=errors.SerializationError,
    ),
    Case(
        "keeps its value under a name that cannot be made",
        [1],
        "Pending Failed",
        options={"result_storage_key": "result-of-{y}"},
        raises=errors.UsageError,
        says="KeyError",
        executions=0,
    ),
    Case(
        "keeps its value and is interrupted",
        [7],
        "",
        options={"persist_result": True},
        raises=KeyboardInterrupt,
        script=(*RUN, calls(returns=7), asks(StoreResult, raises=KeyboardInterrupt()), enters("Crashed")),
    ),
    Case(
        "cannot keep its value for a reason nobody thought of",
        [7],
        "",
        options={"persist_result": True},
        raises=LookupError,
        script=(
            *RUN,
            calls(returns=7),
            asks(StoreResult, raises=LookupError("disk on strike")),
            enters("Failed", "LookupError: disk on strike"),
        ),
    ),
)

NAMING = (
    Case(
        "is named by a template",
        [1],
        DONE,
        options={"task_run_name": "load {x}"},
        arguments=["a"],
        value=1,
        script=(
            *START,
            calls(),
            emits(TaskNameFact, name="load a"),
            enters("Running"),
            calls(returns=1),
            enters("Completed"),
        ),
    ),
    Case(
        "is named by nothing",
        [1],
        DONE,
        options={"task_run_name": ""},
        value=1,
        script=(*RUN, calls(returns=1), enters("Completed")),
    ),
    Case("is named by a function", [1], DONE, options={"task_run_name": lambda: "by hand"}, value=1),
    Case(
        "is named by a function of its parameters",
        [1],
        DONE,
        options={"task_run_name": name_of_x},
        arguments=["a"],
        value=1,
    ),
    Case(
        "has a name that cannot be filled",
        [1],
        "Pending Failed",
        options={"task_run_name": "load {y}"},
        raises=errors.UsageError,
        says="The run name of 'work' cannot be made: KeyError: 'y'",
        executions=0,
    ),
    Case(
        "has a naming function that fails",
        [1],
        "Pending Failed",
        options={"task_run_name": explode},
        raises=errors.UsageError,
        says="LookupError",
    ),
    Case(
        "has a naming function that gives no text",
        [1],
        "Pending Failed",
        options={"task_run_name": lambda: 5},
        raises=errors.UsageError,
        says="returned int, not a text",
    ),
    Case(
        "has a naming function that raises an error of ours",
        [1],
        "Pending Failed",
        options={"task_run_name": no_context},
        raises=errors.MissingContextError,
    ),
    Case(
        "has a naming function that exits", [1], "Pending Crashed", options={"task_run_name": leave}, raises=SystemExit
    ),
)

HOOKS = (
    Case(
        "has hooks",
        [1],
        DONE,
        options={"on_running": [do_nothing], "on_completion": [do_nothing], "on_failure": [explode]},
        value=1,
        script=(*RUN, calls(), calls(returns=1), enters("Completed"), calls()),
    ),
    Case(
        "has hooks that fail",
        [1],
        DONE,
        options={"on_running": [explode], "on_completion": [explode, do_nothing]},
        value=1,
        logs="Hook 'explode' failed on state Completed: LookupError('no such thing')",
        script=(*RUN, calls(), calls(returns=1), enters("Completed"), calls(), calls()),
    ),
    Case(
        "fails and has hooks",
        [FAILURE],
        FAILED,
        options={"on_completion": [explode], "on_failure": [do_nothing]},
        raises=ValueError,
        script=(*RUN, calls(raises=FAILURE), enters("Failed"), calls()),
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
        script=(*RUN, calls(returns=1), enters("Completed"), calls(raises=SystemExit(3))),
    ),
)

TASK_CASES = (
    *ENDINGS, *RETRIES, *TIMEOUTS, *CACHING, *UPSTREAM, *RETURNED, *KEEPING, *NAMING, *HOOKS,
)  # fmt: skip
