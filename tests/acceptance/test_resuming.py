"""Runs of deployments whose processes die, and that go on."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess
from tests.acceptance.working import Workshop

FLOWS = """
import os, signal
from headrace import flow, task

@task
def step(number: int, before: int) -> int:
    with open(os.environ["SIDE"], "a") as side:
        side.write(f"{number}\\n")
    return before * 10 + number

@task
def die(times: int) -> None:
    with open(os.environ["SIDE"] + ".deaths", "a+") as deaths:
        deaths.seek(0)
        if len(deaths.read()) < times:
            deaths.write("x")
            deaths.flush()
            os.kill(os.getpid(), signal.SIGKILL)

@flow(durable=True, max_resumes=2, persist_result=True)
def stubborn(times: int) -> int:
    value = 0
    for number in range(1, 4):
        value = step(number, value)
        if number == 2:
            die(times)
    return value
"""


SUBFLOWS = """
import os, time
from headrace import flow

@flow
def inner() -> int:
    with open(os.environ["PIPE"]) as pipe:
        return len(pipe.read())

@flow
def outer() -> int:
    return inner()
"""


DEAF = """
import itertools
import os
from pathlib import Path

from headrace import flow, task
from headrace.engine.session import current_session

MARK = Path(os.environ["SIDE"])

@task
def think() -> None:
    current_session().journal.flush()  # what the run has told so far is delivered
    sum(itertools.repeat(0, 10**15))  # holds the interpreter for weeks, and hears no signal

@flow(timeout_seconds=0.5)
def deaf() -> None:
    think()

@flow(timeout_seconds=0.5)
async def async_deaf() -> None:
    think()

@flow(timeout_seconds=2, retries=1)
def hears_later() -> str:
    if not MARK.exists():
        MARK.touch()
        think()
    return "heard"
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    folder = tmp_path / "flows"
    folder.mkdir()
    server = ServerProcess(tmp_path / "server", tmp_path / "server.log")
    workshop = Workshop(
        server,
        folder,
        {
            "HEADRACE_HOME": str(tmp_path / "worker"),
            "SIDE": str(tmp_path / "side"),
            "PIPE": str(tmp_path / "pipe"),
            "HEADRACE_HEARTBEAT_SECONDS": "0.5",
        },
    )
    yield workshop
    workshop.close()
    server.stop()


def test_a_run_whose_process_dies_goes_on_where_it_was(workshop: Workshop, tmp_path: Path) -> None:
    deployment = workshop.deploy("stubborn", FLOWS)
    workshop.start_worker()
    run_id = workshop.run(deployment, times=2)
    run = workshop.wait(run_id)
    assert run.state_type is StateType.COMPLETED, run.state
    assert (tmp_path / "side").read_text(encoding="utf-8").split() == ["1", "2", "3"]
    names = [state.name for state in workshop.administration.list_flow_run_states(run_id)]
    assert names == [
        "Scheduled", "Pending", "Running",
        "Resuming", "Pending", "Retrying", "Resuming", "Pending", "Retrying", "Completed",
    ]  # fmt: skip
    said = "\n".join(workshop.lines(run_id))
    assert "Resumed: 2 task runs are restored when they are called again" in said


def test_a_run_that_dies_each_time_is_given_up(workshop: Workshop, tmp_path: Path) -> None:
    deployment = workshop.deploy("stubborn", FLOWS)
    workshop.start_worker()
    run = workshop.wait(workshop.run(deployment, times=9))
    assert run.state_type is StateType.CRASHED
    assert len((tmp_path / "side.deaths").read_text(encoding="utf-8")) == 3
    assert (tmp_path / "side").read_text(encoding="utf-8").split() == ["1", "2"]
    # Whoever has mended what kills it lets it go on.
    (tmp_path / "side.deaths").write_text("x" * 9, encoding="utf-8")
    workshop.command("flow-run", "resume", str(run.id))
    assert workshop.wait(run.id).state_type is StateType.COMPLETED
    assert (tmp_path / "side").read_text(encoding="utf-8").split() == ["1", "2", "3"]


def test_a_subflow_that_takes_longer_than_a_lease_is_not_taken_for_dead(workshop: Workshop, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    deployment = workshop.deploy("outer", SUBFLOWS)
    workshop.start_worker()
    run_id = workshop.run(deployment)
    with (tmp_path / "pipe").open("w") as pipe:  # opened by the subflow at its other end
        # Ten intervals, and more looks of the reaper than one.
        threading.Event().wait(12)
        pipe.write("end")
    assert workshop.wait(run_id).state_type is StateType.COMPLETED
    (inner,) = [run for run in workshop.administration.list_flow_runs() if run.id != run_id]
    names = [state.name for state in workshop.administration.list_flow_run_states(inner.id)]
    assert names == ["Pending", "Running", "Completed"]


@pytest.mark.parametrize("name", ["deaf", "async_deaf"])
def test_a_time_limit_holds_for_code_that_nothing_interrupts(workshop: Workshop, name: str) -> None:
    deployment = workshop.deploy(name, DEAF)
    workshop.start_worker()
    run = workshop.wait(workshop.run(deployment))
    assert (run.state_type, run.state_name) == (StateType.FAILED, "TimedOut")
    # What had been told of its task before is told to have ended as well.
    assert all(task.state and task.state.is_final() for task in workshop.administration.list_task_runs())


def test_a_run_that_had_to_be_ended_is_tried_again(workshop: Workshop) -> None:
    deployment = workshop.deploy("hears_later", DEAF)
    workshop.start_worker()
    run = workshop.wait(workshop.run(deployment))
    names = [state.name for state in workshop.administration.list_flow_run_states(run.id)]
    assert names == ["Scheduled", "Pending", "Running", "AwaitingRetry", "Pending", "Retrying", "Completed"]
