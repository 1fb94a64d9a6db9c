"""Workers and their runs as real processes: executed, cancelled, killed, cut off. Nothing is lost, and the states are true."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess
from tests.acceptance.working import POOL, Workshop, await_line, is_alive

RUNNING, COMPLETED, FAILED = StateType.RUNNING, StateType.COMPLETED, StateType.FAILED
CRASHED, CANCELLED, PAUSED = StateType.CRASHED, StateType.CANCELLED, StateType.PAUSED

ADD = """
import os
from headrace import flow, get_run_logger, task

@task
def add(a, b):
    return a + b

@flow(log_prints=True)
def adding(a: int, b: int = 2):
    print("the sum is", add(a, b))
    print("here is", os.getcwd(), "and", os.environ.get("WORD"), os.environ.get("HEADRACE_SERVER_API_KEY"))
    return a + b

@flow
async def waiting(a: int):
    get_run_logger().info("in a loop")
    return await later(a)

@task
async def later(a):
    return a

@flow
def leaving():
    raise SystemExit(3)

@flow
def failing():
    raise ValueError("not today")
"""

TELLING = """
import os, subprocess, sys, time
from headrace import flow

def tell(path, *words):
    with open(path, "w") as pipe:
        print(*words, file=pipe)

@flow
def telling(pipe: str, stubborn: bool = False):
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    near = subprocess.Popen(["sleep", "600"], **quiet)
    script = "import subprocess as s; print(s.Popen(['sleep', '600'], start_new_session=True, stdout=-3, stderr=-3).pid)"
    far = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    tell(pipe, os.getpid(), os.getppid(), near.pid, far)
    while True:
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            if not stubborn:
                raise

@flow
def asking(pipe: str, answer: str):
    tell(pipe, os.getpid(), os.getppid())
    with open(answer) as pipe:
        return pipe.readline()

@flow
def holding(pipe: str, seconds: int):
    tell(pipe, os.getpid(), os.getppid())
    # PyDLL keeps the interpreter's lock: no thread of this process runs meanwhile.
    import ctypes
    ctypes.PyDLL(None).sleep(seconds)
"""


APPROVING = """
from headrace import flow, pause_flow_run, suspend_flow_run
from headrace.input import RunInput

class Approval(RunInput):
    approved: bool

@flow(log_prints=True)
def approving():
    print("before")
    print("after:", suspend_flow_run(Approval))

@flow(log_prints=True)
def waiting_for_it():
    print("before")
    pause_flow_run()
"""


@pytest.fixture
def workshop(home: Path, tmp_path: Path) -> Iterator[Workshop]:
    """A server, and beats so fast that whoever stops beating is found dead within seconds."""
    environ = {"HEADRACE_HOME": str(home), "HEADRACE_HEARTBEAT_SECONDS": "0.5"}
    opened = Workshop(ServerProcess(home, tmp_path / "server.log"), tmp_path, environ)
    yield opened
    opened.close()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """What flows tell their processes by."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def numbers(line: str) -> list[int]:
    return [int(word) for word in line.split()]


# what a worker does


def test_a_run_is_executed_where_its_deployment_says(workshop: Workshop) -> None:
    workshop.environ["HEADRACE_SERVER_API_KEY"] = "not for flows"
    adding = workshop.deploy("adding", ADD, job_variables={"env": {"WORD": "word"}})
    waiting = workshop.deploy("waiting", ADD)
    workshop.start_worker()
    first, second = workshop.run(adding, a="1"), workshop.run(waiting, a=1)
    assert workshop.wait(first).state_type is COMPLETED
    assert workshop.wait(second).state_type is COMPLETED
    lines = workshop.lines(first)
    assert "the sum is 3" in lines
    assert f"here is {workshop.folder} and word None" in lines
    assert "in a loop" in workshop.lines(second)


def test_what_goes_wrong_is_said_of_the_run(workshop: Workshop) -> None:
    broken = "raise RuntimeError('this module is broken')"
    deployments = [
        workshop.deploy("failing", ADD),
        workshop.deploy("leaving", ADD),
        workshop.deploy("absent", ADD),
        workshop.deploy("broken", broken, file="broken.py"),
        workshop.deploy(
            "adding", ADD, pull_steps=[{"headrace.deployments.steps.git_clone": {"repository": "/nowhere"}}]
        ),
    ]
    workshop.start_worker()
    ended = [workshop.wait(workshop.run(each, **({"a": 1} if n == 4 else {}))) for n, each in enumerate(deployments)]
    assert [run.state_type for run in ended] == [FAILED, CRASHED, FAILED, FAILED, FAILED]
    messages = [run.state.message or "" for run in ended if run.state]
    assert "not today" in messages[0]
    assert "SystemExit" in messages[1]
    assert "absent" in messages[2]
    assert "this module is broken" in messages[3]
    assert "/nowhere" in messages[4]
    assert any("broken.py" in line for line in workshop.lines(ended[3].id))


def test_a_worker_that_looks_once_ends_when_its_runs_have(workshop: Workshop) -> None:
    deployment = workshop.deploy("adding", ADD)
    runs = [workshop.run(deployment, a=number) for number in range(3)]
    worker = workshop.start_worker("--run-once")
    assert worker.wait() == 0
    assert [workshop.wait(run).state_type for run in runs] == [COMPLETED] * 3


def test_a_worker_that_is_stopped_finishes_what_it_has_begun(workshop: Workshop, pipe: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    os.mkfifo(answer)
    deployment = workshop.deploy("asking", TELLING)
    worker = workshop.start_worker()
    run = workshop.run(deployment, pipe=str(pipe), answer=str(answer))
    await_line(pipe)
    worker.signal(signal.SIGTERM)
    answer.write_text("go on\n", encoding="utf-8")
    assert workshop.wait(run).state_type is COMPLETED
    assert worker.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("worker", "start", "-p", "nowhere"), "no work pool 'nowhere'"),
        (("worker", "start", "-p", "pool", "-t", "process", "-l", "0"), "--limit"),
        (("worker", "start", "-p", "pool", "-t", "process", "--preload", "no_such_module"), "no_such_module"),
        (("agent", "start"), "--pool"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(workshop: Workshop, arguments: tuple[str, ...], says: str) -> None:

    command = [sys.executable, "-m", "headrace", *arguments]
    result = subprocess.run(command, env=workshop.environ, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.strip() and "|" not in line]
    assert says in line


# how runs wait


def test_a_suspended_run_leaves_its_process_and_begins_again_when_it_is_resumed(workshop: Workshop) -> None:
    deployment = workshop.deploy("approving", APPROVING)
    worker = workshop.start_worker()
    run = workshop.run(deployment)
    suspended = workshop.wait(run, PAUSED)
    assert suspended.state_name == "Suspended"
    workshop.command("flow-run", "resume", str(run), "--input", '{"approved": true}')
    ended = workshop.wait(run)
    assert (ended.state_type, ended.run_count, ended.epoch) == (COMPLETED, 1, 2)
    assert workshop.lines(run).count("before") == 2
    assert "after: approved=True" in workshop.lines(run)
    assert "crashed" not in worker.log


def test_a_paused_run_waits_in_its_process(workshop: Workshop) -> None:
    deployment = workshop.deploy("waiting_for_it", APPROVING)
    workshop.start_worker()
    run = workshop.run(deployment)
    workshop.wait(run, PAUSED)
    workshop.command("flow-run", "resume", str(run))
    ended = workshop.wait(run)
    assert (ended.state_type, ended.epoch) == (COMPLETED, 1)
    assert workshop.lines(run).count("before") == 1


def test_a_run_that_is_suspended_from_outside_ends_its_process(workshop: Workshop, pipe: Path) -> None:
    deployment = workshop.deploy("telling", TELLING, job_variables={"grace_seconds": 1})
    workshop.start_worker()
    run = workshop.run(deployment, pipe=str(pipe))
    flow, supervisor, near, far = numbers(await_line(pipe))
    workshop.command("flow-run", "suspend", str(run))
    assert await_end(supervisor)
    assert not any(map(is_alive, (flow, near, far)))
    assert workshop.execution.read_flow_run(run).state_name == "Suspended"


# how runs are ended


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_cancelled_run_ends_with_everything_it_started(workshop: Workshop, pipe: Path, stubborn: bool) -> None:
    deployment = workshop.deploy("telling", TELLING, job_variables={"grace_seconds": 1})
    workshop.start_worker()
    run = workshop.run(deployment, pipe=str(pipe), stubborn=stubborn)
    flow, supervisor, near, far = numbers(await_line(pipe))
    workshop.cancel(run)
    assert workshop.wait(run).state_type is CANCELLED
    assert await_end(supervisor)
    assert not any(map(is_alive, (flow, near, far)))


def test_a_run_whose_process_is_killed_has_crashed_and_says_so(workshop: Workshop, pipe: Path) -> None:
    workshop.start_worker()
    run = workshop.run(workshop.deploy("telling", TELLING), pipe=str(pipe))
    flow, supervisor, near, far = numbers(await_line(pipe))
    os.kill(flow, signal.SIGKILL)
    ended = workshop.wait(run)
    assert ended.state_type is CRASHED
    assert ended.state
    assert "SIGKILL" in (ended.state.message or "")
    assert await_end(supervisor)
    assert not any(map(is_alive, (near, far)))


def test_a_run_outlives_its_worker_and_can_still_be_cancelled(workshop: Workshop, pipe: Path) -> None:
    worker = workshop.start_worker()
    run = workshop.run(workshop.deploy("telling", TELLING), pipe=str(pipe))
    flow, supervisor, *_ = numbers(await_line(pipe))
    worker.kill()
    assert is_alive(flow)
    workshop.cancel(run)
    assert workshop.wait(run).state_type is CANCELLED
    assert await_end(supervisor)


def test_worker_and_flow_killed_together_is_a_crash(workshop: Workshop, pipe: Path) -> None:
    worker = workshop.start_worker()
    run = workshop.run(workshop.deploy("telling", TELLING), pipe=str(pipe))
    flow, *_ = numbers(await_line(pipe))
    worker.kill()
    os.kill(flow, signal.SIGKILL)
    assert workshop.wait(run).state_type is CRASHED


def test_a_machine_that_dies_with_all_of_it_is_found_out(workshop: Workshop, pipe: Path) -> None:
    worker = workshop.start_worker()
    run = workshop.run(workshop.deploy("telling", TELLING), pipe=str(pipe))
    flow, supervisor, *_ = numbers(await_line(pipe))
    worker.kill()
    os.kill(supervisor, signal.SIGKILL)
    assert await_end(flow)
    ended = workshop.wait(run)
    assert ended.state_type is CRASHED
    assert ended.state
    assert "alive" in (ended.state.message or "")


def test_a_flow_that_holds_the_interpreter_is_not_taken_for_dead(workshop: Workshop, pipe: Path) -> None:
    workshop.start_worker()
    # Three times as long as it takes to find a dead one.
    run = workshop.run(workshop.deploy("holding", TELLING), pipe=str(pipe), seconds=20)
    await_line(pipe)
    assert workshop.wait(run).state_type is COMPLETED


def test_a_run_goes_on_without_its_server_and_everything_of_it_arrives(
    workshop: Workshop, pipe: Path, tmp_path: Path
) -> None:
    answer = tmp_path / "answer"
    os.mkfifo(answer)
    worker = workshop.start_worker()
    deployment = workshop.deploy("asking", TELLING)
    run = workshop.run(deployment, pipe=str(pipe), answer=str(answer))
    await_line(pipe)
    workshop.server.kill()
    answer.write_text("go on\n", encoding="utf-8")
    while "tried again" not in worker.log and "trying again" not in worker.log:
        threading.Event().wait(0.05)
    workshop.server.start()
    assert workshop.wait(run).state_type is COMPLETED
    # The worker has not given up either.
    again = workshop.run(deployment, pipe=str(pipe), answer=str(answer))
    await_line(pipe)
    answer.write_text("go on\n", encoding="utf-8")
    assert workshop.wait(again).state_type is COMPLETED


def test_the_older_spelling_serves_a_pool(workshop: Workshop) -> None:

    run = workshop.run(workshop.deploy("adding", ADD), a=1)
    agent = subprocess.Popen([sys.executable, "-m", "headrace", "agent", "start", "-p", POOL], env=workshop.environ)
    assert workshop.wait(run).state_type is COMPLETED
    agent.terminate()
    assert agent.wait(100) == 0


def await_end(pid: int) -> bool:
    """Wait until a process that is not our child has ended."""
    import select

    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 60)[0])
    finally:
        os.close(descriptor)
