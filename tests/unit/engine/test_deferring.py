"""Calls that are deferred, the futures of their runs, and runs that a task worker has claimed."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from headrace import allow_failure, flow, get_run_logger, quote, tags, task
from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.engine.claimed_task import execute_claim
from headrace.engine.context import current_task_run
from headrace.engine.deferring import settle, storage_key
from headrace.engine.distributed import DistributedFuture
from headrace.engine.futures import Future, FutureList, as_completed, unmapped, wait
from headrace.engine.session import current_session
from headrace.schema.event import Cursor
from headrace.schema.fact import LogFact
from headrace.schema.presence import Presence
from headrace.schema.run import TaskRun, TaskRunResult
from headrace.schema.state import State, StateCreate, StateDetails, StateType
from headrace.schema.task_worker import TaskClaim, TaskClaimRequest
from headrace.states import Completed, Failed
from headrace.task_runners import HeadraceTaskRunner
from headrace.tasks import Task
from tests.unit.engine.conftest import Stage

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED = (
    StateType.SCHEDULED,
    StateType.PENDING,
    StateType.RUNNING,
    StateType.COMPLETED,
    StateType.FAILED,
    StateType.CANCELLED,
    StateType.CRASHED,
)
LIMIT = 30.0


@task
def add(left: int, right: int = 1) -> int:
    return left + right


def claim(stage: Stage, *tasks: Task[..., Any]) -> TaskClaim:
    """The run that has waited longest, claimed as a worker does."""
    request = TaskClaimRequest(
        worker_id=uuid7(), name="worker", task_keys=[each.task_key for each in tasks], limit=1, presence=Presence()
    )
    return stage.recorder.gateway.claim_task_runs(request).claims[0]


def work(stage: Stage, one: Task[..., Any]) -> State:
    """Execute the run that has waited longest."""
    return execute_claim(current_session(), one, claim(stage, one))


def read(stage: Stage, future: Future[Any]) -> TaskRun:
    return stage.recorder.gateway.read_task_run(future.task_run_id)


def ended(state: State) -> Future[Any]:
    future: Future[Any] = Future(uuid7(), "one")
    future.end(state)
    return future


# what a call becomes


def test_a_delayed_call_is_stored_when_the_future_is_returned(stage: Stage) -> None:
    with tags("hot"):
        future = add.with_options(tags=["cold"], retries=2).delay(1, right=2)
    run = read(stage, future)
    assert (run.state_type, run.flow_run_id, run.name, run.tags) == (SCHEDULED, None, future.name, ["cold", "hot"])
    assert (run.task_key, run.task_inputs, run.empirical_policy.retries) == (add.task_key, {"left": [], "right": []}, 2)
    assert run.state is not None
    assert run.state.state_details.deferred
    assert run.state.state_details.task_parameters_id is not None
    assert run.state.data is None
    assert future.state.type is SCHEDULED
    assert not future.done()


def test_a_claimed_run_is_tried_again_as_the_settings_of_its_worker_say(stage: Stage) -> None:
    stage.use(tasks_default_retries=1, tasks_default_retry_delay_seconds=0)
    failures = [LookupError("once")]

    @task
    def fail() -> None:
        if failures:
            raise failures.pop()

    fail.delay()
    there = fail.with_options()  # as another process knows it
    assert work(stage, there).type is COMPLETED


def test_arguments_are_bound_when_the_call_is_made(stage: Stage) -> None:
    with pytest.raises(errors.ParameterBindError):
        add.delay()
    with pytest.raises(errors.SerializationError):
        add.delay(threading.Lock())


def test_a_call_in_a_flow_belongs_to_its_run_and_outlives_it(stage: Stage) -> None:
    @flow
    def ask() -> DistributedFuture[int]:
        before = add(1)
        future = add.apply_async((before,), {"right": 5}, dependencies={"since": [ended(Completed())]})
        run = read(stage, future)
        assert run.flow_run_id is not None
        assert run.name == "add-1"
        return quote(future)  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    future = ask()
    work(stage, add)
    assert future.result(LIMIT) == 7
    run = read(stage, future)
    assert (run.state_type, [*run.task_inputs]) == (COMPLETED, ["left", "right", "since"])


def test_dependencies_are_shown_and_not_waited_for(stage: Stage) -> None:
    pending: Future[Any] = Future(uuid7(), "pending")
    other = TaskRunResult(id=uuid7())
    run = read(stage, add.apply_async([1], dependencies={"left": [pending], "more": [other]}))
    assert run.task_inputs["left"] == [TaskRunResult(id=pending.task_run_id)]
    assert run.task_inputs["more"] == [other]


def test_what_this_process_knows_is_put_in_place() -> None:
    distributed: DistributedFuture[int] = DistributedFuture(uuid7(), "far")
    done, failed = ended(Completed(data=3)), ended(Failed(data=ValueError("no")))
    given = {
        "list": [1, done, "x"],
        "futures": FutureList([done]),
        "tuple": (done, {2}),
        "far": distributed,
        "quoted": quote(done),
        "same": unmapped(done),
        "state": Completed(data=4),
        "allowed": allow_failure(failed),
        "failed": failed,
    }
    kept = settle(given)
    assert (kept["list"], kept["futures"], kept["tuple"]) == ([1, 3, "x"], [3], (3, {2}))
    assert kept["far"] is distributed
    assert kept["quoted"] is given["quoted"]
    assert (kept["same"].value, kept["state"]) == (3, 4)
    assert isinstance(kept["allowed"].value, ValueError)
    assert (kept["failed"].type, kept["failed"].data) == (FAILED, None)


# execution


def test_a_claimed_run_is_executed_under_its_claim(stage: Stage) -> None:
    seen: list[Any] = []

    @task
    def within(left: int) -> int:
        get_run_logger().info("seen")
        context = current_task_run()
        seen.extend([context.task_run_id, context.run_count, add(left)])
        return left

    future = within.delay(4)
    state = work(stage, within)
    assert state.type is COMPLETED
    assert seen == [future.task_run_id, 1, 5]
    assert future.result(LIMIT) == 4
    assert future.done()
    assert stage.recorder.path(future.task_run_id) == ["Scheduled", "Pending", "Running", "Completed"]
    lines = [fact for fact in stage.recorder.facts if isinstance(fact, LogFact) and fact.message == "seen"]
    assert [line.task_run_id for line in lines] == [future.task_run_id]
    assert current_session().attempts == {}
    assert current_session().unfinished == {}


def test_what_a_run_was_given_is_forgotten_when_it_has_ended(stage: Stage) -> None:
    future = add.delay(1)
    claimed = claim(stage, add)
    assert claimed.parameters_id is not None
    path = storage_key(claimed.parameters_id)
    assert current_session().results.find(path)
    execute_claim(current_session(), add, claimed)
    assert current_session().results.find(path) is None
    assert future.state.type is COMPLETED


def test_a_run_that_is_deleted_while_it_is_executed_ends(stage: Stage) -> None:
    future = add.delay(1)
    claimed = claim(stage, add)
    assert claimed.parameters_id is not None

    def forget(verb: str, request: Any) -> None:
        if verb == "read_task_run":
            raise errors.ObjectNotFound("It has been deleted.")

    stage.recorder.before = forget
    assert execute_claim(current_session(), add, claimed).type is COMPLETED
    assert current_session().results.find(storage_key(claimed.parameters_id)) is None
    assert future.state.type is CRASHED


def test_a_run_that_fails_raises_its_own_exception_elsewhere(stage: Stage) -> None:
    @task(retries=1)
    def refuse() -> None:
        raise LookupError("not here")

    future = refuse.delay()
    assert work(stage, refuse).type is FAILED
    with pytest.raises(LookupError, match="not here"):
        future.result(LIMIT)
    assert isinstance(future.result(LIMIT, raise_on_failure=False), LookupError)
    assert stage.recorder.path(future.task_run_id)[2:] == ["Running", "AwaitingRetry", "Retrying", "Failed"]


def test_an_exception_that_cannot_be_kept_is_told_by_its_message(stage: Stage) -> None:
    @task
    def refuse() -> None:
        error = LookupError("not here")
        error.lock = threading.Lock()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        raise error

    future = refuse.delay()
    work(stage, refuse)
    with pytest.raises(errors.FailedRun, match="not here"):
        future.result(LIMIT)


def test_a_kept_exception_that_is_gone_is_told_by_its_message(stage: Stage) -> None:
    @task
    def refuse() -> None:
        raise LookupError("not here")

    future = refuse.delay()
    work(stage, refuse)
    current_session().results.remove(str(future.task_run_id))
    with pytest.raises(errors.FailedRun, match="not here"):
        future.result(LIMIT)


def test_coroutines_and_generators_are_executed_to_their_end(stage: Stage) -> None:
    @task
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    @task
    def count(number: int) -> Iterator[int]:
        yield from range(number)

    @task
    async def acount(number: int) -> AsyncIterator[int]:
        for each in range(number):
            yield each

    results: list[Any] = []
    for one in (double, count, acount):
        future: DistributedFuture[Any] = one.delay(3)
        work(stage, one)
        results.append(future.result(LIMIT))
    assert results == [6, [0, 1, 2], [0, 1, 2]]


def test_a_run_goes_on_with_the_tags_and_prints_of_its_caller(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    @task
    def say() -> None:
        print("said")
        add(1)

    @flow(log_prints=True)
    def ask() -> None:
        with tags("hot"):
            say.delay()

    ask()
    work(stage, say)
    stage.settle()
    assert "said" in stage.recorder.messages()
    assert stage.recorder.task_runs("add")[0].tags == ["hot"]
    say.with_options(log_prints=False).delay()
    work(stage, say.with_options(log_prints=False))
    stage.settle()
    assert stage.recorder.messages().count("said") == 1


def test_a_run_that_others_began_tells_how_often_it_has_begun(stage: Stage) -> None:
    counts: list[int] = []

    @task(retries=1)
    def flaky() -> None:
        counts.append(current_task_run().run_count)
        if len(counts) == 1:
            raise ValueError("once")

    future = flaky.delay()
    first = claim(stage, flaky)
    state = StateCreate(type=RUNNING, state_details=StateDetails())
    stage.recorder.gateway.propose_task_run_state(future.task_run_id, state)
    assert stage.recorder.gateway.release_task_run(future.task_run_id, first.epoch)
    assert work(stage, flaky).type is COMPLETED
    assert counts == [2, 3]
    assert read(stage, future).run_count == 3


def test_arguments_that_cannot_be_read_here_fail_the_run(stage: Stage) -> None:
    future = add.delay(1)
    claimed = claim(stage, add)
    assert claimed.parameters_id is not None
    current_session().results.remove(storage_key(claimed.parameters_id))
    assert execute_claim(current_session(), add, claimed).type is FAILED
    with pytest.raises(errors.FailedRun, match="arguments of the call cannot be read here"):
        future.result(LIMIT)


def test_a_run_without_arguments_of_its_own_is_executed(stage: Stage) -> None:
    @task
    def nothing() -> int:
        return 1

    nothing.delay()
    claimed = claim(stage, nothing)
    claimed.parameters_id = None
    claimed.task_run.state = None
    assert execute_claim(current_session(), nothing, claimed).type is COMPLETED


def test_a_run_needs_what_it_waits_for(stage: Stage) -> None:
    @task
    def refuse() -> None:
        raise ValueError("no")

    first = refuse.delay()
    second = add.apply_async([1], wait_for=[first])
    third = add.delay(ended(Failed()))
    work(stage, refuse)
    assert work(stage, add).name == "NotReady"
    assert work(stage, add).name == "NotReady"
    for future in (second, third):
        future.wait(LIMIT)
        assert future.done()
        assert future.state.name == "NotReady"


def test_the_result_of_one_run_is_given_to_the_next(stage: Stage) -> None:
    first = add.delay(1)
    second = add.delay(first, right=10)
    assert read(stage, second).task_inputs["left"] == [TaskRunResult(id=first.task_run_id)]
    work(stage, add)
    work(stage, add)
    assert second.result(LIMIT) == 12


# futures


def test_a_future_hears_of_the_end_of_its_run(stage: Stage) -> None:
    futures = [add.delay(number) for number in range(3)]
    worker = threading.Thread(target=lambda: [work(stage, add) for _ in futures])
    with pytest.raises(TimeoutError, match="has not ended within 0 seconds"):
        futures[0].result(0)
    worker.start()
    assert {future.result() for future in as_completed(futures, LIMIT)} == {1, 2, 3}
    assert wait(futures, LIMIT).not_done == set()
    worker.join()


def test_a_future_can_be_awaited(stage: Stage) -> None:
    future, late = add.delay(1), add.delay(5)

    async def hear() -> list[int]:
        with pytest.raises(TimeoutError):
            await late.result_async(0.01)
        await late.wait_async(0.01)
        worker = threading.Thread(target=lambda: [work(stage, add) for _ in range(2)])
        worker.start()
        values = [await future, await late.result_async(LIMIT)]
        worker.join()
        return values

    assert asyncio.run(hear()) == [2, 6]


def test_a_future_goes_to_other_processes(stage: Stage) -> None:
    future = add.delay(1)
    other: DistributedFuture[int] = pickle.loads(pickle.dumps(future))
    assert (other.task_run_id, other.name) == (future.task_run_id, future.name)
    called: list[Future[int]] = []
    other.add_done_callback(called.append)
    work(stage, add)
    assert other.result(LIMIT) == 2
    assert called == [other]


def test_a_future_of_a_run_that_is_deleted_ends(stage: Stage) -> None:
    future: DistributedFuture[int] = DistributedFuture(uuid7(), "gone")
    assert future.state.type is CRASHED
    with pytest.raises(errors.CrashedRun, match="Task run 'gone' has been deleted"):
        future.result(LIMIT)
    future.end(Completed())
    assert future.state.type is CRASHED


def test_a_future_waits_through_an_outage(stage: Stage) -> None:
    future = add.delay(1)
    failures = [errors.Unavailable("down"), errors.Unavailable("down")]

    def fail(verb: str, request: Any) -> None:
        if verb == "read_task_run" and failures:
            raise failures.pop()

    work(stage, add)
    stage.recorder.before = fail
    assert future.result(LIMIT) == 2
    assert not failures


# a flow whose tasks workers execute


def test_what_a_flow_submits_is_executed_by_workers(stage: Stage) -> None:
    served = threading.Event()

    def serve() -> None:
        for _ in range(5):
            while True:
                stage.recorder.gateway.wait_for_events(0.1)
                try:
                    claimed = claim(stage, add)
                except IndexError:
                    continue
                execute_claim(current_session(), add, claimed)
                break
        served.set()

    @flow(task_runner=HeadraceTaskRunner())
    def sums() -> list[int]:
        first = add.submit(1)
        assert isinstance(first, DistributedFuture)
        second = add.submit(first, right=10, wait_for=[first])
        mapped = add.map([1, 2])
        add.submit(100)  # nobody asks for its result, but the flow waits for it
        return [second.result(LIMIT), *mapped.result(LIMIT)]

    worker = threading.Thread(target=serve)
    worker.start()
    assert sums() == [12, 2, 3]
    assert served.wait(LIMIT)
    worker.join()
    runs = [stage.recorder.gateway.read_task_run(run_id) for run_id in deferred_by(stage)]
    assert [run.state_type for run in runs] == [COMPLETED] * 5
    assert {run.flow_run_id for run in runs} == {*stage.recorder.flow_runs()}


def deferred_by(stage: Stage) -> list[Any]:
    """The runs that were deferred, in order."""
    events = stage.recorder.gateway.read_events(Cursor(), kinds=("background",)).events
    return [event.subject_id for event in events if event.body is not None and event.body["due"]]


def test_workers_execute_calls_of_tasks_only() -> None:
    with pytest.raises(errors.UsageError, match="only calls of tasks can"):
        HeadraceTaskRunner().submit(lambda: None)
