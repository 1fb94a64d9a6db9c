"""How the command line as a whole behaves."""

import os
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from headrace.base.errors import UnusableDatabase
from headrace.base.settings import Settings
from headrace.cli.app import NOUNS, run
from headrace.cli.invocation import Invocation
from headrace.schema.run import Page
from tests.unit.cli.conftest import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator

    from headrace.gateway.administration import Administration


def headrace(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "headrace", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environ)


def test_help_names_every_noun(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.type("--help").code == 0
    shown = capsys.readouterr().out
    assert all(noun in shown for noun in [*NOUNS, "version", "--profile"])


@pytest.mark.parametrize("noun", NOUNS)
def test_each_noun_has_help_of_its_own(terminal: Terminal, noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.type(noun, "--help").code == 0
    assert NOUNS[noun] in capsys.readouterr().out.replace("\n", " ")


def test_nothing_typed_is_help(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.type().code == 0
    assert terminal.type("flow-run").code == 0
    assert "Usage: headrace flow-run" in capsys.readouterr().out


def test_nouns_answer_to_their_plural(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    for plural in ("flow-runs", "task-runs", "flows", "artifacts", "profiles"):
        assert terminal.type(plural, "--help").code == 0
    for options in (["--profile", "default"], ["--profile=default"], ["--no-prompt", "--profile", "default"]):
        assert terminal.read(*options, "profiles", "ls").strip() == "* default"


def test_version_flag(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.type("--version").code == 0
    assert capsys.readouterr().out.strip() == version("headrace")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("flow-run", "nonsense"),
        ("flow-run", "ls", "--nonsense"),
        ("flow-run", "ls", "extra"),
        ("flow-run", "inspect"),
        ("version", "-o"),
        ("version", "-o", "yaml"),
        ("--profile",),
        ("--profile", "gone", "version"),
        ("--profile", "a/b", "version"),
    ],
)
def test_a_usage_error_is_one_line(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    terminal.fail(*arguments)


def test_a_database_error_is_one_line(terminal: Terminal) -> None:
    @contextmanager
    def broken(settings: Settings) -> "Generator[Administration]":
        raise UnusableDatabase("This is\nno database.")
        yield

    terminal.administration.open = broken  # type: ignore[method-assign, assignment]
    assert terminal.fail("flow", "ls") == "Error: This is no database."


def test_whatever_happens_is_one_line_unless_asked(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(page: Page) -> NoReturn:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(terminal.administration, "list_flows", fail)
    assert "Something unforeseen happened: ZeroDivisionError: by zero" in terminal.fail("flow", "ls")
    terminal.environ["HEADRACE_DEBUG"] = "1"
    ended = terminal.type("flow", "ls")
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert "in fail" in ended.err
    assert ended.err.splitlines()[-1].startswith("Error: ")


def test_debug_works_when_the_settings_do_not(terminal: Terminal) -> None:
    terminal.environ |= {"HEADRACE_DEBUG": "1", "HEADRACE_LOGGING_LEVEL": "LOUD"}
    ended = terminal.type("version")
    assert ended.code == 1
    assert "Traceback" in ended.err


def test_an_interrupt_is_130(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(page: Page) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(terminal.administration, "list_flows", interrupt)
    ended = terminal.type("flow", "ls")
    assert (ended.code, ended.out, ended.err) == (130, "", "")


def test_a_closed_pipe_is_silent(home: Path) -> None:
    """The reader goes away before anything is written."""
    receive, send = os.pipe()
    os.close(receive)
    for arguments in (["version"], ["version", "-o", "json"], ["config", "view", "--show-defaults"], ["--help"]):
        command = [sys.executable, "-m", "headrace", *arguments]
        ended = subprocess.run(command, stdout=send, stderr=subprocess.PIPE, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (141, "")
    os.close(send)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_lead_nowhere(home: Path, closed: str) -> None:
    for arguments, code in (("version", 0), ("flow ls -o json", 0), ("--help", 0), ("variable set a - nonsense", 1)):
        command = f"exec {sys.executable} -m headrace {arguments} {closed}"
        ended = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
        assert (ended.returncode, "unforeseen" in ended.stdout + ended.stderr) == (code, False), ended
        assert bool(ended.stdout) is (code == 0 and " >&-" not in f" {closed}")
        assert bool(ended.stderr) is (code == 1 and "2>&-" not in closed)


def test_a_pipe_gets_whole_lines(home: Path) -> None:
    long = "x" * 300
    ended = headrace("config", "view", HEADRACE_API_URL=f"http://{long}", HEADRACE_LOGGING_COLORS="auto")
    assert long in ended.stdout
    assert "\x1b" not in ended.stdout


@pytest.mark.parametrize(("colors", "coloured"), [("always", True), ("auto", False), ("never", False)])
def test_colours_are_as_set(home: Path, colors: str, coloured: bool) -> None:
    ended = headrace("config", "view", HEADRACE_LOGGING_COLORS=colors, TERM="xterm-256color")
    assert ("\x1b[" in ended.stdout) is coloured


def test_text_that_the_terminal_cannot_show_is_no_error(home: Path) -> None:
    ended = headrace("config", "view", HEADRACE_API_URL="http://é", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0
    assert "http://?" in ended.stdout


def test_the_console_script_and_the_module_are_the_same(home: Path) -> None:
    script = str(Path(sys.executable).with_name("headrace"))
    ended = subprocess.run([script, "version", "-o", "json"], capture_output=True, text=True, check=True)
    assert ended.stdout == headrace("version", "-o", "json").stdout


def test_help_loads_only_what_it_shows(home: Path) -> None:
    code = (
        "import sys\nbefore = {*sys.modules}\nfrom headrace.cli.app import run\nrun(['--help'])\n"
        "print(*(name for name in sys.modules if name not in before), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {*ended.stderr.split()}
    assert {name for name in loaded if name.startswith("headrace")} == {
        "headrace",
        "headrace.base",
        "headrace.base.clock",
        "headrace.base.errors",
        "headrace.base.keys",
        "headrace.base.profiles",
        "headrace.base.settings",
        "headrace.cli",
        "headrace.cli.app",
        "headrace.cli.invocation",
    }
    assert not {"asyncio", "sqlite3", "sqlalchemy", "pydantic"} & loaded


def test_nobody_is_asked_where_nobody_can_answer(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> None:
    def nobody() -> NoReturn:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    terminal.read("profile", "create", "dev")
    ended = terminal.type("--prompt", "profile", "delete", "dev")
    assert ended.err.splitlines()[-1] == "Error: Nothing was deleted."
    assert terminal.type("--no-prompt", "profile", "delete", "dev").code == 0


def test_an_exit_code_of_a_library_is_kept(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(page: Page) -> NoReturn:
        raise SystemExit(7)

    monkeypatch.setattr(terminal.administration, "list_flows", leave)
    assert terminal.type("flow", "ls").code == 7


def test_an_invocation_is_this_process_by_default(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "ls"], Invocation()) == 0
    assert capsys.readouterr().out.strip() == "* default"
