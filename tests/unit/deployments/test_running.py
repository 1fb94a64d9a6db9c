"""Runs of deployments that code asks for: made as it says, subflows of who asks, waited for until they have ended."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from headrace import flow, tags, task
from headrace.base.errors import FlowRunWaitTimeout, InvalidRequest, ObjectNotFound, UsageError
from headrace.deployments import arun_deployment, run_deployment
from headrace.engine.session import current_session
from headrace.flow_runs import await_for_flow_run, wait_for_flow_run
from headrace.gateway.execution import Execution
from headrace.schema.filters import IdFilter, RunSelection, TaskRunFilter
from headrace.schema.orchestration import ClaimRequest, Proposal
from headrace.schema.run import FlowRun, TaskRun
from headrace.schema.state import StateCreate, StateType
from tests.unit.deployments.conftest import Bench

SOON = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def etl(bench: Bench) -> UUID:
    return bench.etl.deploy("daily", tags=["d"], parameters={"rows": 1}, print_next_steps=False)


@contextmanager
def executing(times: int = 1, state: StateType = StateType.COMPLETED) -> Generator[None]:
    """Somebody who executes runs as soon as they are due, so many of them."""
    gateway = current_session().gateway

    def work() -> None:
        cursor, left = gateway.last_cursor(), times
        begun.set()
        while left:
            for claim in gateway.claim_flow_runs(ClaimRequest(before=SOON, limit=10, claimant="test")):
                for kind in (StateType.RUNNING, state):
                    propose(gateway, claim.flow_run.id, kind)
                left -= 1
            if left:
                gateway.wait_for_events(1)
                cursor = gateway.read_events(cursor).cursor

    begun = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    yield
    thread.join()


def propose(gateway: Execution, run: UUID, kind: StateType) -> None:
    gateway.propose_flow_run_state(Proposal(flow_run_id=run, state=StateCreate(type=kind)))


def placeholders(bench: Bench, run: FlowRun | UUID) -> list[TaskRun]:
    """The task runs of a flow run, once everything is stored."""
    current_session().journal.flush()
    flow_run_id = run if isinstance(run, UUID) else run.id
    wanted = RunSelection(task_runs=TaskRunFilter(flow_run_id=IdFilter(any_=[flow_run_id])))
    return sorted(bench.administration.list_task_runs(wanted), key=lambda each: each.name)


# what is asked for


def test_a_run_is_made_as_the_call_says(bench: Bench, etl: UUID) -> None:
    due = datetime(2099, 1, 1, tzinfo=UTC)
    with tags("around"):
        run = run_deployment(
            "etl/daily",
            {"rows": 5, "names": ["a"]},
            scheduled_time=due,
            flow_run_name="by hand",
            timeout=0,
            tags=["b"],
            idempotency_key="once",
            work_queue_name="default",
            job_variables={"env": {"A": "b"}},
        )
    assert (run.deployment_id, run.name, run.parameters) == (etl, "by hand", {"rows": 5, "names": ["a"]})
    assert (run.expected_start_time, run.state_type) == (due, StateType.SCHEDULED)
    assert (set(run.tags), run.idempotency_key) == ({"d", "b", "around"}, "once")
    assert (run.work_queue_name, run.job_variables) == ("default", {"env": {"A": "b"}})
    assert run.parent_task_run_id is None
    assert run_deployment(etl, timeout=0, idempotency_key="once").id == run.id
    assert run_deployment(str(etl), timeout=0).id != run.id


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (
            lambda: run_deployment("daily"),
            UsageError,
            "A deployment is called flow/deployment, or named by its id; 'daily'",
        ),
        (
            lambda: run_deployment(cast("Any", 3)),
            UsageError,
            "A deployment is called flow/deployment, or named by its id; 3",
        ),
        (lambda: run_deployment("etl/nightly"), ObjectNotFound, "There is no deployment called 'etl/nightly'"),
        (lambda: run_deployment(uuid4()), ObjectNotFound, "There is no deployment with id"),
        (lambda: run_deployment("etl/daily", {"rows": "many"}), InvalidRequest, "rows"),
        (
            lambda: run_deployment("etl/daily", cast("Any", [1])),
            UsageError,
            "parameters are names with values, not [1].",
        ),
        (
            lambda: run_deployment("etl/daily", timeout=-1),
            UsageError,
            "timeout is a number of seconds, at least 0, not -1.",
        ),
        (
            lambda: run_deployment("etl/daily", poll_interval=0),
            UsageError,
            "poll_interval is a number of seconds, at least",
        ),
        (
            lambda: run_deployment("etl/daily", scheduled_time=cast("Any", "now")),
            UsageError,
            "scheduled_time is a datetime, not 'now'.",
        ),
        (
            lambda: run_deployment("etl/daily", **cast("Any", {"sla": 1})),
            UsageError,
            "run_deployment has no option 'sla'.",
        ),
        (lambda: wait_for_flow_run("x"), UsageError, "A flow run is named by its id, not 'x'."),
        (lambda: wait_for_flow_run(uuid4()), ObjectNotFound, "There is no flow run with id"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    call: Callable[[], Any], kind: type[Exception], says: str, bench: Bench, etl: UUID
) -> None:
    with pytest.raises(kind) as refused:
        call()
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


# waiting


def test_the_run_is_waited_for(etl: UUID, bench: Bench) -> None:
    with executing():
        run = run_deployment("etl/daily", poll_interval=600)
    assert run.state
    assert run.state.is_completed()


def test_patience_ends_and_the_run_goes_on(etl: UUID, bench: Bench) -> None:
    run = run_deployment("etl/daily", scheduled_time=datetime.now(UTC) + timedelta(days=1), timeout=0.05)
    assert run.state_type is StateType.SCHEDULED
    with pytest.raises(
        FlowRunWaitTimeout, match=f"Flow run {run.name!r} has not ended within 0.05 seconds; it goes on."
    ):
        wait_for_flow_run(run.id, timeout=0.05)
    with executing():
        assert wait_for_flow_run(str(run.id), timeout=None, poll_interval=600).state_type is StateType.COMPLETED


def test_async_code_awaits(etl: UUID, bench: Bench) -> None:
    async def work() -> list[FlowRun]:
        awaited: Awaitable[FlowRun] = cast("Any", run_deployment("etl/daily", poll_interval=600))
        runs = [*await asyncio.gather(awaited, arun_deployment("etl/daily", {"rows": 2}, poll_interval=600))]
        again: FlowRun = await cast("Any", wait_for_flow_run(runs[0].id))
        assert again.id == (await await_for_flow_run(runs[0].id)).id == runs[0].id
        return runs

    with executing(2):
        runs = asyncio.run(work())
    assert [run.state_type for run in runs] == [StateType.COMPLETED] * 2


# subflows


def test_within_a_flow_it_is_a_subflow(bench: Bench, etl: UUID) -> None:
    @task
    def count() -> int:
        return 7

    @flow
    def parent() -> UUID:
        return run_deployment("etl/daily", {"rows": count.submit()}).id

    with executing():
        state = parent(return_state=True)
    child = bench.administration.read_flow_run(state.result())
    assert child.parameters == {"rows": 7}
    parent_id = state.state_details.flow_run_id
    assert parent_id
    counted, stands = placeholders(bench, parent_id)
    assert (counted.name, stands.name, stands.id) == ("count-0", "etl-0", child.parent_task_run_id)
    assert stands.state_type is StateType.COMPLETED
    assert [cast("Any", source).id for source in stands.task_inputs["rows"]] == [counted.id]


def test_an_async_flow_has_subflows_too(bench: Bench, etl: UUID) -> None:
    @flow
    async def parent() -> list[FlowRun]:
        return await asyncio.gather(*(cast("Any", run_deployment)("etl/daily", {"rows": n}) for n in range(3)))

    with executing(3, StateType.FAILED):
        state = asyncio.run(parent(return_state=True))
    assert [run.parameters for run in state.result()] == [{"rows": n} for n in range(3)]
    assert state.state_details.flow_run_id
    made = placeholders(bench, state.state_details.flow_run_id)
    assert {each.id for each in made} == {run.parent_task_run_id for run in state.result()}
    assert [each.state_type for each in made] == [StateType.FAILED] * 3


def test_who_wants_no_subflow_gets_none(bench: Bench, etl: UUID) -> None:
    @flow
    def parent() -> FlowRun:
        return run_deployment("etl/daily", timeout=0, as_subflow=False)

    state = parent(return_state=True)
    assert state.result().parent_task_run_id is None
    assert state.state_details.flow_run_id
    assert placeholders(bench, state.state_details.flow_run_id) == []


def test_what_stands_for_a_run_that_was_there_or_is_refused_ends(bench: Bench, etl: UUID) -> None:
    known = run_deployment("etl/daily", timeout=0, idempotency_key="once")

    @flow
    def parent() -> UUID:
        again = run_deployment("etl/daily", timeout=0, idempotency_key="once")
        with pytest.raises(InvalidRequest):
            run_deployment("etl/daily", {"rows": "many"})
        return again.id

    state = parent(return_state=True)
    assert state.result() == known.id
    assert state.state_details.flow_run_id
    there, refused = placeholders(bench, state.state_details.flow_run_id)
    assert (there.state_name, refused.state_name) == ("Cached", "Failed")
    assert refused.state
    assert (refused.state.message or "").startswith("The run could not be made: InvalidRequest")
