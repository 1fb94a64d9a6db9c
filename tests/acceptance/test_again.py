"""Runs of scripts that die and are resumed, run again, and replayed, each in a process of its own."""

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_cli import HEADRACE, Machine, said

PROGRAM = """
import os
from dataclasses import dataclass
from pathlib import Path
from headrace import flow, task

@dataclass
class Config:
    depth: int

@dataclass
class Model:
    score: int

def note(text):
    with open("side", "a") as side:
        side.write(text + "\\n")

def die_unless_mended():
    if not Path("mended").exists():
        os._exit(9)

@task
def load(path: str) -> list[int]:
    note(f"load {path}")
    return [1, 2, 3]

@task
def train(rows: list[int], config: Config) -> Model:
    note(f"train {config.depth}")
    return Model(sum(rows) * config.depth)

@task
def publish(model: Model) -> int:
    note(f"publish {model.score}")
    return model.score

@flow
def tune(model: Model) -> int:
    score = publish(model)
    die_unless_mended()
    note("tuned")
    return score + 1

@flow(durable=True)
def main(path: str = "in.csv", config: Config = Config(2)) -> int:
    model = train(load(path), config)
    score = tune(model)
    note(f"score {score}")
    return score

if __name__ == "__main__":
    main("a.csv", config=Config(5))
"""

FIRST = ["load a.csv", "train 5", "publish 30"]


@pytest.fixture
def crashed(tmp_path: Path) -> Machine:
    """A machine on which a script has died."""
    machine = Machine(tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    assert machine.run("python", "program.py", PATH=f"{Path(HEADRACE).parent}:{os.environ['PATH']}").returncode == 9
    assert side(machine) == FIRST
    return machine


def side(machine: Machine) -> list[str]:
    """What was executed since this was last asked."""
    path = machine.folder / "side"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def mend(machine: Machine, *changes: tuple[str, str]) -> None:
    """Take away what kills the script, and change its code."""
    (machine.folder / "mended").touch()
    path = machine.folder / "program.py"
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def again(machine: Machine, command: str, *arguments: str) -> str:
    """Run the run again; what is logged meanwhile."""
    run = next(run for run in machine.read("flow-run", "ls", "--flow-name", "main") if run["state_name"] != "Pending")
    ended = machine.run(HEADRACE, "flow-run", command, run["id"], *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def runs(machine: Machine) -> list[tuple[Any, ...]]:
    found = machine.read("flow-run", "ls")
    return sorted((run["state_name"], run["run_count"]) for run in found)


def test_a_script_that_died_is_resumed_from_what_it_had_finished(crashed: Machine) -> None:
    assert runs(crashed) == [("Crashed", 1), ("Crashed", 1)]
    mend(crashed)
    logged = again(crashed, "resume")
    assert side(crashed) == ["tuned", "score 31"]
    assert runs(crashed) == [("Completed", 2), ("Completed", 2)]
    assert "Resumed: 2 task runs are restored when they are called again, 1 had not finished." in logged
    assert "Resumed: 1 task runs are restored when they are called again, 0 had not finished." in logged


def test_it_may_be_resumed_from_elsewhere_and_die_again(crashed: Machine, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    run = crashed.read("flow-run", "ls", "--flow-name", "main")[0]["name"]
    command = [HEADRACE, "flow-run", "resume", run]
    for code, done in ((9, []), (0, ["tuned", "score 31"])):
        assert subprocess.run(command, cwd=tmp_path / "elsewhere", env=crashed.environ, check=False).returncode == code
        assert side(crashed) == done
        mend(crashed)


def test_its_code_may_have_changed(crashed: Machine) -> None:
    more = ('    note(f"score {score}")\n', '    note(f"score {score}")\n    load("more")\n')
    mend(crashed, ("    model = train(", '    load("first")\n    model = train('), more, ("score + 1", "score + 2"))
    logged = again(crashed, "resume")
    assert side(crashed) == ["load first", "tuned", "score 32", "load more"]
    assert "Not restored: no finished call of it had these inputs." in logged


def test_a_run_is_run_again_from_a_task_on(crashed: Machine) -> None:
    mend(crashed)
    again(crashed, "resume")
    side(crashed)
    again(crashed, "rerun", "--from", "train")
    assert side(crashed) == ["train 5", "publish 30", "tuned", "score 31"]
    again(crashed, "retry")
    assert side(crashed) == ["score 31"]
    again(crashed, "rerun", "--param", "path=b.csv")
    assert side(crashed) == ["load b.csv", "score 31"]  # the rows are the same
    again(crashed, "rerun", "-p", 'config={"depth": 1}', "--entrypoint", "program.py:main")
    assert side(crashed) == ["train 1", "publish 6", "tuned", "score 7"]


def test_a_copy_of_a_run_is_replayed(crashed: Machine) -> None:
    mend(crashed)
    run = crashed.read("flow-run", "ls", "--flow-name", "main")[0]
    again(crashed, "replay", "--local")
    assert side(crashed) == ["tuned", "score 31"]
    assert crashed.read("flow-run", "inspect", run["id"])["state_name"] == "Crashed"
    assert runs(crashed) == [("Completed", 1), ("Completed", 1), ("Crashed", 1), ("Crashed", 1)]


def test_the_debugger_opens_where_a_replay_fails(crashed: Machine) -> None:
    mend(crashed, ('    note(f"score {score}")\n', '    secret = score * 100\n    raise LookupError("lost")\n'))
    run = crashed.read("flow-run", "ls", "--flow-name", "main")[0]["id"]
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, b"p secret\nq\n")
        ended = subprocess.run(
            [HEADRACE, "flow-run", "replay", run, "--local"],
            stdin=terminal, capture_output=True, text=True, check=False, cwd=crashed.folder, env=crashed.environ,
        )  # fmt: skip
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert ended.returncode == 1
    assert "LookupError: lost\n" in ended.stdout
    assert "3100" in ended.stdout


def test_a_run_that_fails_again_is_told_by_the_exit_code(crashed: Machine) -> None:
    mend(crashed, ('    note(f"score {score}")\n', '    raise LookupError("lost")\n'))
    run = crashed.read("flow-run", "ls", "--flow-name", "main")[0]["id"]
    ended = crashed.run(HEADRACE, "flow-run", "resume", run)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "LookupError: lost" in ended.stderr


def test_what_cannot_be_done_is_said_in_one_line(crashed: Machine) -> None:
    run = crashed.read("flow-run", "ls", "--flow-name", "main")[0]
    name = run["name"]

    def refuse(*arguments: str) -> str:
        return crashed.refuse("flow-run", arguments[0], name, *arguments[1:])

    assert refuse("rerun", "-p", "pth=x") == f"Error: Flow run '{name}' has no parameter 'pth'; it has: path, config."
    assert refuse("rerun", "--from", "tarin") == (
        f"Error: Flow run '{name}' has no task 'tarin' that could be run again; its tasks: load, train, tune."
    )
    assert "add --local" in refuse("replay")
    assert "There is no file gone.py" in refuse("resume", "-e", "gone.py:main")
    (crashed.folder / "program.py").unlink()
    assert "There is no file program.py" in refuse("resume")
    assert side(crashed) == []
    assert crashed.read("flow-run", "inspect", run["id"])["state_name"] == "Crashed"


WAITING = """
import sys
from headrace import flow

@flow
def waiting():
    print("begun", flush=True)
    sys.stdin.read()

waiting()
"""


def test_a_run_that_runs_is_left_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "waiting.py").write_text(WAITING, encoding="utf-8")
    python = str(Path(HEADRACE).with_name("python"))
    with subprocess.Popen(
        [python, "waiting.py"], cwd=tmp_path, env=machine.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        (run,) = machine.read("flow-run", "ls")
        for command in (("rerun",), ("replay", "--local")):
            refused = said(machine.run(HEADRACE, "flow-run", command[0], run["id"], *command[1:]))
            assert refused.endswith("is Running: only a run that has ended can be run again.")
        process.communicate(b"")
        assert process.returncode == 0
    (run,) = machine.read("flow-run", "ls")
    assert (run["state_name"], run["run_count"]) == ("Completed", 1)
