"""Runs that are executed elsewhere: the same lifecycle, values that travel, processes that die, runs nobody waits for."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.cache_policies import FLOW_PARAMETERS, INPUTS
from headrace.connect import open_session
from headrace.engine import delegates, journal, lodging, opening, parcels
from headrace.engine.context import current_flow_run, current_task_run, tags
from headrace.engine.flow_definition import Flow
from headrace.engine.futures import Future, allow_failure, quote
from headrace.engine.logs import get_run_logger
from headrace.engine.parcels import Answer, UnreadableValue
from headrace.engine.results import Result
from headrace.engine.runners import remote
from headrace.engine.task_definition import Task
from headrace.engine.transactions import get_transaction
from headrace.rules.transitions import AWAITING_RETRY
from headrace.runtime import flow_run
from headrace.runtime import task_run as task_runtime
from headrace.schema.fact import LogFact, TaskRunFact
from headrace.schema.orchestration import SlotGrant, SlotRequest
from headrace.schema.run import TaskRunResult
from headrace.schema.state import State, StateType
from headrace.transactions import transaction
from tests.unit.engine.conftest import Stage
from tests.unit.engine.runners.loopback import Loopback, Shared

LIMIT = 60


@pytest.fixture(autouse=True)
def opener(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(opening, "_opener", open_session)
    monkeypatch.setattr(remote, "PATIENCE", 0.05)
    yield
    parcels.load_shared.cache_clear()


@pytest.fixture
def apart(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is executed elsewhere has a session of its own on the same database."""
    monkeypatch.setattr(lodging, "process_session", lambda: None)
    monkeypatch.setattr(lodging, "swap_session", bool)
    yield
    lodging.lodgings.close()


def double(x: int) -> int:
    return 2 * x


def run_flow(runner: Loopback, function: Any, *args: Any, **options: Any) -> Any:
    return Flow(function, name="away", task_runner=runner, **options)(*args)


# the same as on threads


def test_values_come_back_and_the_run_is_recorded_once(stage: Stage) -> None:
    runner = Loopback()
    futures: list[Future[int]] = []

    def work() -> list[int]:
        futures.extend(Task(double).map([1, 2, 3]))
        return [future.result() for future in futures]

    assert run_flow(runner, work) == [2, 4, 6]
    recorder = stage.settle()
    for future in futures:
        assert recorder.path(future.task_run_id) == ["Pending", "Running", "Completed"]
        assert [state.id for state in recorder.states(future.task_run_id)][-1] == future.state.id
        assert stage.session.gateway.read_task_run(future.task_run_id).run_count == 1
    assert runner.stops == [True]
    assert stage.session.unfinished == {}
    assert stage.session.attempts == {}


def test_futures_among_the_arguments_are_waited_for_and_traced(stage: Stage) -> None:
    go = Shared(threading.Event())

    def slow() -> int:
        assert go.it.wait(LIMIT)
        return 20

    def add(values: list[int], more: int) -> int:
        return sum(values) + more

    made: dict[str, Future[Any]] = {}

    def work() -> int:
        first, second = Task(slow).submit(), Task(double).submit(1)
        made["sum"] = Task(add).submit([first, second], first, wait_for=[second])
        made["first"] = first
        go.it.set()
        return made["sum"].result()

    assert run_flow(Loopback(), work) == 42
    fact = next(
        fact for fact in stage.settle().facts if isinstance(fact, TaskRunFact) and fact.id == made["sum"].task_run_id
    )
    (origin,) = fact.task_inputs["more"]
    assert isinstance(origin, TaskRunResult)
    assert origin.id == made["first"].task_run_id


def test_a_failed_upstream_run_keeps_those_that_need_it_from_starting(stage: Stage) -> None:
    def fail() -> None:
        raise ValueError("no")

    def show(value: Any) -> str:
        return repr(value)

    states: list[State] = []
    runner = Loopback()

    def work() -> str:
        failed = Task(fail).submit()
        states.append(Task(show).submit(failed, return_state=True))
        return Task(show).submit(allow_failure(failed)).result()

    assert run_flow(runner, work) == "ValueError('no')"
    assert states[0].name == "NotReady"
    assert len(runner.parcels) == 2


def test_an_upstream_value_that_is_gone_fails_the_run_here(stage: Stage) -> None:
    runner = Loopback()

    def work() -> State:
        first = Task(double, persist_result=True, cache_result_in_memory=False).submit(1)
        first.wait()
        data = first.state.data
        assert isinstance(data, Result)
        assert data.record is not None
        assert not data.in_memory
        stage.session.results.remove(data.record.storage_key)
        return Task(double).submit(first, return_state=True)

    state = Flow(work, name="away", task_runner=runner)(return_state=True)
    assert "MissingResult" in (state.message or "")


def test_a_run_knows_its_flow_run_its_tags_and_itself(stage: Stage) -> None:
    seen = Shared(dict[str, Any]())

    def look(n: int) -> None:
        print("looking", n)
        get_run_logger().info("by logger")
        flow = current_flow_run()
        seen.it.update(
            flow=flow_run.name, flow_name=flow_run.flow_name, parameters=flow_run.parameters,
            parent=flow_run.parent_flow_run_id, root=flow_run.root_flow_run_id,
            name=task_runtime.name, task_parameters=task_runtime.parameters, tags=task_runtime.tags,
            async_flow=flow.flow.is_async, attempt=flow.attempt, fn=flow.flow.fn(), generator=flow.flow.is_generator,
        )  # fmt: skip

    def work(n: int) -> str:
        with tags("around"):
            Task(look, tags=["own"], task_run_name="look-at-{n}").submit(n).result()
        return str(flow_run.name)

    def outer() -> tuple[str, str]:
        inner = Flow(work, name="inner", task_runner=Loopback(), log_prints=True)
        return str(current_flow_run().flow_run_id), inner(7)

    root, name = Flow(outer, name="outer")()
    assert seen.it["flow"] == name
    assert seen.it["parent"] == seen.it["root"] == root
    assert seen.it["tags"] == ["around", "own"]
    assert (seen.it["name"], seen.it["task_parameters"], seen.it["parameters"]) == ("look-at-7", {"n": 7}, {"n": 7})
    assert (seen.it["flow_name"], seen.it["async_flow"], seen.it["attempt"]) == ("inner", False, 1)
    assert (seen.it["fn"], seen.it["generator"]) == (None, False)
    lines = {
        fact.message for fact in stage.settle().facts if isinstance(fact, LogFact) and fact.task_run_id is not None
    }
    assert {"looking 7", "by logger"} <= lines


def test_async_flows_and_tasks_and_generators(stage: Stage) -> None:
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        flow = current_flow_run().flow
        assert flow.is_async
        await flow.fn()
        return x

    def count(x: int) -> Generator[int]:
        yield from range(x)

    async def work() -> tuple[int, list[int]]:
        return await Task(later).submit(3), await Task(count).submit(3)

    assert asyncio.run(Flow(work, name="away", task_runner=Loopback())()) == (3, [0, 1, 2])


def test_a_run_is_tried_again_over_there(stage: Stage) -> None:
    told = Shared(list[str | None]())

    def fail() -> None:
        raise ValueError(f"try {current_task_run().run_count}")

    def work() -> State:
        task = Task(fail, retries=2, on_failure=[lambda task, run, state: told.it.append(state.name)])
        return task.submit(return_state=True)

    state: State = Flow(work, name="away", task_runner=(runner := Loopback()))(return_state=True)
    assert state.message == "ValueError: try 3"
    assert len(runner.parcels) == 1
    assert told.it == ["Failed"]
    error = state.data
    assert isinstance(error, ValueError)
    assert "in fail" in error.__notes__[0]


@pytest.mark.parametrize(("error", "name"), [(SystemExit(3), "Crashed"), (KeyboardInterrupt(), "Crashed")])
def test_a_run_that_is_interrupted_over_there_has_crashed(stage: Stage, error: BaseException, name: str) -> None:
    def stop() -> None:
        raise error

    def work() -> str | None:
        return Task(stop).submit(return_state=True).name

    assert run_flow(Loopback(), work) == name


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_hook_that_exits_over_there_changes_nothing(stage: Stage, error: BaseException) -> None:
    def leave(*_told: object) -> None:
        raise error

    runner = Loopback()
    work = Task(double, on_completion=[leave])
    assert run_flow(runner, lambda: work.submit(2).result()) == 4
    assert len(runner.parcels) == 1
    assert [fact.state.name for fact in stage.settle().task_states()] == ["Pending", "Running", "Completed"]


def test_calls_and_subflows_within_a_run(stage: Stage) -> None:
    def below(x: int) -> int:
        return Task(double)(x) + Task(double).submit(x).result()

    def nested(x: int) -> int:
        return Flow(below, name="below")(x) + Task(double)(x) + Task(double).submit(x).result()

    assert run_flow(Loopback(), lambda: sum(Task(nested).map([1, 2]).result())) == 24
    recorder = stage.settle()
    made = [fact for fact in recorder.facts if isinstance(fact, TaskRunFact)]
    parent = recorder.flow_runs()[0]
    keys = [(fact.task_key, fact.dynamic_key) for fact in made if fact.flow_run_id == parent]
    assert len(keys) == len(set(keys)) == 8
    assert len(recorder.flow_runs()) == 3


def test_what_a_run_submits_ends_before_its_answer_is_given(stage: Stage) -> None:
    go, done = Shared(threading.Event()), Shared(threading.Event())

    def wait() -> None:
        assert go.it.wait(LIMIT)
        done.it.set()

    def leave() -> None:
        Task(wait).submit()

    def work() -> bool:
        future = Task(leave).submit()
        go.it.set()
        future.wait()
        return done.it.is_set()

    assert run_flow(Loopback(), work)


def test_values_are_kept_and_found_again(stage: Stage) -> None:
    calls = Shared(list[int]())

    def compute(x: int) -> int:
        calls.it.append(x)
        return x

    def work(x: int) -> list[str | None]:
        task = Task(compute, cache_policy=INPUTS + FLOW_PARAMETERS, cache_expiration=timedelta(days=1))
        states = [task.submit(x, return_state=True) for _ in range(2)]
        assert all(isinstance(state.data, Result) and state.data.record for state in states)
        assert [state.result() for state in states] == [x, x]
        return [state.name for state in states]

    assert run_flow(Loopback(), work, 5) == ["Completed", "Cached"]
    assert calls.it == [5]


def test_a_value_that_is_not_kept_in_memory_is_read_from_where_it_was_kept(stage: Stage) -> None:
    def work() -> int:
        state = Task(double, persist_result=True, cache_result_in_memory=False).submit(4, return_state=True)
        assert not state.data.in_memory
        return state.result()

    assert run_flow(Loopback(), work) == 8


def test_states_that_tasks_return(stage: Stage) -> None:
    def failed() -> State:
        return State(type=StateType.FAILED, message="so be it", data={"why": "because"})

    def cancelled() -> State:
        return State(type=StateType.CANCELLED)

    def work() -> list[Any]:
        states = [Task(each).submit(return_state=True) for each in (failed, cancelled)]
        return [quote([(state.name, state.message, state.data) for state in states])]

    (shown,) = run_flow(Loopback(), work)
    assert shown.unquote() == [("Failed", "so be it", {"why": "because"}), ("Cancelled", None, None)]


def test_a_run_within_a_transaction_is_executed_here(stage: Stage) -> None:
    runner, undone = Loopback(), list[int]()

    def undo(_transaction: Any) -> None:
        undone.append(1)

    def work() -> None:
        with transaction():
            Task(double, on_rollback=[undo]).submit(1).result()
            raise ValueError("no")

    assert Flow(work, name="away", task_runner=runner)(return_state=True).is_failed()
    assert runner.parcels == []
    assert undone == [1]


def test_a_task_with_hooks_of_its_own_is_a_transaction_over_there(stage: Stage) -> None:
    told = Shared(list[Any]())

    def work() -> int:
        get_transaction()
        return Task(double, on_commit=[lambda made: told.it.append(made.is_committed())]).submit(2).result()

    runner = Loopback()
    assert run_flow(runner, work) == 4
    assert len(runner.parcels) == 1
    assert told.it == [False]


def test_slots_that_are_held_around_a_run_are_not_asked_for_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def before(verb: str, request: Any) -> None:
        if verb == "find_limited":
            asked.append(request)

    stage.recorder.before = before

    def find_limited(names: list[str]) -> list[str]:
        before("find_limited", names)
        return names

    def acquire_slots(request: SlotRequest) -> SlotGrant:
        return SlotGrant(lease_id=uuid7(), names=request.names)

    monkeypatch.setattr(stage.recorder, "find_limited", find_limited, raising=False)
    monkeypatch.setattr(stage.recorder, "acquire_slots", acquire_slots, raising=False)
    monkeypatch.setattr(stage.recorder, "release_slots", bool, raising=False)

    def outer() -> int:
        return Task(double, tags=["scarce"]).submit(1).result()

    def work() -> int:
        return Task(outer, tags=["scarce"])()

    assert run_flow(Loopback(), work) == 2
    assert len(asked) == 1


# what cannot travel


def test_an_argument_that_cannot_be_sent_is_named(stage: Stage) -> None:
    lock = threading.Lock()

    def use(x: int, thing: Any) -> None: ...

    state: State = Flow(
        lambda: Task(use).submit(1, thing=lock, return_state=True), name="away", task_runner=Loopback()
    )(return_state=True)
    assert state.is_failed()
    assert (state.message or "").startswith(
        "SerializationError: Task run 'use-0': argument 'thing', a lock, cannot be sent to another process: TypeError: "
    )
    run_id = state.state_details.task_run_id
    recorder = stage.settle()
    task_runs = [fact.id for fact in recorder.facts if isinstance(fact, TaskRunFact)]
    assert recorder.path(task_runs[0]) == ["Pending", "Failed"]
    assert run_id is None or run_id != task_runs[0]


class Fickle:
    """Can be sent alone, but only once."""

    def __init__(self) -> None:
        self.times = 0

    def __reduce__(self) -> Any:
        self.times += 1
        if self.times == 1:
            raise TypeError("not now")
        return Fickle, ()


def test_arguments_that_could_not_be_sent_together(stage: Stage) -> None:
    def use(thing: Any) -> None: ...

    state = Flow(lambda: Task(use).submit(Fickle(), return_state=True), name="a", task_runner=Loopback())(
        return_state=True
    )
    assert "Task run 'use-0': the arguments cannot be sent to another process: TypeError: not now." in str(
        state.message
    )


def test_code_that_cannot_be_sent_is_named(stage: Stage) -> None:
    lock = threading.Lock()

    def use() -> None:
        lock.acquire()

    state = Flow(lambda: Task(use).submit(return_state=True), name="a", task_runner=Loopback())(return_state=True)
    assert "Task 'use' cannot be sent to another process, with what its code refers to: TypeError" in str(state.message)


def test_a_value_that_cannot_be_sent_back_fails_its_run(stage: Stage) -> None:
    def make() -> Any:
        return threading.Lock()

    state = Flow(lambda: Task(make).submit(return_state=True), name="a", task_runner=Loopback())(return_state=True)
    assert "Task run 'make-0': its value, a lock, cannot be sent back to the process of its flow: Type" in str(
        state.message
    )


def test_a_parameter_of_the_flow_that_cannot_be_sent_is_said_to_be_missing(stage: Stage) -> None:
    def look() -> dict[str, Any]:
        return flow_run.parameters

    def work(lock: Any, n: int) -> dict[str, Any]:
        return Task(look).submit().result()

    assert run_flow(Loopback(), work, threading.Lock(), 3) == {"n": 3}
    lines = [fact.message for fact in stage.settle().facts if isinstance(fact, LogFact)]
    assert any(
        "parameter 'lock' is not seen by tasks in other processes: a lock cannot be sent" in line for line in lines
    )


class Stubborn(Exception):
    """Cannot be sent."""

    def __reduce__(self) -> Any:
        raise TypeError("stubborn")


class OneWay:
    """Can be written and not be read."""

    def __reduce__(self) -> Any:
        return int, ("what",)


class OneWayError(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)

    def __reduce__(self) -> Any:  # as exceptions do, and said here: a library of the clusters teaches pickle otherwise
        return OneWayError, self.args


def test_errors_that_cannot_travel_are_told(stage: Stage) -> None:
    def stubborn() -> None:
        raise Stubborn("no")

    def one_way() -> None:
        raise OneWayError("a", "b")

    def work() -> Any:
        states = [Task(each).submit(return_state=True) for each in (stubborn, one_way)]
        return quote([state.error() for state in states])

    errors_told = run_flow(Loopback(), work)
    assert [type(error) for error in errors_told] == [errors.FailedRun, errors.FailedRun]
    assert [str(error) for error in errors_told] == ["Stubborn: no", "OneWayError: ab"]
    assert "It cannot be read here: TypeError" in errors_told[1].__notes__[0]


def test_an_interrupt_that_cannot_travel_is_told(stage: Stage) -> None:
    class Odd(BaseException):
        def __reduce__(self) -> Any:
            raise TypeError("no")

    def stop() -> None:
        raise Odd

    error = run_flow(Loopback(), lambda: quote(Task(stop).submit(return_state=True).error()))
    assert isinstance(error, errors.CrashedRun)


def test_a_value_that_cannot_be_read_here_says_so_when_it_is_asked_for(stage: Stage) -> None:
    def make() -> Any:
        return OneWay()

    def work() -> Any:
        plain = Task(make).submit(return_state=True)
        assert isinstance(plain.data, UnreadableValue)
        with pytest.raises(
            errors.SerializationError, match="'make-0': its value cannot be read in this process: Value"
        ):
            plain.result()
        kept = Task(make, persist_result=True).submit(return_state=True)
        assert isinstance(kept.data, Result)
        assert not kept.data.in_memory

    run_flow(Loopback(), work)


def test_a_task_that_cannot_be_made_again_over_there(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_content: bytes) -> Any:
        raise ModuleNotFoundError("No module named 'elsewhere'")

    monkeypatch.setattr(delegates, "load_shared", broken)
    state = Flow(lambda: Task(double).submit(1, return_state=True), name="a", task_runner=Loopback())(return_state=True)
    assert "UsageError: Task 'double' cannot be made again in process " in str(state.message)
    assert "ModuleNotFoundError: No module named 'elsewhere'." in str(state.message)


def test_what_goes_wrong_over_there_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_run: Any) -> Any:
        raise LookupError("no lifecycle")

    monkeypatch.setattr(delegates, "task_lifecycle", broken)
    state = Flow(lambda: Task(double).submit(1, return_state=True), name="a", task_runner=Loopback())(return_state=True)
    assert "Task run 'double-0' fails in process " in str(state.message)


def test_another_machine_cannot_reach_a_file(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegates, "gethostname", lambda: "elsewhere")
    state = Flow(lambda: Task(double).submit(1, return_state=True), name="a", task_runner=Loopback())(return_state=True)
    assert "Task run 'double-0' was sent to elsewhere, which cannot reach the database file on " in str(state.message)
    assert "headrace server start" in str(state.message)


def test_an_answer_without_a_reason(stage: Stage) -> None:
    runner = Loopback()
    runner.answered = lambda answer: pickle.dumps(Answer([]))
    state = Flow(lambda: Task(double).submit(1, return_state=True), name="a", task_runner=runner)(return_state=True)
    assert "The other process gave no reason." in str(state.message)


def test_an_answer_that_is_none(stage: Stage) -> None:
    runner = Loopback()
    runner.answered = lambda answer: b"?"
    state = Flow(lambda: Task(double).submit(1, return_state=True), name="a", task_runner=runner)(return_state=True)
    assert "Task run 'double-0' cannot be sent to another process: UnpicklingError" in str(state.message)


def test_a_runner_that_does_not_take_what_is_sent(stage: Stage) -> None:
    runner = Loopback()

    def refuse(_parcel: bytes) -> None:
        raise ConnectionError("no scheduler")

    runner.sent = refuse
    state = Flow(lambda: Task(double).submit(1, return_state=True), name="a", task_runner=runner)(return_state=True)
    assert "cannot be sent to another process: ConnectionError: no scheduler." in str(state.message)


# processes that die


def path_of_one(stage: Stage) -> list[str | None]:
    recorder = stage.settle()
    (run_id,) = {fact.id for fact in recorder.facts if isinstance(fact, TaskRunFact)}
    return recorder.path(run_id)


def test_a_run_whose_process_dies_is_executed_again(stage: Stage) -> None:
    runner = Loopback(deaths=2)
    assert run_flow(runner, lambda: Task(double).submit(2).result()) == 4
    assert len(runner.parcels) == 3
    assert path_of_one(stage) == ["Pending", "Running", "Completed"]


def test_a_run_whose_process_dies_each_time_has_crashed(stage: Stage) -> None:
    runner = Loopback(deaths=3)
    state = Flow(lambda: Task(double).submit(2, return_state=True), name="a", task_runner=runner)(return_state=True)
    assert state.message == "The process that executed the task run died 3 times: it was killed by signal 9 (Killed)."
    assert path_of_one(stage) == ["Pending", "Crashed"]


def test_a_run_that_is_not_to_be_executed_again_has_crashed(stage: Stage) -> None:
    runner = Loopback(deaths=1, final=True)
    state = Flow(lambda: Task(double).submit(2, return_state=True), name="a", task_runner=runner)(return_state=True)
    assert state.message == "The process that executed the task run died: it was killed by signal 9 (Killed)."


def die_in(stage: Stage, runner: Loopback, path: list[str]) -> None:
    """Have the first process die when it has told these states of its run."""
    session = stage.session

    def sent(parcel: bytes) -> None:
        if runner.parcels:
            return
        parcel_of = pickle.loads(parcel)
        flows = pickle.loads(parcel_of.flows)
        run = delegates.DelegatedTask(
            session,
            parcel_of,
            pickle.loads(parcel_of.task),
            {"x": 2},
            delegates._context_of(session, flows),  # pyright: ignore[reportPrivateUsage]
        )
        for name in path:
            kind = StateType.SCHEDULED if name == AWAITING_RETRY else StateType(name.upper())
            session.emit(run.enter(kind, name))
        session.journal.flush()

    runner.sent = sent


def test_a_run_goes_on_in_the_states_that_a_dead_process_has_told(stage: Stage) -> None:
    runner = Loopback(deaths=1)
    die_in(stage, runner, ["Running"])
    assert run_flow(runner, lambda: Task(double).submit(2).result()) == 4
    assert path_of_one(stage) == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]
    lines = [fact.message for fact in stage.settle().facts if isinstance(fact, LogFact)]
    assert "The process that executed this task run has died. It is run again." in lines


def test_a_death_costs_no_retry(stage: Stage) -> None:
    runner = Loopback(deaths=1)
    die_in(stage, runner, ["Running", AWAITING_RETRY, "Running"])

    def fail(x: int) -> None:
        raise ValueError(f"{current_task_run().run_count}")

    state = Flow(lambda: Task(fail, retries=2).submit(2, return_state=True), name="a", task_runner=runner)(
        return_state=True
    )
    assert state.message == "ValueError: 4"


def test_a_run_that_waited_for_its_retry_goes_on(stage: Stage) -> None:
    runner = Loopback(deaths=1)
    die_in(stage, runner, ["Running", AWAITING_RETRY])
    assert run_flow(runner, lambda: Task(double).submit(2).result()) == 4
    assert path_of_one(stage) == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]


def test_a_run_of_which_only_the_answer_was_lost_is_not_executed_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Shared(list[int]())

    def once(x: int) -> int:
        calls.it.append(x)
        return x

    runner = Loopback(deaths=1, late=True)
    runner.sent = lambda parcel: stage.session.journal.flush()
    monkeypatch.setattr(delegates, "SHORT", -1.0)
    assert run_flow(runner, lambda: Task(once, persist_result=True).submit(1).result()) == 1
    assert calls.it == [1]
    again = Loopback(deaths=1, late=True)
    assert run_flow(again, lambda: Task(once).submit(2).result()) == 2
    assert len(again.parcels) == 2
    assert calls.it == [1, 2, 2]


def test_a_run_that_had_failed_when_its_process_died_has_failed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegates, "SHORT", -1.0)
    calls = Shared(list[int]())

    def fail() -> None:
        calls.it.append(1)
        raise ValueError("no")

    runner = Loopback(deaths=1, late=True)
    state = Flow(lambda: Task(fail).submit(return_state=True), name="a", task_runner=runner)(return_state=True)
    assert state.message == "ValueError: no"
    assert calls.it == [1]


def test_what_may_repeat_by_itself_looks_first(stage: Stage) -> None:
    asked: list[str] = []
    stage.recorder.before = lambda verb, request: asked.append(verb)
    assert run_flow(Loopback(repeats=True), lambda: Task(double).submit(2).result()) == 4
    assert asked.count("read_task_run") == 1


@pytest.mark.parametrize(("limit", "come_along"), [(-1.0, False), (60.0, True)])
def test_what_a_short_run_tells_comes_with_its_answer(
    stage: Stage, apart: None, monkeypatch: pytest.MonkeyPatch, limit: float, come_along: bool
) -> None:
    monkeypatch.setattr(delegates, "SHORT", limit)
    monkeypatch.setattr(journal, "GATHER", 60.0)
    told: list[int] = []
    runner = Loopback()

    def answered(content: bytes) -> bytes:
        told.append(len(pickle.loads(content).facts))
        return content

    runner.answered = answered
    futures: list[Future[int]] = []

    def work() -> int:
        futures.append(Task(double).submit(2))
        return futures[0].result()

    assert run_flow(runner, work) == 4
    assert (told[0] > 0) is come_along
    stage.settle()
    assert {*stage.recorder.path(futures[0].task_run_id)} == {"Pending", "Running", "Completed"}


def test_what_others_tell_meanwhile_does_not_come_with_an_answer(
    stage: Stage, apart: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delegates, "SHORT", -1.0)
    monkeypatch.setattr(journal, "GATHER", 60.0)
    flush = journal.Journal.flush
    told: list[int] = []
    runner = Loopback()

    def flush_while_others_tell(own: journal.Journal) -> None:
        flush(own)
        own.emit(LogFact(uuid7(), "other", 20, "another run", 1))

    def answered(content: bytes) -> bytes:
        monkeypatch.setattr(journal.Journal, "flush", flush)
        told.append(len(pickle.loads(content).facts))
        return content

    runner.sent = lambda parcel: monkeypatch.setattr(journal.Journal, "flush", flush_while_others_tell)
    runner.answered = answered
    assert run_flow(runner, lambda: Task(double).submit(2).result()) == 4
    assert told == [0]


def test_what_cannot_be_recorded_over_there_comes_with_the_answer(
    stage: Stage, apart: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delegates, "SHORT", -1.0)
    monkeypatch.setattr(journal, "GATHER", 60.0)

    def refuse(_journal: Any) -> None:
        raise errors.NotAuthorized("no")

    told: list[int] = []
    runner = Loopback()

    def answered(content: bytes) -> bytes:
        monkeypatch.setattr(journal.Journal, "flush", flush)
        told.append(len(pickle.loads(content).facts))
        return content

    runner.answered = answered
    flush = journal.Journal.flush
    runner.sent = lambda parcel: monkeypatch.setattr(journal.Journal, "flush", refuse)
    assert run_flow(runner, lambda: Task(double).submit(2).result()) == 4
    assert told[0] > 0


# nobody waits any more


def test_what_has_not_ended_when_a_flow_is_interrupted_has_crashed(stage: Stage) -> None:
    runner, futures = Loopback(), list[Future[int]]()
    runner.holds = True

    def work() -> None:
        first = Task(double).submit(1)
        futures.extend([first, Task(double).submit(first)])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_flow(runner, work)
    assert runner.stops == [False]
    assert [future.state.name for future in futures] == ["Crashed", "Crashed"]
    assert futures[0].state.message == "The flow run has ended before the task run did."
    recorder = stage.settle()
    assert [recorder.path(future.task_run_id) for future in futures] == [["Pending", "Crashed"]] * 2


def test_what_is_never_answered_is_not_waited_for(stage: Stage) -> None:
    runner = Loopback()
    runner.holds = True

    def work() -> Future[int]:
        future = Task(double).submit(1)
        runner.held.clear()
        runner.abandon()
        return future

    state = Flow(work, name="a", task_runner=runner)(return_state=True)
    assert state.is_crashed() or state.is_failed()
    runner.teardown()
    assert runner.stops == [False]


def test_a_process_that_dies_when_nobody_waits_is_not_replaced(stage: Stage) -> None:
    runner = Loopback()
    runner.holds = True

    def work() -> State:
        future = Task(double).submit(1)
        held = runner.held.pop()
        runner._abandoned = True  # pyright: ignore[reportPrivateUsage]
        held.set_exception(remote.WorkerDied("gone."))
        future.wait()
        return future.state

    state = Flow(work, name="a", task_runner=runner)(return_state=True)
    assert "died: gone." in str(state.message)


@pytest.mark.parametrize("dies", [False, True])
def test_an_answer_that_comes_too_late_is_still_recorded(stage: Stage, dies: bool) -> None:
    runner = Loopback()
    runner.holds = True
    arrived = threading.Event()
    late: dict[str, Any] = {}

    def work() -> None:
        Task(double).submit(1)
        late["answer"] = runner.held.pop()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_flow(runner, work)
    answer = late["answer"]
    fact = LogFact(uuid7(), "test", 20, "too late", 0)

    def heard(_answer: Any) -> None:
        runner._desk.submit(arrived.set)  # pyright: ignore[reportPrivateUsage]

    answer.add_done_callback(heard)
    if dies:
        answer.set_exception(remote.WorkerDied("gone."))
    else:
        answer.set_result(pickle.dumps(Answer([fact], refusal=errors.UsageError("no"))))
    assert arrived.wait(LIMIT)
    runner._desk.teardown()  # pyright: ignore[reportPrivateUsage]
    assert (fact.id in {each.id for each in stage.settle().facts if isinstance(each, LogFact)}) != dies
