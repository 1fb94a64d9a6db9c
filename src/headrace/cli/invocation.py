"""One invocation of the command line: its settings, its screen, and its way to the orchestrator."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from functools import cached_property
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, cast

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from headrace.base import clock
from headrace.base.errors import ConfigurationError
from headrace.base.settings import Settings, load_settings, wants_debug

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration
    from headrace.gateway.execution import Execution

Opener = Callable[[Settings], "AbstractContextManager[Administration]"]
ExecutionOpener = Callable[[Settings], "AbstractContextManager[Execution]"]

UNBOUNDED = 1_000_000
"""The width of output that no terminal shows: a pipe or a file takes lines whole."""


class Screen(Console):
    """A console that leaves a closed pipe to the caller instead of ending the program in the middle."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError


class Invocation:
    """What a command needs to know and to use. Everything is made when it is first asked for."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        open_gateway: Opener | None = None,
        out: Console | None = None,
        err: Console | None = None,
        now: Callable[[], datetime] = clock.now,
        open_execution: ExecutionOpener | None = None,
        wait: Callable[[float], None] | None = None,
    ) -> None:
        self.environ: dict[str, str] = dict(os.environ if environ is None else environ)
        self.prompt: bool | None = None
        self._open_gateway = open_gateway or _open_administration
        self._open_execution = open_execution or _open_execution
        self._now = now
        self._wait = wait or _wait
        if out is not None:
            self.out = out
        if err is not None:
            self.err = err

    def choose_profile(self, name: str) -> None:
        """Use this profile, whatever the environment and the profiles file say."""
        self.environ["HEADRACE_PROFILE"] = name
        # They may have been read already, for the colours of the screen.
        vars(self).pop("settings", None)

    @cached_property
    def settings(self) -> Settings:
        """The settings of this invocation. Raises `ConfigurationError`."""
        return load_settings(self.environ)

    @cached_property
    def now(self) -> datetime:
        """The time that "3 min ago" counts from: the same throughout the invocation."""
        return self._now()

    @cached_property
    def out(self) -> Console:
        """Where what was asked for goes."""
        console = self._make_console(sys.stdout)
        if not sys.stdout.isatty() and "COLUMNS" not in self.environ:
            console.width = UNBOUNDED
        return console

    @cached_property
    def help(self) -> Console:
        """Where help goes: running text in boxes, so it needs a width even in a pipe."""
        return self._make_console(sys.stdout)

    @cached_property
    def err(self) -> Console:
        """Where everything else goes."""
        return self._make_console(sys.stderr)

    @property
    def debug(self) -> bool:
        """Whether errors show where they came from; readable even when the settings are not."""
        return wants_debug(self.environ)

    def administration(self, settings: Settings | None = None) -> AbstractContextManager[Administration]:
        """The orchestrator's administration, open for the length of a `with` block: that of other settings, if given."""
        return self._open_gateway(settings or self.settings)

    def execution(self, settings: Settings | None = None) -> AbstractContextManager[Execution]:
        """The orchestrator's execution, open for the length of a `with` block: that of other settings, if given."""
        return self._open_execution(settings or self.settings)

    def wait(self, seconds: float) -> None:
        """Let time pass before looking again."""
        self._wait(seconds)

    def confirm(self, question: str) -> bool:
        """Whether the user agrees; taken as given where nobody can be asked or `--no-prompt` says not to ask."""
        asking = self.prompt if self.prompt is not None else sys.stdin.isatty() and self.out.is_terminal
        if not asking:
            return True
        try:
            answer = self.err.input(Text(f"{question} [y/N] "))
        except EOFError:
            self.err.print()
            return False
        return answer.strip().lower() in {"y", "yes"}

    def print(self, *renderables: Any) -> None:
        """Show something that was asked for. A plain string is text, not markup."""
        for renderable in renderables:
            self.out.print(Text(renderable) if isinstance(renderable, str) else renderable)

    def print_line(self, line: str | Text) -> None:
        """Show a line whole, for the terminal to wrap: so it can be copied as one."""
        self.out.print(Text(line) if isinstance(line, str) else line, soft_wrap=True)

    def print_json(self, value: Any) -> None:
        """Show a value of wire types as JSON, the same on every terminal and in every pipe."""
        import msgspec

        from headrace.schema.wire import encode_json

        self.out.file.write(msgspec.json.format(encode_json(value), indent=2) + "\n")

    def print_warning(self, text: str) -> None:
        """Say something on stderr that is no reason to fail."""
        self.err.print(Text("Warning: ", "yellow").append(_one_line(text), "default"), soft_wrap=True)

    def print_error(self, text: str) -> None:
        """Say in one line on stderr why the command failed."""
        self.err.print(Text("Error: ", "bold red").append(_one_line(text), "not bold default"), soft_wrap=True)

    def _make_console(self, file: IO[str]) -> Console:
        reconfigure = getattr(file, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
        try:
            colors = self.settings.logging_colors
        except ConfigurationError:
            colors = "auto"
        return Screen(
            file=file,
            highlight=False,
            markup=False,
            emoji=False,
            no_color=True if colors == "never" else None,
            force_terminal=True if colors == "always" else None,
            _environ=self.environ,
        )


def _one_line(text: str) -> str:
    from headrace.cli.texts import clean

    return " ".join(clean(text).split())


@contextmanager
def _open_administration(settings: Settings) -> Generator[Administration]:
    from headrace.connect import open_administration

    # The protocol leaves out how a gateway ends; every one of them closes.
    with closing(cast("Any", open_administration(settings))) as administration:
        yield administration


@contextmanager
def _open_execution(settings: Settings) -> Generator[Execution]:
    from headrace.connect import open_execution

    with closing(open_execution(settings)) as execution:
        yield execution


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


Injected = Annotated[Invocation, Parameter(parse=False)]
"""A command's parameter that the root fills in: the invocation it belongs to."""

Output = Annotated[
    Literal["json"] | None,
    Parameter(name=["--output", "-o"], help="Write JSON, with the API's field names, instead of text."),
]

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
"""An option that is given or not."""
