"""The pool of processes: parcels to real processes, and what becomes of them when those die."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from concurrent.futures import Future as Expected
from multiprocessing.connection import Client, Listener
from typing import Any

import cloudpickle
import pytest

from headrace.base import errors
from headrace.connect import open_administration, open_session
from headrace.engine import opening
from headrace.engine.flow_definition import Flow
from headrace.engine.futures import Future
from headrace.engine.runners import processes
from headrace.engine.runners.processes import ProcessPoolTaskRunner
from headrace.engine.runners.remote import WorkerDied
from headrace.engine.task_definition import Task
from headrace.schema.fact import LogFact, TaskRunFact
from headrace.schema.state import State
from tests.unit.engine.conftest import Stage

LIMIT = 60


@pytest.fixture(autouse=True)
def opener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_opener", open_session)


class Doors:
    """A place where processes of a test meet it: they say which they are and wait to be let through."""

    def __init__(self) -> None:
        self.listener = Listener(authkey=b"test")

    def accept(self) -> tuple[Any, int]:
        door = self.listener.accept()
        return door, door.recv()


@pytest.fixture
def doors() -> Iterator[Doors]:
    made = Doors()
    yield made
    made.listener.close()


def knock(address: Any) -> Any:
    """Tell a test which process this is, and wait for what it says."""
    with Client(address, authkey=b"test") as door:
        door.send(os.getpid())
        return door.recv()


cloudpickle.register_pickle_by_value(sys.modules[__name__])  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize("count", [0, -1])
def test_a_pool_needs_at_least_one_process(count: int) -> None:
    with pytest.raises(ValueError, match=f"max_workers must be at least 1, not {count}"):
        ProcessPoolTaskRunner(count)


def test_each_flow_run_gets_a_pool_of_its_own_like_the_one_given() -> None:
    given = ProcessPoolTaskRunner(3)
    assert given.duplicate() is not given
    assert given.duplicate().max_workers == 3


def test_a_system_on_which_it_cannot_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "POSSIBLE", False)
    with pytest.raises(errors.UsageError, match="needs a POSIX system"):
        ProcessPoolTaskRunner().setup()


def test_tasks_run_in_other_processes_and_are_recorded(stage: Stage) -> None:
    def where(n: int) -> tuple[int, int]:
        print(f"number {n}")
        return n, os.getpid()

    def work() -> list[tuple[int, int]]:
        return Task(where, log_prints=True).map(range(20)).result()

    found = Flow(work, name="pool", task_runner=ProcessPoolTaskRunner(max_workers=2))()
    assert [number for number, _ in found] == list(range(20))
    assert 1 <= len({process for _, process in found} - {os.getpid()}) <= 2
    assert os.getpid() not in {process for _, process in found}
    recorder = stage.settle()
    made = [fact.id for fact in recorder.facts if isinstance(fact, TaskRunFact)]
    assert all(recorder.path(run_id) == ["Pending", "Running", "Completed"] for run_id in made)
    administration = open_administration(stage.settings)
    lines = {line.message for line in administration.list_logs()}
    assert {f"number {n}" for n in range(20)} <= lines


def test_a_run_whose_process_is_killed_is_executed_by_another_one(stage: Stage, doors: Doors) -> None:
    address = doors.listener.address
    result: dict[str, Any] = {}

    def one(place: Any) -> str:
        return knock(place)

    def work() -> str:
        future = Task(one).submit(address)
        door, process = doors.accept()
        os.kill(process, signal.SIGKILL)
        door.close()
        door, other = doors.accept()
        result.update(processes={process, other}, id=future.task_run_id)
        door.send("in the end")
        door.close()
        return future.result()

    assert Flow(work, name="pool", task_runner=ProcessPoolTaskRunner(max_workers=1))() == "in the end"
    assert len(result["processes"]) == 2
    recorder = stage.settle()
    path = recorder.path(result["id"])
    assert path[0] == "Pending"
    assert path[-1] == "Completed"
    lines = [fact.message for fact in recorder.facts if isinstance(fact, LogFact)]
    assert any("It is sent to another one: it was killed by signal 9 (Killed)." in text for text in lines)


def test_a_task_that_ends_its_process_each_time_has_crashed(stage: Stage) -> None:
    def leave() -> None:
        os._exit(3)

    def work() -> str | None:
        return Task(leave).submit(return_state=True).message

    message = Flow(work, name="pool", task_runner=ProcessPoolTaskRunner(max_workers=1))()
    assert message == "The process that executed the task run died 3 times: it exited with code 3."


def test_a_flow_that_is_interrupted_interrupts_its_tasks(stage: Stage, doors: Doors) -> None:
    address = doors.listener.address
    futures: list[Future[Any]] = []
    held: list[Any] = []

    def one(place: Any) -> str:
        return knock(place)

    def work() -> None:
        futures.extend(Task(one).submit(address) for _ in range(2))
        held.append(doors.accept())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Flow(work, name="pool", task_runner=ProcessPoolTaskRunner(max_workers=1))()
    assert [future.state.message for future in futures] == [
        "Execution was interrupted by KeyboardInterrupt.",
        "The flow run has ended before the task run did.",
    ]
    recorder = stage.settle()
    assert [recorder.path(future.task_run_id) for future in futures] == [
        ["Pending", "Running", "Crashed"],
        ["Pending", "Crashed"],
    ]


def test_a_task_that_goes_on_in_spite_of_an_interrupt_is_killed(
    stage: Stage, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)
    address = doors.listener.address
    futures: list[Future[Any]] = []
    held: list[Any] = []

    def deaf(place: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        knock(place)

    def work() -> None:
        futures.append(Task(deaf).submit(address))
        held.append(doors.accept())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Flow(work, name="pool", task_runner=ProcessPoolTaskRunner(max_workers=1))()
    assert futures[0].state.is_crashed()


def test_a_process_that_does_not_end_by_itself_is_ended(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)

    def leave_a_thread() -> int:
        threading.Thread(target=threading.Event().wait, daemon=False).start()
        return 1

    def work() -> int:
        return Task(leave_a_thread).submit().result()

    assert Flow(work, name="pool", task_runner=ProcessPoolTaskRunner(max_workers=1))() == 1


def test_a_time_limit_holds_over_there(stage: Stage) -> None:
    def long() -> None:
        threading.Event().wait(LIMIT)

    def work() -> State:
        state = Task(long, timeout_seconds=0.1).submit(return_state=True)
        assert state.name == "TimedOut"
        return state

    error = Flow(work, name="pool", task_runner=ProcessPoolTaskRunner(1))(return_state=True).data
    assert isinstance(error, TimeoutError)


def test_a_process_that_cannot_be_started_fails_the_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    def work() -> Any:
        return Task(lambda: 1, name="one").submit(return_state=True).message

    message = Flow(work, name="pool", task_runner=ProcessPoolTaskRunner(1))()
    assert "Task run 'one-0' cannot be sent to another process: FileNotFoundError" in message


def test_nothing_is_taken_after_the_end() -> None:
    runner = ProcessPoolTaskRunner(1)
    runner.stop(wait=True)
    with pytest.raises(CancelledError):
        runner.send(b"", "late").result(LIMIT)


def test_an_interrupted_seat_starts_no_process() -> None:
    errands = [processes.Errand(b"", Expected())]
    go = threading.Event()

    def take() -> Any:
        assert go.wait(LIMIT)
        return errands.pop() if errands else None

    answer = errands[0].answer
    seat = processes._Seat(take, 1)  # pyright: ignore[reportPrivateUsage]
    seat.interrupt()
    go.set()
    with pytest.raises(WorkerDied, match=r"The flow run has ended\."):
        answer.result(LIMIT)
    seat.close()


def test_a_forked_child_lets_go_of_the_pipes() -> None:
    runner = ProcessPoolTaskRunner(1)
    answer = runner.send(b"no parcel", "any")
    with pytest.raises(WorkerDied):
        answer.result(LIMIT)
    answer = runner.send(pickle.dumps(None), "any")
    with pytest.raises(WorkerDied):
        answer.result(LIMIT)
    runner.stop(wait=True)
    processes._forget_seats()  # pyright: ignore[reportPrivateUsage]


def test_the_pipes_of_a_living_process_are_closed_in_a_forked_child() -> None:
    runner = ProcessPoolTaskRunner(1)
    asked, go = threading.Event(), threading.Event()
    seat = processes._Seat(lambda: (asked.set(), go.wait(LIMIT), None)[2], 1)  # pyright: ignore[reportPrivateUsage]
    assert asked.wait(LIMIT)
    seat._start()  # pyright: ignore[reportPrivateUsage]
    process = seat._process  # pyright: ignore[reportPrivateUsage]
    assert process is not None
    seat.forget()
    os.waitpid(process.pid, 0)
    go.set()
    runner.stop(wait=True)
