"""What work pools and work queues have in common on the screen: status, slots, and the runs that wait or execute there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.text import Text

from headrace.cli.lookup import read_flow_names, read_pages
from headrace.cli.runs import show_heading, when_run
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import MISSING, one_line, say_count, say_when, show_state
from headrace.schema.filters import FlowRunFilter, RunSelection, StateFilter, StateTypeFilter, TimeFilter
from headrace.schema.run import FlowRun, FlowRunSort
from headrace.schema.state import StateType
from headrace.schema.work_pool import ServiceStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headrace.cli.invocation import Invocation
    from headrace.gateway.administration import Administration

SHOWN_RUNS = 100

EXECUTING = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
"""The states of runs that take a slot of their pool and queue."""

Hours = Annotated[
    float,
    Parameter(["--hours", "-h"], validator=Number(gt=0, lte=24 * 366), help="How many hours to look ahead."),
]
Amount = Annotated[int, Parameter(validator=Number(gte=0), help="How many runs may execute at once.")]
AmountOption = Annotated[
    int | None,
    Parameter(["--concurrency-limit", "--limit", "-l"], validator=Number(gte=0), help="How many runs execute at once."),
]

_STATUS = {
    ServiceStatus.READY: ("Ready", "green"),
    ServiceStatus.NOT_READY: ("Not ready", "yellow"),
    ServiceStatus.PAUSED: ("Paused", "magenta"),
}


def show_status(status: ServiceStatus | None) -> Text:
    """A status in its colour."""
    return Text(MISSING) if status is None else Text(*_STATUS[status])


def say_slots(active: int | None, limit: int | None) -> str:
    """How many slots are taken, of how many there are: `2 of 5`, or `2` where there is no limit."""
    return str(active or 0) if limit is None else f"{active or 0} of {limit}"


def say_taken(active: int | None, limit: int | None) -> str:
    """The same as a sentence says it."""
    taken = active or 0
    return f"{say_count(taken, 'slot')} taken, no limit" if limit is None else f"{taken} of {limit} slots taken"


def find_upcoming(
    administration: Administration, selection: RunSelection, hours: float, invocation: Invocation
) -> list[FlowRun]:
    """The runs of a selection that wait and are due within so many hours, those that are late included; first one first."""
    selection.flow_runs = FlowRunFilter(
        state=StateFilter(type=StateTypeFilter(any_=[StateType.SCHEDULED])),
        next_scheduled_start_time=TimeFilter(before_=invocation.now + timedelta(hours=hours)),
    )
    order = FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC
    return read_pages(lambda page: administration.list_flow_runs(selection, order, page), SHOWN_RUNS)


def find_executing(administration: Administration, selection: RunSelection) -> list[FlowRun]:
    """The runs of a selection that take slots."""
    selection.flow_runs = FlowRunFilter(state=StateFilter(type=StateTypeFilter(any_=list(EXECUTING))))
    return read_pages(lambda page: administration.list_flow_runs(selection, page=page), SHOWN_RUNS)


def print_upcoming(
    administration: Administration,
    selection: RunSelection,
    hours: float,
    invocation: Invocation,
    output: Literal["json"] | None,
) -> None:
    """Show the runs of a selection that are due within so many hours."""
    runs = find_upcoming(administration, selection, hours, invocation)
    if output == "json":
        invocation.print_json(runs)
    elif not runs:
        invocation.print(Text(f"No runs are due within {hours:g} h.", "bright_black"))
    else:
        print_placed_runs(administration, runs, invocation)
        if len(runs) == SHOWN_RUNS:
            invocation.print(Text(f"The first {SHOWN_RUNS} are shown.", "bright_black"))


def print_executing(administration: Administration, runs: Sequence[FlowRun], invocation: Invocation) -> None:
    """Show the runs that take slots, below what was shown before."""
    if runs:
        note = f"{SHOWN_RUNS} or more" if len(runs) == SHOWN_RUNS else str(len(runs))
        invocation.print(show_heading("Runs", note))
        print_placed_runs(administration, runs, invocation, indent=2)


def print_placed_runs(
    administration: Administration, runs: Sequence[FlowRun], invocation: Invocation, indent: int = 0
) -> None:
    """Show runs with the queues they are in."""
    flows = read_flow_names(administration, (run.flow_id for run in runs))
    columns = (
        Column("ID"),
        Column("Flow", least=8),
        Column("Name", least=8),
        Column("State", least=9),
        Column("When"),
        Column("Queue", least=7, drop=1),
    )
    rows = [
        [
            str(run.id),
            one_line(flows.get(run.flow_id, "")),
            one_line(run.name),
            show_state(run.state_type, run.state_name),
            say_when(when_run(run), invocation.now),
            one_line(run.work_queue_name or ""),
        ]
        for run in runs
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width, indent))
