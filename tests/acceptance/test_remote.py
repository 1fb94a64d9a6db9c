"""Scripts that record on a server: whatever happens to either, everything arrives, once and in order."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.gateway.administration import Administration
from headrace.schema.filters import FlowRunFilter, IdFilter, LogFilter, RunSelection
from headrace.schema.run import FlowRun, Page, TaskRun
from headrace.schema.state import StateType
from tests.acceptance.serving import STEPS, ServerProcess

HEADRACE = Path(sys.executable).with_name("headrace")
RUNNING, COMPLETED, CRASHED = StateType.RUNNING, StateType.COMPLETED, StateType.CRASHED

EVERYTHING = """
from headrace import flow, task
from headrace.artifacts import create_markdown_artifact

@task(retries=1)
def flaky(seen=[]):
    seen.append(1)
    if len(seen) == 1:
        raise ValueError("once")

@task
def add(a, b):
    return a + b

@flow
def inner():
    return add(1, 2)

@flow(log_prints=True)
def outer():
    flaky()
    print("the sum is", inner())
    create_markdown_artifact(key="report", markdown="# Done")

if __name__ == "__main__":
    outer()
"""

HOLDING = """
import ctypes
from headrace import flow

@flow
def hold():
    print("begun", flush=True)
    # PyDLL keeps the interpreter's lock: no thread of this process runs until something can be read.
    ctypes.PyDLL(None).read(0, ctypes.create_string_buffer(1), 1)

if __name__ == "__main__":
    hold()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "server", tmp_path / "server.log")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def administration(server: ServerProcess) -> Iterator[Administration]:
    opened: Any = server.open_administration()
    yield opened
    opened.close()


def start(server: ServerProcess, folder: Path, text: str, **settings: str) -> subprocess.Popen[str]:
    return server.start_script(folder / "script.py", text, **settings)


def await_line(process: subprocess.Popen[str], wanted: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{wanted}\n"


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def finish(process: subprocess.Popen[str]) -> str:
    _, shown = process.communicate(timeout=60)
    assert process.returncode == 0, shown
    return shown


def only_run(administration: Administration) -> FlowRun:
    (run,) = administration.list_flow_runs()
    return run


def read_task_runs(administration: Administration) -> list[TaskRun]:
    return administration.list_task_runs(page=Page(200))


def test_everything_a_script_does_is_recorded_on_the_server(
    server: ServerProcess, administration: Administration, tmp_path: Path, home: Path
) -> None:
    finish(start(server, tmp_path, EVERYTHING))
    runs = {run.parent_task_run_id is None: run for run in administration.list_flow_runs()}
    outer, inner = runs[True], runs[False]
    assert (outer.state_type, inner.state_type) == (COMPLETED, COMPLETED)
    of_outer = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[outer.id])))
    tasks = {task.task_key.split("-")[0].split(".")[-1]: task for task in administration.list_task_runs(of_outer)}
    assert len(tasks) == 2
    (flaky,) = [task for task in tasks.values() if task.id != inner.parent_task_run_id]
    assert (flaky.state_type, flaky.run_count) == (COMPLETED, 2)
    names = [state.name for state in administration.list_task_run_states(flaky.id)]
    assert names == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]
    lines = [line.message for line in administration.list_logs(LogFilter(flow_run_id=IdFilter(any_=[outer.id])))]
    assert "the sum is 3" in lines
    assert administration.read_latest_artifact("report").data == "# Done"
    assert not (home / "headrace.db").exists()


def test_a_server_killed_in_the_middle_loses_nothing(
    server: ServerProcess, administration: Administration, tmp_path: Path
) -> None:
    script = start(server, tmp_path, STEPS)
    await_line(script, "half")
    server.kill()
    go_on(script)
    await_line(script, "whole")  # the script did the rest, with nobody there
    server.start()
    shown = finish(script)
    assert "cannot be reached" in shown
    assert only_run(administration).state_type is COMPLETED
    tasks = read_task_runs(administration)
    assert len(tasks) == 200
    assert {task.state_type for task in tasks} == {COMPLETED}
    lines = [line.message for start in (0, 200, 400) for line in administration.list_logs(page=Page(200, start))]
    assert [line for line in lines if line.startswith("step")] == [f"step {number}" for number in range(200)]


def test_what_a_script_could_not_deliver_the_next_one_does(
    server: ServerProcess, administration: Administration, tmp_path: Path
) -> None:
    script = start(server, tmp_path, STEPS, HEADRACE_OUTAGE_LIMIT_SECONDS="0.2")
    await_line(script, "half")
    server.kill()
    go_on(script)
    script.communicate(timeout=60)
    server.start()
    assert only_run(administration).state_type is RUNNING
    finish(start(server, tmp_path, "from headrace import flow\n\n@flow\ndef after():\n    pass\n\nafter()\n"))
    assert {run.state_type for run in administration.list_flow_runs()} == {COMPLETED}
    assert {task.state_type for task in read_task_runs(administration)} == {COMPLETED}
    assert len(read_task_runs(administration)) == 200


def test_a_killed_script_is_crashed_and_one_that_holds_the_interpreter_is_not(
    server: ServerProcess, administration: Administration, tmp_path: Path
) -> None:
    holder = start(server, tmp_path, HOLDING, HEADRACE_HEARTBEAT_SECONDS="0.5")
    await_line(holder, "begun")
    held = only_run(administration)
    victim = start(server, tmp_path, HOLDING, HEADRACE_HEARTBEAT_SECONDS="0.5")
    await_line(victim, "begun")
    (killed,) = [run for run in administration.list_flow_runs() if run.id != held.id]
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    # The reaper judges both in the same looks, by the same patience.
    crashed = server.wait_until(killed.id, lambda run: run.state_type is CRASHED)
    assert crashed.state is not None
    assert crashed.state.message
    assert "alive" in crashed.state.message
    assert administration.read_flow_run(held.id).state_type is RUNNING
    finish_holding(holder)
    assert administration.read_flow_run(held.id).state_type is COMPLETED
    assert [state.type for state in administration.list_flow_run_states(held.id)][-2:] == [RUNNING, COMPLETED]


def finish_holding(process: subprocess.Popen[str]) -> None:
    go_on(process)
    finish(process)


@pytest.mark.parametrize("command", [["flow-run", "ls"], ["flow", "ls"]])
def test_nothing_answers_a_command(command: list[str], tmp_path: Path) -> None:
    silent = ServerProcess(tmp_path, tmp_path / "log")
    ended = subprocess.run(
        [HEADRACE, *command],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "HEADRACE_API_URL": silent.url},
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert silent.url in ended.stderr


def test_nothing_answers_a_script(tmp_path: Path) -> None:
    silent = ServerProcess(tmp_path, tmp_path / "log")
    script = start(silent, tmp_path, EVERYTHING)
    shown, said = script.communicate(timeout=60)
    assert script.returncode == 1
    assert shown == ""
    assert said.count("\n") == 1
    assert "Nothing answers" in said
