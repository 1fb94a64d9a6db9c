"""Log lines of a run on the screen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.text import Text

from headrace.base.errors import InvalidRequest
from headrace.cli.invocation import Flag, Invocation
from headrace.cli.lookup import PAGE, read_pages
from headrace.cli.texts import clean
from headrace.schema.filters import LogFilter
from headrace.schema.log import Log, LogSort
from headrace.schema.run import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    invocation: Invocation,
    head: bool,
    tail: bool,
    amount: int | None,
    reverse: bool,
    output: Literal["json"] | None,
) -> None:
    """Show these lines: all, the first or the last of them."""
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
        shown = iter(lines)
    else:
        shown = _stream(administration, wanted, LogSort.TIMESTAMP_DESC if reverse else order)
    nothing = True
    for line in shown:
        nothing = False
        invocation.print_line(_show_line(line))
    if nothing:
        invocation.err.print(Text("There are no log lines.", "bright_black"))


def _stream(administration: Administration, wanted: LogFilter, order: LogSort) -> Iterator[Log]:
    """All lines, a page in memory at a time."""
    offset = 0
    while page := administration.list_logs(wanted, order, Page(PAGE, offset)):
        yield from page
        offset += len(page)


def _show_line(line: Log) -> Text:
    style = next(style for level, style in _STYLES if line.level >= level)
    text = Text(f"{line.timestamp.astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3], "bright_black")
    text.append(" | ").append(f"{logging.getLevelName(line.level):<8}", style).append(" | ")
    return text.append(clean(line.message), style if line.level >= logging.WARNING else "default")
