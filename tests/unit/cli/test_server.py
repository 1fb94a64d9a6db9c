"""Commands on the server that need none; those that do are in tests/acceptance/test_server_cli.py."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from headrace.schema.loop import LoopStatus
from headrace.storage import compiled
from headrace.storage.databases import open_database
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import NOW


def test_loops_are_listed_with_where_they_go_on(terminal: Terminal) -> None:
    assert terminal.read("server", "services", "ls") == (
        "No server has run on this database yet; `headrace server start` starts one.\n"
    )
    terminal.administration.loops = [
        LoopStatus(
            name="reaper", interval=5, place="here", last_look=NOW - timedelta(seconds=30), took=0.01, lag=0, done=7
        ),
        LoopStatus(name="scheduler", interval=2, error="nothing answers"),
    ]
    assert [line.split() for line in terminal.read("server", "services", "ls").splitlines()] == [
        ["Name", "Where", "Every", "Last", "look", "Took", "Late", "by", "Done", "Trouble"],
        ["reaper", "here", "5.0s", "30s", "ago", "10ms", "0ms", "7"],
        ["scheduler", "nowhere", "2.0s", "–", "–", "–", "0", "nothing", "answers"],
    ]
    told = json.loads(terminal.read("server", "services", "ls", "-o", "json"))
    assert [each["name"] for each in told] == ["reaper", "scheduler"]
    assert max(map(len, terminal.read("server", "services", "ls", width=60).splitlines())) <= 60


def test_what_is_not_there_is_not_stopped(terminal: Terminal) -> None:
    assert terminal.read("server", "services", "stop").startswith("No process runs background loops only")
    assert terminal.read("server", "stop") == "No server is running.\n"


def test_flags_that_leave_nothing_to_do_are_refused(terminal: Terminal) -> None:
    said = terminal.fail("server", "start", "--services-only", "--no-services")
    assert said == "Error: --services-only and --no-services together leave nothing to do."


@pytest.mark.parametrize("verb", ["start", "stop"])
@pytest.mark.parametrize("port", ["65536", "70000", "-1"])
def test_what_is_no_port_is_refused(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, verb: str, port: str) -> None:
    monkeypatch.delattr("os.execve")
    assert "--port" in terminal.fail("server", verb, "--port", port)


@pytest.mark.parametrize("flags", [["--workers", "0"], ["--keep-alive-timeout", "-1"], ["--log-level", "LOUD"]])
def test_flags_that_mean_nothing_are_refused(terminal: Terminal, flags: list[str]) -> None:
    assert terminal.fail("server", "start", *flags)


def test_a_status_is_waited_for_as_long_as_is_said(terminal: Terminal) -> None:
    ended = terminal.type("server", "status", "--wait", "--timeout", "0")
    assert (ended.code, ended.out) == (1, "No server is running; `headrace server start` starts one.\n")


def test_a_schema_goes_back_and_forth(terminal: Terminal, home: Path) -> None:
    name = str(home / "headrace.db")
    assert terminal.read("server", "database", "upgrade", "--dry-run") == (
        f"{name} would go from schema none to {compiled.head}.\n"
    )
    assert not Path(name).exists()
    assert terminal.read("server", "database", "upgrade") == f"{name} has schema {compiled.head} now.\n"
    assert terminal.read("server", "database", "upgrade") == f"{name} has schema {compiled.head} already.\n"
    assert terminal.read("server", "database", "downgrade", "-r", "0001", "--dry-run") == (
        f"{name} would go from schema {compiled.head} back to 0001.\n"
    )
    assert terminal.read("server", "database", "downgrade", "-r", "0001", "-y") == f"{name} has schema 0001 now.\n"
    assert terminal.read("server", "database", "check") == f"{name} is whole and has schema 0001.\n"
    assert terminal.read("server", "database", "upgrade") == f"{name} has schema {compiled.head} now.\n"
    assert terminal.read("server", "database", "stamp", "head") == f"{name} is marked as schema {compiled.head}.\n"
    assert terminal.read("server", "database", "downgrade", "-r", "base") == f"{name} has no tables any more.\n"
    ended = terminal.type("server", "database", "check", "-o", "json")
    assert ended.code == 1
    assert json.loads(ended.out) == {"database": name, "revision": None, "faults": [f"{name} does not exist."]}


def test_a_database_is_copied_and_emptied(terminal: Terminal, home: Path, tmp_path: Path) -> None:
    open_database(f"sqlite:///{home}/headrace.db").close()
    copy = tmp_path / "copy.db"
    assert terminal.read("server", "database", "backup", str(copy)) == f"{home}/headrace.db was copied to {copy}.\n"
    assert "exists already" in terminal.fail("server", "database", "backup", str(copy))
    assert terminal.read("server", "database", "reset", "-y") == f"{home}/headrace.db is empty now.\n"


def test_an_empty_file_is_called_so(terminal: Terminal, home: Path, tmp_path: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "headrace.db").touch()
    ended = terminal.type("server", "database", "check")
    assert (ended.code, ended.out) == (1, f"{home}/headrace.db is empty.\n")
    assert "headrace.db is empty, so there is" in terminal.fail("server", "database", "backup", str(tmp_path / "copy"))


@pytest.mark.parametrize("command", [["server", "start", "-b"], ["server", "services", "start", "-b"]])
def test_a_home_that_is_no_folder_is_named(terminal: Terminal, tmp_path: Path, command: list[str]) -> None:
    terminal.environ["HEADRACE_HOME"] = str(tmp_path / "file")
    (tmp_path / "file").touch()
    said = terminal.fail(*command)
    assert said.startswith(
        f"Error: The folder {tmp_path}/file/servers cannot be made: Not a directory. Set HEADRACE_HOME"
    )


def test_a_revision_that_does_not_exist_is_refused(terminal: Terminal) -> None:
    assert "There is no revision '7'" in terminal.fail("server", "database", "downgrade", "-r", "7")
