"""Waiting for runs that others execute: whoever waits hears at once that one has ended, and looks now and then anyway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from headrace.base import errors
from headrace.engine.awaiting import Patience, await_flow_run, await_flow_run_in_loop, in_async_code, session_here
from headrace.engine.flow_definition import Flow
from headrace.engine.task_definition import Task
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Proposal
from headrace.schema.run import FlowRun, FlowRunCreate
from headrace.schema.state import StateCreate, StateType
from tests.unit.engine.conftest import Stage

Wait = Callable[[Stage, UUID, float | None, float], FlowRun]


def in_thread(stage: Stage, run: UUID, timeout: float | None, interval: float) -> FlowRun:
    return await_flow_run(stage.session, run, Patience(timeout, interval))


def in_loop(stage: Stage, run: UUID, timeout: float | None, interval: float) -> FlowRun:
    return asyncio.run(await_flow_run_in_loop(stage.session, run, Patience(timeout, interval)))


@pytest.fixture(params=[in_thread, in_loop])
def wait(request: pytest.FixtureRequest) -> Wait:
    return request.param


def begin(stage: Stage) -> UUID:
    gateway = stage.session.gateway
    flow = gateway.register_flow(FlowCreate(name="etl"))
    return gateway.create_flow_run(FlowRunCreate(flow_id=flow.id, state=StateCreate(type=StateType.RUNNING))).id


def end(stage: Stage, run: UUID, **what: Any) -> None:
    state = StateCreate(type=StateType.COMPLETED, **what)
    stage.session.gateway.propose_flow_run_state(Proposal(flow_run_id=run, state=state))


def test_a_run_that_has_ended_is_not_waited_for(stage: Stage, wait: Wait) -> None:
    run = begin(stage)
    end(stage, run)
    assert wait(stage, run, None, 600).state_type is StateType.COMPLETED


def test_the_end_is_heard(stage: Stage, wait: Wait) -> None:
    run = begin(stage)
    looked = threading.Event()
    stage.recorder.before = lambda verb, _: looked.set() if verb == "wait_for_events" else None

    def finish() -> None:
        looked.wait()
        end(stage, run)

    ending = threading.Thread(target=finish)
    ending.start()
    assert wait(stage, run, None, 600).state_type is StateType.COMPLETED
    ending.join()


def test_a_run_is_looked_at_even_if_nothing_is_heard(stage: Stage, wait: Wait) -> None:
    run = begin(stage)
    looks: list[str] = []

    def before(verb: str, _: Any) -> None:
        if verb == "last_cursor":
            raise errors.Unavailable("the log cannot be read")
        if verb == "read_flow_run":
            looks.append(verb)
            if len(looks) == 3:
                end(stage, run)

    stage.recorder.before = before
    assert wait(stage, run, None, 0.01).state_type is StateType.COMPLETED


@pytest.mark.parametrize("timeout", [0.0, 0.02])
def test_patience_ends(stage: Stage, wait: Wait, timeout: float) -> None:
    assert wait(stage, begin(stage), timeout, 600).state_type is StateType.RUNNING


def test_a_run_that_there_is_not_is_not_waited_for(stage: Stage, wait: Wait) -> None:
    with pytest.raises(errors.ObjectNotFound):
        wait(stage, uuid4(), None, 600)


def test_the_value_of_a_run_can_be_had(stage: Stage, wait: Wait) -> None:
    flow = Flow(lambda: {"rows": 3}, name="etl", persist_result=True)
    run = flow(return_state=True).state_details.flow_run_id
    assert run is not None
    found = wait(stage, run, 0, 600)
    assert found.state is not None
    assert found.state.result() == {"rows": 3}


def test_what_else_is_said_of_a_state_stays(stage: Stage, wait: Wait) -> None:
    run = begin(stage)
    end(stage, run, data={"rows": 3})
    found = wait(stage, run, 0, 600)
    assert found.state is not None
    assert found.state.data == {"rows": 3}


def test_a_run_that_was_never_in_a_state_is_returned_as_it_is(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    blank = FlowRun(id=uuid4(), flow_id=uuid4())

    def read(_: object) -> FlowRun:
        return blank

    monkeypatch.setattr(stage.session, "patiently", read)
    assert in_thread(stage, blank.id, 0, 600) is blank


def test_who_hears_when_nobody_waits_any_more_does_no_harm(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Callable[[], None]] = []

    class Ear:
        def __init__(self, wake: Callable[[], None]) -> None:
            heard.append(wake)

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    def listen(_: UUID, wake: Callable[[], None], *_more: object) -> Ear:
        return Ear(wake)

    monkeypatch.setattr(stage.session.live, "watch", listen)
    in_loop(stage, begin(stage), 0, 600)
    heard[0]()


# where code stands


def test_code_outside_of_runs_is_async_where_a_loop_runs() -> None:
    async def ask() -> bool:
        return in_async_code()

    assert not in_async_code()
    assert asyncio.run(ask())


def test_code_without_asyncio_is_not_async(monkeypatch: pytest.MonkeyPatch) -> None:
    from headrace.engine import awaiting

    monkeypatch.delitem(awaiting.sys.modules, "asyncio")
    assert not in_async_code()


def test_code_in_runs_is_what_their_functions_are(stage: Stage) -> None:
    def ask() -> bool:
        return in_async_code()

    async def ask_in_loop() -> tuple[bool, bool, bool]:
        return in_async_code(), Flow(ask, name="inner")(), Task(ask, name="task")()

    async def count() -> AsyncGenerator[bool]:
        yield in_async_code()

    async def collect() -> list[bool]:
        return [each async for each in Task(count)()]

    assert not Flow(ask)()
    assert asyncio.run(Flow(ask_in_loop)()) == (True, False, False)
    assert asyncio.run(Flow(collect)()) == [True]


def test_runs_have_their_own_session(stage: Stage) -> None:
    assert session_here() is stage.session
    assert Flow(lambda: session_here() is stage.session, name="here")()
