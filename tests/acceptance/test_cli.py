"""The command line as people use it: real processes, a real database."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

# Runs a command without the power to override permissions (capabilities 1 and 2), which root has and others have not.
WITHOUT_POWER = """
import ctypes, os, sys
for capability in (1, 2):
    if ctypes.CDLL(None).prctl(24, capability, 0, 0, 0):
        sys.exit("capabilities cannot be dropped here")
os.execv(sys.argv[1], sys.argv[1:])
"""
POWERLESS = [sys.executable, "-c", WITHOUT_POWER] if os.geteuid() == 0 else []

HEADRACE = str(Path(sys.executable).with_name("headrace"))

FACTS = '''
from headrace import flow, get_run_logger, task
from headrace.artifacts import create_markdown_artifact, create_table_artifact

calls = 0

@task(retries=2)
def fetch(number):
    global calls
    calls += 1
    if calls == 1:
        raise ValueError("not yet")
    return number

@flow(name="inner-facts")
def inner():
    print("inner works")

@flow(name="animal-facts", log_prints=True)
def facts(limit: int = 3):
    for number in range(limit):
        fetch(number)
    get_run_logger().warning("careful")
    inner()
    create_markdown_artifact(key="the-report", markdown=f"""
        # Report

        | model | rmse |
        |:------|-----:|
        | xgb   | **{6.5}** |
        """)
    create_table_artifact(key="the-table", table=[{"model": "xgb", "rmse": 6.5}])

@flow(name="broken")
def broken():
    raise RuntimeError("it broke")

if __name__ == "__main__":
    facts()
    broken(return_state=True)
'''


class Machine:
    """A user's machine: a home, and commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.environ = os.environ | {"HEADRACE_HOME": str(self.home), "TZ": "UTC"}

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, env=self.environ | environ
        )

    def headrace(self, *arguments: str, **environ: str) -> str:
        """What a command prints that succeeds."""
        ended = self.run(HEADRACE, *arguments, **environ)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == ""
        return ended.stdout

    def read(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.headrace(*arguments, "-o", "json"))

    def refuse(self, *arguments: str, **environ: str) -> str:
        """What a command says, in one line, that fails."""
        return said(self.run(HEADRACE, *arguments, **environ))


def said(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line of error of a command that failed."""
    assert ended.returncode == 1, ended
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stdout == ""
    return ended.stderr.strip()


def timeless(shown: str) -> list[str]:
    """What was shown, without how long ago it was."""
    return re.sub(r"just now|\w+ ago", "", shown).split()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine on which the flows have run once. Tests only look at it."""
    machine = Machine(tmp_path_factory.mktemp("recorded"))
    (machine.folder / "facts.py").write_text(FACTS)
    ended = machine.run(sys.executable, "facts.py")
    assert ended.returncode == 0, ended.stderr
    return machine


class TestRecordedRuns:
    def test_flow_runs_are_listed_newest_first(self, recorded: Machine) -> None:
        runs = recorded.read("flow-run", "ls")
        assert [run["state_type"] for run in runs] == ["FAILED", "COMPLETED", "COMPLETED"]
        assert recorded.read("flow-run", "ls", "--state", "failed") == runs[:1]
        assert recorded.read("flow-run", "ls", "--state-type", "completed") == runs[1:]
        assert recorded.read("flow-run", "ls", "--flow-name", "inner-facts") == runs[1:2]
        assert recorded.read("flow-run", "ls", "--limit", "2") == runs[:2]
        assert {flow["name"] for flow in recorded.read("flow", "ls")} == {"animal-facts", "inner-facts", "broken"}

    def test_tables_fit_the_terminal(self, recorded: Machine) -> None:
        (run,) = recorded.read("flow-run", "ls", "--flow-name", "animal-facts")
        for width in (80, 200):
            for command in (["flow-run", "ls"], ["task-run", "ls"], ["flow-run", "inspect", run["id"]]):
                shown = recorded.headrace(*command, COLUMNS=str(width))
                assert all(len(line) <= width for line in shown.splitlines())
                assert all(task["id"] in shown for task in recorded.read("task-run", "ls") if command[0] == "task-run")

    def test_a_run_is_inspected_by_id_or_by_name(self, recorded: Machine) -> None:
        (run,) = recorded.read("flow-run", "ls", "--flow-name", "animal-facts")
        shown = recorded.headrace("flow-run", "inspect", run["id"], COLUMNS="120")
        assert timeless(recorded.headrace("flow-run", "inspect", run["name"], COLUMNS="120")) == timeless(shown)
        tasks = recorded.read("task-run", "ls", "--flow-run", run["name"])
        fetched = [task for task in tasks if task["task_key"].startswith("fetch")]
        assert sorted(task["run_count"] for task in fetched) == [1, 1, 2]
        assert all(task["id"] in shown for task in tasks)
        for text in ("Flow         animal-facts", "States", "Pending", "Running", "Task runs", "Subflow runs", "xgb"):
            assert " ".join(text.split()) in " ".join(shown.split())
        assert "**" not in shown
        states = recorded.read("flow-run", "inspect", run["id"])["states"]
        assert [state["type"] for state in states] == ["PENDING", "RUNNING", "COMPLETED"]

    def test_a_failed_run_says_why(self, recorded: Machine) -> None:
        (run,) = recorded.read("flow-run", "ls", "--flow-name", "broken")
        assert "it broke" in recorded.headrace("flow-run", "inspect", run["id"])

    def test_a_task_run_shows_its_states(self, recorded: Machine) -> None:
        (run,) = recorded.read("flow-run", "ls", "--flow-name", "animal-facts")
        tasks = recorded.read("task-run", "ls", "--flow-run", run["id"])
        (retried,) = [task for task in tasks if task["run_count"] == 2]
        names = [state["name"] for state in recorded.read("task-run", "inspect", retried["id"])["states"]]
        assert names == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]
        assert "AwaitingRetry" in recorded.headrace("task-run", "inspect", retried["id"])

    def test_logs_are_read(self, recorded: Machine) -> None:
        (run,) = recorded.read("flow-run", "ls", "--flow-name", "animal-facts")
        lines = recorded.headrace("flow-run", "logs", run["id"]).splitlines()
        assert any(f"WARNING  | Flow run '{run['name']}' - careful" in line for line in lines)
        assert any("WARNING  | Task run 'fetch-0' - Task run failed with ValueError" in line for line in lines)
        assert recorded.headrace("flow-run", "logs", run["id"], "--reverse").splitlines() == lines[::-1]
        assert recorded.headrace("flow-run", "logs", run["id"], "-h", "-n", "2").splitlines() == lines[:2]
        assert recorded.headrace("flow-run", "logs", run["id"], "-t", "-n", "2").splitlines() == lines[-2:]
        (inner,) = recorded.read("flow-run", "ls", "--flow-name", "inner-facts")
        assert "inner works" in recorded.headrace("flow-run", "logs", inner["id"])

    def test_artifacts_are_read(self, recorded: Machine) -> None:
        assert {each["key"] for each in recorded.read("artifact", "ls")} == {"the-report", "the-table"}
        assert "# Report" in recorded.read("artifact", "inspect", "the-report")["data"]
        assert "Report" in recorded.headrace("artifact", "inspect", "the-report")

    def test_a_closed_pipe_is_silent(self, recorded: Machine) -> None:
        (run,) = recorded.read("flow-run", "ls", "--flow-name", "animal-facts")
        receive, send = os.pipe()
        os.close(receive)
        ended = subprocess.run(
            [HEADRACE, "flow-run", "logs", run["id"]],
            stdout=send,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=recorded.environ,
        )
        os.close(send)
        assert ended.stderr == ""


def test_runs_are_shown_and_deleted_on_either_database(database_url: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (machine.folder / "facts.py").write_text(FACTS)
    assert machine.run(sys.executable, "facts.py").returncode == 0
    assert machine.read("version")["database"] == database_url.partition(":")[0]
    (run,) = machine.read("flow-run", "ls", "--flow-name", "animal-facts", "--state-type", "completed")
    assert "Task runs (4)" in machine.headrace("flow-run", "inspect", run["name"])
    assert "careful" in machine.headrace("flow-run", "logs", run["id"])
    machine.headrace("flow-run", "delete", run["id"])
    machine.refuse("flow-run", "inspect", run["id"])
    assert run["id"] not in machine.headrace("flow-run", "ls")
    assert machine.read("artifact", "ls") == []
    machine.refuse("flow-run", "delete", run["id"])


def test_a_machine_on_which_nothing_has_run_yet(machine: Machine) -> None:
    assert machine.read("flow-run", "ls") == []
    assert "no flows yet" in machine.headrace("flow", "ls")


def test_settings_of_a_profile_hold_for_scripts(machine: Machine) -> None:
    machine.headrace("profile", "create", "dev")
    machine.headrace("--profile", "dev", "config", "set", f"HEADRACE_DATABASE_URL=sqlite:///{machine.folder}/dev.db")
    machine.headrace("profile", "use", "dev")
    (machine.folder / "facts.py").write_text(FACTS)
    assert machine.run(sys.executable, "facts.py").returncode == 0
    assert (machine.folder / "dev.db").exists()
    assert len(machine.read("flow-run", "ls")) == 3
    assert machine.read("--profile", "default", "flow-run", "ls") == []


class TestBadInput:
    """Each is one line and a non-zero exit, for the command line and for a script alike."""

    SCRIPT = "from headrace import flow\n@flow\ndef nothing(): pass\nnothing()\n"

    def script(self, machine: Machine, **environ: str) -> str:
        return said(machine.run(sys.executable, "-c", self.SCRIPT, **environ))

    def test_an_unknown_setting(self, machine: Machine) -> None:
        message = machine.refuse("config", "set", "HEADRACE_DATABASE_ULR=sqlite:///x.db")
        assert "There is no setting HEADRACE_DATABASE_ULR; did you mean HEADRACE_DATABASE_URL?" in message
        slip = {"HEADRACE_DATABASE_URI": "sqlite:///x.db"}
        assert "did you mean HEADRACE_DATABASE_URL?" in machine.refuse("version", **slip)
        assert "did you mean HEADRACE_DATABASE_URL?" in self.script(machine, **slip)
        machine.home.mkdir()
        (machine.home / "profiles.toml").write_text('[profiles.default]\nHEADRACE_NOPE = "x"\n')
        assert "There is no setting HEADRACE_NOPE (profile default)" in machine.refuse("flow-run", "ls")
        assert "There is no setting HEADRACE_NOPE (profile default)" in self.script(machine)

    def test_a_bad_value(self, machine: Machine) -> None:
        bad = {"HEADRACE_DATABASE_SYNCHRONOUS": "sometimes"}
        for message in (machine.refuse("flow-run", "ls", **bad), self.script(machine, **bad)):
            assert "HEADRACE_DATABASE_SYNCHRONOUS='sometimes' (environment) is neither normal nor full" in message

    def test_a_file_that_is_no_database(self, machine: Machine) -> None:
        machine.home.mkdir()
        for content in (b"this is no database, whatever its name says", os.urandom(10_000)):
            (machine.home / "headrace.db").write_bytes(content)
            for message in (machine.refuse("flow-run", "ls"), self.script(machine)):
                assert str(machine.home / "headrace.db") in message
            assert (machine.home / "headrace.db").read_bytes() == content, "left as it was"

    def test_another_programs_database(self, machine: Machine) -> None:
        machine.home.mkdir()
        with sqlite3.connect(machine.home / "headrace.db") as connection:
            connection.execute("CREATE TABLE songs (title TEXT)")
        connection.close()
        for message in (machine.refuse("flow-run", "ls"), self.script(machine)):
            assert str(machine.home / "headrace.db") in message

    def test_a_place_below_a_file(self, machine: Machine) -> None:
        (machine.folder / "file").touch()
        place = {"HEADRACE_HOME": str(machine.folder / "file" / "home")}
        for message in (machine.refuse("flow-run", "ls", **place), self.script(machine, **place)):
            assert str(machine.folder / "file") in message

    def test_a_directory_without_permission(self, locked: Path, machine: Machine) -> None:
        for command in ([HEADRACE, "flow-run", "ls"], [sys.executable, "-c", self.SCRIPT]):
            assert str(locked) in said(machine.run(*POWERLESS, *command, HEADRACE_HOME=str(locked)))

    def test_a_newer_schema(self, machine: Machine) -> None:
        machine.headrace("flow-run", "ls")
        with sqlite3.connect(machine.home / "headrace.db") as connection:
            connection.execute("UPDATE schema_revision SET version_num = '9999'")
        connection.close()
        for message in (machine.refuse("flow-run", "ls"), self.script(machine)):
            assert "newer Headrace" in message

    @pytest.mark.parametrize("noun", ["flow-run", "task-run"])
    @pytest.mark.parametrize("verb", ["inspect", "logs"])
    def test_a_run_that_does_not_exist(self, machine: Machine, noun: str, verb: str) -> None:
        run_id = str(uuid4())
        assert run_id in machine.refuse(noun, verb, run_id)
        assert "'nobody-knows'" in machine.refuse(noun, verb, "nobody-knows")

    def test_deleting_what_does_not_exist(self, machine: Machine) -> None:
        machine.refuse("flow-run", "delete", str(uuid4()))

    def test_an_artifact_that_does_not_exist(self, machine: Machine) -> None:
        machine.refuse("artifact", "inspect", str(uuid4()))
        machine.refuse("artifact", "inspect", "nothing")


@pytest.fixture
def locked(machine: Machine) -> Iterator[Path]:
    """A home that cannot be made, in a directory that may not be written."""
    folder = machine.folder / "locked"
    folder.mkdir(mode=0o555)
    trial = machine.run(*POWERLESS, "/bin/mkdir", str(folder / "trial"))
    if (folder / "trial").exists() or "Permission denied" not in trial.stderr:
        pytest.skip(f"this user may write everywhere: {trial.stderr or 'even where permission is missing'}")
    yield folder / "home"
    folder.chmod(0o755)
