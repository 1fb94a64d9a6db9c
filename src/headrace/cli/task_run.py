from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from headrace.cli.details import show_details
from headrace.cli.invocation import Injected, Invocation, Output
from headrace.cli.log_lines import Amount, Head, Reverse, Tail, print_logs
from headrace.cli.lookup import find_flow_run, find_task_run, read_pages
from headrace.cli.pages import Web, open_page
from headrace.cli.pictures import print_artifacts
from headrace.cli.runs import (
    Limit,
    StateNames,
    StateTypes,
    choose_states,
    say_run_time,
    say_when_run,
    show_heading,
    show_states,
    show_title,
    tell_run,
)
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import MISSING, one_line, say_duration, say_instant, show_state, show_tags
from headrace.schema.filters import ArtifactFilter, IdFilter, LogFilter, RunSelection, TaskRunFilter, TextFilter
from headrace.schema.run import ConstantInput, FlowRunResult, ParameterInput, TaskRun, TaskRunResult
from headrace.schema.wire import decode_json, encode_json

app = App(name="task-run", help_flags=["--help"])

NamedRun = Annotated[str, Parameter(help="The run's id, or its name if no other run has it.")]


@app.command
def ls(
    *,
    task_run_name: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    flow_run: str | None = None,
    limit: Limit = 15,
    state: StateNames = (),
    state_type: StateTypes = (),
    output: Output = None,
    invocation: Injected,
) -> None:
    """List task runs, newest first.

    Parameters
    ----------
    task_run_name
        Only task runs of this name; may be repeated.
    flow_run
        Only task runs of this flow run: its id, or its name if no other run has it.
    """
    with invocation.administration() as administration:
        selection = RunSelection(
            task_runs=TaskRunFilter(
                name=TextFilter(any_=list(task_run_name)) if task_run_name else None,
                flow_run_id=IdFilter(any_=[find_flow_run(administration, flow_run).id]) if flow_run else None,
                state=choose_states(state, state_type),
            )
        )
        runs = read_pages(lambda page: administration.list_task_runs(selection, page=page), limit)
    if output == "json":
        invocation.print_json(runs)
    elif not runs:
        invocation.print(Text("There are no such task runs.", "bright_black"))
    else:
        invocation.print(show_task_runs(runs, invocation))


@app.command
def inspect(run: NamedRun, /, *, web: Web = False, output: Output = None, invocation: Injected) -> None:
    """Show a task run: its states, inputs and artifacts."""
    with invocation.administration() as administration:
        task_run = find_task_run(administration, run)
        if web:
            open_page(invocation, f"/task-runs/{task_run.id}")
            return
        states = administration.list_task_run_states(task_run.id)
        if output == "json":
            document: dict[str, Any] = decode_json(encode_json(task_run))
            invocation.print_json({**document, "states": states})
            return
        details = tell_run(task_run, invocation.now)
        details.insert(1, ("Task", one_line(task_run.task_key)))
        if task_run.flow_run_id is not None:
            flow_run = administration.read_flow_run(task_run.flow_run_id)
            details.insert(2, ("Flow run", f"{one_line(flow_run.name)} ({flow_run.id})"))
        for name, inputs in task_run.task_inputs.items():
            if inputs:
                details.append((f"Input {one_line(name)}", ", ".join(map(_say_input, inputs))))
        if task_run.cache_key is not None:
            details.append(("Cache key", one_line(task_run.cache_key)))
        if task_run.cache_expiration is not None:
            details.append(("Cached until", say_instant(task_run.cache_expiration, invocation.now)))
        invocation.print(show_title(task_run, "Task run"), show_details(details, indent=2))
        if states:
            invocation.print(show_heading("States"), show_states(states, invocation))
        print_artifacts(administration, ArtifactFilter(task_run_id=IdFilter(any_=[task_run.id])), invocation)


@app.command(help_flags=["--help"])
def logs(
    run: NamedRun,
    /,
    *,
    head: Head = False,
    tail: Tail = False,
    num_logs: Amount = None,
    reverse: Reverse = False,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Show the log lines of a task run, oldest first."""
    with invocation.administration() as administration:
        task_run = find_task_run(administration, run)
        wanted = LogFilter(task_run_id=IdFilter(any_=[task_run.id]))
        print_logs(administration, wanted, "", invocation, head, tail, num_logs, reverse, output)


def show_task_runs(
    runs: Sequence[TaskRun], invocation: Invocation, since: datetime | None = None, indent: int = 0
) -> Table:
    """A table of task runs. With `since`, their start is told as the time after it."""
    columns = (
        Column("ID"),
        Column("Name", least=12),
        Column("State", least=9),
        Column("Tries", right=True, drop=1),
        Column("Duration", right=True),
        Column("Start" if since else "When", right=since is not None, drop=2),
        Column("Tags", least=8, drop=3),
    )
    rows = [
        [
            str(run.id),
            one_line(run.name),
            show_state(run.state_type, run.state_name),
            str(run.run_count),
            say_run_time(run),
            _say_start(run, since) if since else say_when_run(run, invocation.now),
            show_tags(run.tags),
        ]
        for run in runs
    ]
    return fit_table(columns, rows, invocation.out.width, indent)


def _say_start(run: TaskRun, since: datetime) -> str:
    if run.start_time is None:
        return MISSING
    return f"+{say_duration((run.start_time - since).total_seconds())}"


def _say_input(source: TaskRunResult | FlowRunResult | ParameterInput | ConstantInput) -> str:
    match source:
        case TaskRunResult(id=run_id):
            return f"task run {run_id}"
        case FlowRunResult(id=run_id):
            return f"flow run {run_id}"
        case ParameterInput(name=name):
            return f"parameter {one_line(name)}"
        case ConstantInput(type=kind):
            return f"constant {one_line(kind)}"
