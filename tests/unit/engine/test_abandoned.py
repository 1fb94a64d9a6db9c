"""Task runs that nobody waited for: they end with their process, and what is recorded says so."""

from __future__ import annotations

import signal
import threading

import pytest

from headrace import flow, task
from headrace.exceptions import FlowRunTimeoutError, UsageError
from tests.unit.engine.conftest import Stage


def test_what_goes_on_when_the_session_closes_has_crashed(stage: Stage) -> None:
    begun, go_on, over = threading.Event(), threading.Event(), threading.Event()

    @task
    def linger() -> None:
        begun.set()
        go_on.wait()

    future = linger.submit()
    future.add_done_callback(lambda _: over.set())
    assert begun.wait(10)
    stage.session.close()
    assert [fact.state.name for fact in stage.recorder.task_states()] == ["Pending", "Running", "Crashed"]
    go_on.set()
    assert over.wait(10)
    assert future.state.is_completed()


def test_what_a_late_flow_left_behind_has_crashed(stage: Stage) -> None:
    begun, go_on, over = threading.Event(), threading.Event(), threading.Event()

    @task
    def linger() -> None:
        begun.set()
        go_on.wait()

    @flow(timeout_seconds=30)
    def late() -> None:
        linger.submit().add_done_callback(lambda _: over.set())
        assert begun.wait(10)
        signal.raise_signal(signal.SIGALRM)  # what the limit does when it is reached

    with pytest.raises(FlowRunTimeoutError):
        late()
    stage.session.close()
    assert stage.recorder.task_states()[-1].state.name == "Crashed"
    go_on.set()
    assert over.wait(10)


def test_a_run_does_not_wait_for_itself(stage: Stage) -> None:
    futures: list[object] = []
    submitted = threading.Event()

    @task
    def own() -> object:
        assert submitted.wait(10)
        return futures[0]

    future = own.submit()
    futures.append(future)
    submitted.set()
    with pytest.raises(UsageError, match="its own future"):
        future.result(10)
    assert not stage.session.unfinished


def test_what_has_ended_is_not_held(stage: Stage) -> None:
    @task
    def fail() -> None:
        raise ValueError

    @task
    def need(_value: object) -> None:
        """Never called."""

    need.submit(fail.submit()).wait()
    need(1, return_state=True)
    assert not stage.session.unfinished
