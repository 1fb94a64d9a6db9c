"""A terminal to type commands into."""

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from rich.console import Console

from headrace.cli.app import run
from headrace.cli.invocation import Invocation
from tests.unit.cli.memory import NOW, MemoryAdministration


class Ended(Struct):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


class Terminal:
    """Runs commands in this process, on an administration in memory."""

    def __init__(self, home: Path) -> None:
        self.environ = {"HEADRACE_HOME": str(home)}
        self.administration = MemoryAdministration()

    def type(self, *arguments: str, width: int = 200, in_color: bool = False) -> Ended:
        """Run a command and return how it ended; `in_color` shows it as on a real terminal."""
        out, err = io.StringIO(), io.StringIO()
        code = run(arguments, self._invoke(self._console(out, width, in_color), self._console(err, width)))
        return Ended(code, out.getvalue(), err.getvalue())

    def read(self, *arguments: str, width: int = 200) -> str:
        """What a command says that succeeds."""
        ended = self.type(*arguments, width=width)
        assert (ended.code, ended.err) == (0, "")
        return ended.out

    def fail(self, *arguments: str) -> str:
        """What a command says, in one line, that fails."""
        ended = self.type(*arguments)
        assert ended.code == 1
        assert ended.err.startswith("Error: ")
        assert ended.err.count("\n") == 1
        assert "Traceback" not in ended.err
        return ended.err.strip()

    def _invoke(self, out: Console, err: Console) -> Invocation:
        return Invocation(
            self.environ,
            self.administration.open,
            out,
            err,
            lambda: NOW,
            self.administration.open_execution,
            self.administration.pass_time,
        )

    def _console(self, file: io.StringIO, width: int, in_color: bool = False) -> Console:
        forced = True if in_color else None
        return Console(file=file, width=width, highlight=False, markup=False, emoji=False, force_terminal=forced)


@pytest.fixture
def terminal(home: Path) -> Terminal:
    return Terminal(home)


class Machine(Terminal):
    """Runs commands in this process, on a database of its own."""

    def _invoke(self, out: Console, err: Console) -> Invocation:
        return Invocation(self.environ, out=out, err=err)

    def ask(self, *arguments: str) -> Any:
        """The JSON that a command says."""
        return json.loads(self.read(*arguments, "-o", "json"))


@pytest.fixture
def machine(home: Path) -> Machine:
    return Machine(home)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC, so that what is shown does not depend on the machine."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
