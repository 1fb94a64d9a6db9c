"""Log lines of a run on the screen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.text import Text

from headrace.base.errors import InvalidRequest
from headrace.cli.invocation import Flag, Invocation
from headrace.cli.lookup import PAGE, read_pages, read_task_run_names
from headrace.cli.texts import clean, one_line
from headrace.schema.filters import LogFilter
from headrace.schema.log import Log, LogSort
from headrace.schema.run import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from headrace.gateway.administration import Administration

FEW = 20

Head = Annotated[Flag, Parameter(["--head", "-h"], help=f"The first {FEW} lines only.")]
Tail = Annotated[Flag, Parameter(["--tail", "-t"], help=f"The last {FEW} lines only.")]
Amount = Annotated[
    int | None,
    Parameter(
        ["--num-logs", "-n"],
        validator=Number(gte=1),
        help=f"How many lines --head or --tail show, instead of {FEW}; alone, the first so many.",
    ),
]
Reverse = Annotated[Flag, Parameter(["--reverse", "-r"], help="Newest line first.")]

_STYLES = ((logging.ERROR, "red"), (logging.WARNING, "yellow"), (logging.INFO, "default"), (0, "bright_black"))


def print_logs(
    administration: Administration,
    wanted: LogFilter,
    flow_run: str,
    invocation: Invocation,
    head: bool,
    tail: bool,
    amount: int | None,
    reverse: bool,
    output: Literal["json"] | None,
) -> None:
    """Show these lines of the flow run of this name and its task runs: all, the first or the last of them."""
    if head and tail:
        raise InvalidRequest("--head and --tail exclude each other.")
    limit = amount or (FEW if head or tail else None)
    order = LogSort.TIMESTAMP_DESC if tail else LogSort.TIMESTAMP_ASC
    if output == "json" or limit is not None:
        lines = read_pages(lambda page: administration.list_logs(wanted, order, page), limit)
        if reverse != tail:
            lines.reverse()
        if output == "json":
            invocation.print_json(lines)
            return
        pages = iter([lines])
    else:
        pages = _read_on(administration, wanted, LogSort.TIMESTAMP_DESC if reverse else order)
    names: dict[UUID, str] = {}
    nothing = True
    for page in pages:
        unknown = {line.task_run_id for line in page if line.task_run_id is not None} - names.keys()
        names |= read_task_run_names(administration, unknown)
        for line in page:
            nothing = False
            invocation.print_line(show_line(line, name_run(line, flow_run, names)))
    if nothing:
        invocation.err.print(Text("There are no log lines.", "bright_black"))


def _read_on(administration: Administration, wanted: LogFilter, order: LogSort) -> Iterator[list[Log]]:
    """All lines, a page in memory at a time."""
    offset = 0
    while page := administration.list_logs(wanted, order, Page(PAGE, offset)):
        yield page
        offset += len(page)


def name_run(line: Log, flow_run: str, names: Mapping[UUID, str]) -> str:
    """Whose line it is, as the log says it where the run executes."""
    if line.task_run_id is None:
        return f"Flow run '{one_line(flow_run)}'"
    return f"Task run '{one_line(names.get(line.task_run_id, str(line.task_run_id)))}'"


def show_line(line: Log, run: str) -> Text:
    """A line as the log says it where the run executes, for the terminal to wrap."""
    style = next(style for level, style in _STYLES if line.level >= level)
    text = Text(f"{line.timestamp.astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3], "bright_black")
    text.append(" | ").append(f"{logging.getLevelName(line.level):<8}", style).append(" | ")
    text.append(run).append(" - ")
    return text.append(clean(line.message), style if line.level >= logging.WARNING else "default")
