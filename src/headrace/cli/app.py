"""The root of the command line: which nouns there are, global options, and how errors end.

An error is one line on stderr and exit code 1, whatever it is; `HEADRACE_DEBUG=1` shows where it came from.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any, get_args

from cyclopts import App, ArgumentCollection, CycloptsError, Group, Parameter

from headrace.base.errors import HeadraceError, InvalidRequest
from headrace.cli.invocation import Invocation

NOUNS = {
    "agent": "The older spelling of worker.",
    "artifact": "What runs left to look at.",
    "automation": "What is done when something happens: list, make, pause and delete.",
    "block": "Typed values by name, with secrets among them.",
    "concurrency-limit": "Limits on how many task runs with a tag run at once.",
    "config": "Show and change settings.",
    "dashboard": "Open the pages of the server in the browser.",
    "deployment": "Deployments: list, run and schedule them.",
    "events": "What happens: follow it, and add to it.",
    "flow": "List flows, and serve one from here.",
    "flow-run": "List, inspect, watch, cancel and delete flow runs, and read their logs.",
    "global-concurrency-limit": "Limits on slots that code takes by name (short: gcl).",
    "profile": "Named sets of settings.",
    "project": "Begin a project with the files that projects had before.",
    "sdk": "Write typed code that runs deployments.",
    "server": "Start and stop the server that shows everything in a browser.",
    "shell": "Run shell commands as flows.",
    "task": "Execute background tasks.",
    "task-run": "List and inspect task runs, and read their logs.",
    "variable": "Named values that flows and project files read.",
    "webhook": "Addresses at which others tell something, which becomes an event.",
    "work-pool": "Where runs of deployments wait for workers.",
    "work-queue": "The queues of work pools, with their priorities and limits.",
    "worker": "Execute the runs of a work pool.",
}
"""The nouns, and what `--help` says of each: known here, so that no noun's module is loaded for it."""

SPELLINGS = {
    **{f"{noun}s": noun for noun in NOUNS if noun not in {"config", "events", "sdk"}},
    "event": "events",
    "gcl": "global-concurrency-limit",
}
"""Nouns answer to their plural as well, and some to another name."""

VERBS = {
    "api": "Send a request to the API.",
    "deploy": "Make flows deployments, for workers to run.",
    "init": "Begin a project in this folder.",
    "transfer": "Copy what one profile has to another.",
    "version": "Versions, profile and database in use.",
}
"""The commands that belong to no noun."""

COMPLETION = "Have the shell complete what is typed."

GLOBAL = Group("Global options", sort_key=100)


def run(arguments: Sequence[str], invocation: Invocation | None = None) -> int:
    """Perform one command line and return its exit code. Nothing is raised but KeyboardInterrupt's exit code, 130."""
    invocation = invocation or Invocation()
    try:
        make_app(invocation).meta(_name_noun(arguments))
        invocation.out.file.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _forget_stdout()
        return 141
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the edge of the program: nobody is left to catch it
        return _report(invocation, error)
    return 0


def make_app(invocation: Invocation) -> App:
    """All commands, none of their modules loaded yet. `meta` is what takes a command line, with its global options."""
    app = App(
        name="headrace",
        help="Run, watch and manage Headrace flows.",
        help_flags=["--help"],
        version=_read_version,
        console=invocation.help,
        error_console=invocation.err,
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
        config=_refuse_fractions,
    )
    for noun, summary in NOUNS.items():
        app.command(f"headrace.cli.{noun.replace('-', '_')}:app", name=noun, help=summary)
    for verb, summary in VERBS.items():
        app.command(f"headrace.cli.{verb}:{verb}", name=verb, help=summary)
    app.command(
        "headrace.cli.completion:install_completion", name="--install-completion", group=GLOBAL, help=COMPLETION
    )

    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        profile: Annotated[str | None, Parameter(help="Use this profile for this command.", group=GLOBAL)] = None,
        prompt: Annotated[
            bool | None,
            Parameter(help="Whether to ask before deleting. [default: when run in a terminal]", group=GLOBAL),
        ] = None,
    ) -> None:
        if profile is not None:
            invocation.choose_profile(profile)
        invocation.prompt = prompt
        command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
        for name, kind in ignored.items():
            if kind is Invocation:
                bound.arguments[name] = invocation
        command(*bound.args, **bound.kwargs)

    app.meta.default(launch)
    return app


def _name_noun(arguments: Sequence[str]) -> list[str]:
    """The arguments with the noun, which is the first word that is no option, in its singular."""
    words = list(arguments)
    for place, word in enumerate(words):
        if not word.startswith("-") and words[place - 1 : place] != ["--profile"]:
            words[place] = SPELLINGS.get(word, word)
            break
    return words


def _refuse_fractions(_app: App, _commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Have whole numbers written as such, for every command: cyclopts rounds fractions. Raises `InvalidRequest`."""
    for argument in arguments:
        if argument.hint is int or int in get_args(argument.hint):
            for token in argument.tokens:
                # Whether there may be none is for the option itself to say.
                if not re.fullmatch(r"[+-]?[0-9]+", token.value) and token.value.lower() not in {"none", "null"}:
                    raise InvalidRequest(f"{token.keyword or argument.name} {token.value!r} is no whole number.")


def _read_version() -> str:
    from importlib.metadata import version

    return version("headrace")


def _report(invocation: Invocation, error: Exception) -> int:
    """Say on stderr what went wrong, in one line."""
    if isinstance(error, (HeadraceError, CycloptsError)):
        text = str(error)
    elif isinstance(error, UnicodeEncodeError):
        text = "Something that was typed is no text in UTF-8."
    else:
        text = f"Something unforeseen happened: {type(error).__name__}: {error} (HEADRACE_DEBUG=1 shows where)."
    try:
        if invocation.debug:
            invocation.err.print_exception()
        invocation.print_error(text)
    except BrokenPipeError:
        return 1
    return 1


def _forget_stdout() -> None:
    """Send what is still buffered for the closed pipe nowhere, so that the interpreter's exit says nothing either."""
    descriptor: Any = None
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
