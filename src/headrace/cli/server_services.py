from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from headrace.base.errors import ConfigurationError
from headrace.cli.background import end_within, start_in_background
from headrace.cli.invocation import Injected, Invocation, Output
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import MISSING, one_line, say_duration, say_when
from headrace.schema.loop import LoopStatus
from headrace.server.instances import SERVICES, ask_to_stop, await_end, find_instance

app = App(name="services", help="The background loops: what makes scheduled runs, finds the dead, deletes what is old.")


@app.command
def ls(*, output: Output = None, invocation: Injected) -> None:
    """List the background loops, where each goes on, and how its last look went."""
    with invocation.administration() as administration:
        loops = administration.list_loops()
    if output == "json":
        invocation.print_json(loops)
    elif not loops:
        invocation.print_line("No server has run on this database yet; `headrace server start` starts one.")
    else:
        rows = [_describe(each, invocation) for each in loops]
        invocation.print(fit_table(COLUMNS, rows, invocation.out.width))


@app.command
def start(
    *,
    background: Annotated[bool, Parameter(name=["--background", "-b"], negative=(), show_default=False)] = False,
    invocation: Injected,
) -> None:
    """Run the background loops without serving, beside servers that were started with --no-services.

    Parameters
    ----------
    background
        Return as soon as they run, and leave them running.
    """
    if find_instance(invocation.settings.home, SERVICES) is not None:
        invocation.print_line("The background loops run already; `headrace server services ls` shows them.")
        return
    run_services(invocation, background)


@app.command
def stop(*, invocation: Injected) -> None:
    """Stop what `headrace server services start` has started, letting what has begun finish."""
    home = invocation.settings.home
    instance = ask_to_stop(home, SERVICES)
    if instance is None:
        invocation.print_line("No process runs background loops only; those of a server end with the server.")
        return
    if not end_within(lambda: await_end(home, SERVICES)):
        raise ConfigurationError(f"The background loops (process {instance.pid}) have not ended yet.")
    invocation.print_line("The background loops have stopped.")


def run_services(invocation: Invocation, background: bool, log_level: str = "INFO") -> None:
    """Run the background loops, in this process or in one of their own."""
    command = [sys.executable, "-m", "headrace.server", "--services-only", "--log-level", log_level]
    if background:
        process, told, log = start_in_background(invocation, command, SERVICES)
        invocation.print_line(f"{told.capitalize()} run (process {process}); their log is {log}.")
    else:
        invocation.out.file.flush()
        os.execve(command[0], command, invocation.environ)  # noqa: S606 - an argv list of our own, no shell


COLUMNS = (
    Column("Name"),
    Column("Where", least=12, drop=1),
    Column("Every", right=True),
    Column("Last look", least=8),
    Column("Took", right=True, drop=3),
    Column("Late by", right=True, drop=4),
    Column("Done", right=True, drop=5),
    Column("Trouble", least=10, drop=2),
)


def _describe(loop: LoopStatus, invocation: Invocation) -> list[str | Text]:
    def say(seconds: float | None) -> str:
        return MISSING if seconds is None else say_duration(seconds)

    return [
        loop.name,
        Text("nowhere", "yellow") if loop.place is None else one_line(loop.place),
        say_duration(loop.interval),
        say_when(loop.last_look, invocation.now),
        say(loop.took),
        say(loop.lag),
        str(loop.done),
        Text(one_line(loop.error), "red") if loop.error else "",
    ]
