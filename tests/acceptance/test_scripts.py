"""Scripts without any configuration, as people run them: everything is recorded, whatever happens to the process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from headrace.base.settings import load_settings
from headrace.connect import open_administration
from headrace.schema.filters import RunSelection, StateFilter, StateTypeFilter, TaskRunFilter
from headrace.schema.state import StateType

HEADRACE = Path(sys.executable).with_name("headrace")

THOUSAND = """
from headrace import flow, task

@task
def noop(number):
    return number

@flow
def sequential(count: int = 1000):
    for number in range(count):
        noop(number)

if __name__ == "__main__":
    sequential()
"""

BLOCKED = """
import sys
from headrace import flow, task

@task
def wait():
    print("begun", flush=True)
    sys.stdin.read()

@flow
def blocked():
    wait()

if __name__ == "__main__":
    blocked()
"""

CALLED_WRONGLY = """
from headrace import flow

@flow
def count(number: int):
    return number

if __name__ == "__main__":
    count("many")
"""


@pytest.fixture
def script(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "script.py"
    path.write_text(request.param)
    return path


def start(script: Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def completed_task_runs() -> int:
    completed = TaskRunFilter(state=StateFilter(type=StateTypeFilter(any_=[StateType.COMPLETED])))
    return open_administration(load_settings()).count_task_runs(RunSelection(task_runs=completed))


@pytest.mark.parametrize("script", [THOUSAND], indirect=True)
def test_a_thousand_tasks_are_all_recorded_when_the_script_ends(database_url: str, script: Path) -> None:
    process = start(script)
    _, shown = process.communicate()
    assert process.returncode == 0, shown
    assert completed_task_runs() == 1000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("script", [THOUSAND], indirect=True)
def test_sixteen_scripts_at_once_on_a_database_that_does_not_exist_yet(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_LOGGING_LEVEL", "WARNING")
    for round_number in range(10):
        monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / f"home-{round_number}"))
        # What they run is measured by the test above; here it would only cost time, more than all others take.
        untraced = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        processes = [start(script, env=untraced) for _ in range(16)]
        shown = [process.communicate() for process in processes]
        assert [process.returncode for process in processes] == [0] * 16, shown
        assert {text for pair in shown for text in pair} == {""}
        assert completed_task_runs() == 16_000


@pytest.mark.parametrize("script", [BLOCKED], indirect=True)
def test_a_killed_script_is_crashed_as_soon_as_anyone_looks(home: Path, script: Path) -> None:
    process = start(script, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"

    assert [run["state_type"] for run in look()] == ["RUNNING"]  # alive, however many look

    process.send_signal(signal.SIGKILL)
    process.communicate()
    (run,) = look()
    assert run["state_type"] == "CRASHED"
    assert "process" in run["state"]["message"]
    (task_run,) = look("task-run")
    assert task_run["state_type"] == "CRASHED"


@pytest.mark.parametrize("script", [BLOCKED], indirect=True)
def test_an_interrupted_script_says_so(home: Path, script: Path) -> None:
    process = start(script, stdin=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0
    (run,) = look()
    assert (run["state_type"], run["state"]["message"]) == (
        "CRASHED",
        "Execution was interrupted by KeyboardInterrupt.",
    )


@pytest.mark.parametrize("script", [CALLED_WRONGLY], indirect=True)
def test_a_parameter_of_the_wrong_type_is_one_line(home: Path, script: Path) -> None:
    process = start(script, env={**os.environ, "HEADRACE_LOGGING_LEVEL": "CRITICAL"})
    _, shown = process.communicate()
    assert process.returncode == 1
    assert shown.count("\n") == 1
    assert "number='many'" in shown
    (run,) = look()
    assert run["state_type"] == "FAILED"


def look(noun: str = "flow-run") -> list[dict[str, Any]]:
    answer = subprocess.run([HEADRACE, noun, "ls", "-o", "json"], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)
