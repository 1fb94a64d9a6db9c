from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from headrace.base.errors import ConfigurationError, InvalidRequest
from headrace.cli.again import Entrypoint, Parameters, begin_again, replay_here
from headrace.cli.details import show_details
from headrace.cli.executing import execute_here
from headrace.cli.invocation import Injected, Invocation, Output
from headrace.cli.log_lines import Amount, Head, Reverse, Tail, print_logs
from headrace.cli.lookup import choose_named, find_flow_run, read_flow_names, read_pages
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
    tell_value,
    when_run,
)
from headrace.cli.tables import Column, fit_table
from headrace.cli.task_run import show_task_runs
from headrace.cli.texts import one_line, say_count, show_state, show_tags
from headrace.cli.values import read_duration, read_object, read_pairs
from headrace.cli.watching import Interval, Seconds, watch_run
from headrace.cli.why import why
from headrace.rules.transitions import SUSPENDED
from headrace.schema.filters import (
    ArtifactFilter,
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    LogFilter,
    RunSelection,
    TaskRunFilter,
    TextFilter,
)
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.run import FlowRun, FlowRunSort
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.schema.wire import decode_json, encode_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from headrace.gateway.administration import Administration

SHOWN_TASK_RUNS = 100
SHOWN_SUBFLOW_RUNS = 50
RESUMABLE = frozenset({StateType.CRASHED, StateType.FAILED, StateType.CANCELLED})
"""How a run has ended that did not come to its end."""

app = App(name="flow-run", help_flags=["--help"])
app.command(why)

NamedRun = Annotated[str, Parameter(help="The run's id, or its name if no other run has it.")]


@app.command
def ls(
    *,
    flow_name: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    limit: Limit = 15,
    state: StateNames = (),
    state_type: StateTypes = (),
    output: Output = None,
    invocation: Injected,
) -> None:
    """List flow runs: those that have started, the newest first, then those that have not.

    Parameters
    ----------
    flow_name
        Only runs of the flow of this name; may be repeated.
    """
    selection = RunSelection(
        flows=FlowFilter(name=TextFilter(any_=list(flow_name))) if flow_name else None,
        flow_runs=FlowRunFilter(state=choose_states(state, state_type)),
    )
    with invocation.administration() as administration:
        order = FlowRunSort.START_TIME_DESC
        runs = read_pages(lambda page: administration.list_flow_runs(selection, order, page), limit)
        names = {} if output else read_flow_names(administration, (run.flow_id for run in runs))
    if output == "json":
        invocation.print_json(runs)
    elif not runs:
        invocation.print(Text("There are no such flow runs.", "bright_black"))
    else:
        invocation.print(show_flow_runs(invocation, runs, names))


@app.command
def inspect(run: NamedRun, /, *, web: Web = False, output: Output = None, invocation: Injected) -> None:
    """Show a flow run: its states, task runs, subflow runs and artifacts."""
    with invocation.administration() as administration:
        flow_run = find_flow_run(administration, run)
        if web:
            open_page(invocation, f"/runs/{flow_run.id}")
            return
        states = administration.list_flow_run_states(flow_run.id)
        if output == "json":
            document: dict[str, Any] = decode_json(encode_json(flow_run))
            invocation.print_json({**document, "states": states})
            return
        names = read_flow_names(administration, [flow_run.flow_id])
        details = _tell_flow_run(flow_run, names.get(flow_run.flow_id, ""), administration, invocation)
        invocation.print(show_title(flow_run, "Flow run"), show_details(details, indent=2))
        if states:
            invocation.print(show_heading("States"), show_states(states, invocation))
        _print_task_runs(administration, flow_run, invocation)
        _print_subflow_runs(administration, flow_run, invocation)
        print_artifacts(administration, ArtifactFilter(flow_run_id=IdFilter(any_=[flow_run.id])), invocation)


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
    """Show the log lines of a flow run and its task runs, oldest first."""
    with invocation.administration() as administration:
        flow_run = find_flow_run(administration, run)
        wanted = LogFilter(flow_run_id=IdFilter(any_=[flow_run.id]))
        print_logs(administration, wanted, flow_run.name, invocation, head, tail, num_logs, reverse, output)


@app.command
def watch(
    run: NamedRun,
    /,
    *,
    interval: Interval = 1.0,
    timeout: Annotated[
        Seconds | None, Parameter(help="Seconds after which watching ends with exit code 1, while the run goes on.")
    ] = None,
    invocation: Injected,
) -> None:
    """Show a flow run's states and log lines as they come, until it has ended.

    The exit code is 0 when it completed and 1 when it did not. Of the lines there are already, the last ones are shown.
    """
    with invocation.administration() as administration:
        watch_run(administration, find_flow_run(administration, run), invocation, interval, timeout)


@app.command
def cancel(*runs: NamedRun, invocation: Injected) -> None:
    """Cancel flow runs: at once where nothing executes them, else as soon as what does has ended them."""
    if not runs:
        raise InvalidRequest("Name the flow run to cancel.")
    with invocation.administration() as administration:
        found = [find_flow_run(administration, run) for run in runs]
    with invocation.execution() as execution:
        for flow_run in found:
            state = StateCreate(type=StateType.CANCELLING, message="Cancelled from the command line.")
            decision = execution.propose_flow_run_state(Proposal(flow_run_id=flow_run.id, state=state))
            invocation.print_line(_say_cancelled(flow_run, decision))


@app.command
def resume(
    run: NamedRun,
    *,
    input: Annotated[  # noqa: A002 - the option is called so
        str | None, Parameter(help='What the run asks for, as a JSON object; a single value is {"value": …}.')
    ] = None,
    entrypoint: Entrypoint = None,
    invocation: Injected,
) -> None:
    """Resume a flow run: a paused one where it stands if its process waits, else from the top; one that has crashed or
    failed from what it had finished.
    """
    given = None if input is None else read_object(input, "--input")
    with invocation.administration() as administration:
        found = find_flow_run(administration, run)
    if found.state_type in RESUMABLE:
        if given is not None:
            raise InvalidRequest(
                f"Flow run {found.name!r} is {found.state_name}: it asks for nothing, leave out --input."
            )
        begin_again(found, invocation, "Resumed from the command line.", entrypoint)
        return
    with invocation.execution() as execution:
        decision = execution.resume_flow_run(found.id, given)
    shown = f"Flow run {one_line(found.name)} ({found.id})"
    if not decision.written or decision.state is None or decision.state.is_final():
        raise InvalidRequest(f"{shown} cannot be resumed. {decision.reason or ''}".strip())
    goes_on = "goes on" if decision.state.type is StateType.RUNNING else "begins again when a worker takes it"
    invocation.print_line(f"{shown} {goes_on}.")


@app.command(name=["rerun", "retry"])
def rerun(
    run: NamedRun,
    *,
    from_task: Annotated[str | None, Parameter("--from")] = None,
    param: Parameters = (),
    entrypoint: Entrypoint = None,
    invocation: Injected,
) -> None:
    """Run a flow run that has ended again: what it had finished is restored, the rest runs, with the code as it is now.

    A run of a deployment is executed by a worker, any other here, unless an entrypoint says that it is to be here. Only
    durable flows and tasks can be restored.

    Parameters
    ----------
    from_task
        A task that is to run again, together with everything that began after it had ended.
    """
    given = read_pairs(param, "--param")
    with invocation.administration() as administration:
        found = find_flow_run(administration, run)
    begin_again(found, invocation, "Run again from the command line.", entrypoint, from_task, given)


@app.command
def replay(
    run: NamedRun,
    *,
    local: Annotated[bool, Parameter(negative=())] = False,
    entrypoint: Entrypoint = None,
    invocation: Injected,
) -> None:
    """Execute a copy of a flow run that has ended, in this process: what it had finished is restored, the rest runs.

    `breakpoint()` works, and in a terminal the debugger opens where the code fails. The run itself stays as it is.

    Parameters
    ----------
    local
        Say that it is this process that executes it; there is no other way.
    """
    if not local:
        raise InvalidRequest("A replay is executed by this process, which has to be said: add --local.")
    with invocation.administration() as administration:
        found = find_flow_run(administration, run)
    replay_here(found, invocation, entrypoint)


@app.command
def execute(
    run: NamedRun | None = None,
    /,
    *,
    id_: Annotated[str | None, Parameter("--id", help="The run's id.")] = None,
    invocation: Injected,
) -> None:
    """Execute a run of a deployment in this process: one that is scheduled, or that was handed to this machine.

    This is what containers and batch jobs are started with. The exit code is 0 when the run completed, else 1.
    """
    named = choose_named(run, id_, "flow run")
    with invocation.administration() as administration:
        found = find_flow_run(administration, named)
    execute_here(found, invocation)


@app.command
def suspend(
    run: NamedRun,
    *,
    timeout: Annotated[str, Parameter(help="How long it may wait to be resumed: seconds, or '2 hours'.")] = "1 hour",
    invocation: Injected,
) -> None:
    """Suspend a running flow run of a deployment: its process is ended, and resuming begins it again from the top."""
    ends = invocation.now + timedelta(seconds=read_duration(timeout, "--timeout"))
    with invocation.administration() as administration:
        found = find_flow_run(administration, run)
    details = StateDetails(pause_reschedule=True, pause_timeout=ends)
    message = "Suspended from the command line."
    state = StateCreate(type=StateType.PAUSED, name=SUSPENDED, message=message, state_details=details)
    with invocation.execution() as execution:
        decision = execution.propose_flow_run_state(Proposal(flow_run_id=found.id, state=state))
    shown = f"Flow run {one_line(found.name)} ({found.id})"
    if not decision.written:
        raise InvalidRequest(f"{shown} cannot be suspended. {decision.reason or ''}".strip())
    invocation.print_line(f"{shown} is suspended; `headrace flow-run resume {found.id}` lets it begin again.")


@app.command
def delete(*runs: NamedRun, invocation: Injected) -> None:
    """Delete flow runs with their task runs, logs and artifacts. Asks first, when run in a terminal."""
    if not runs:
        raise ConfigurationError("Name the flow run to delete.")
    with invocation.administration() as administration:
        found = [find_flow_run(administration, run) for run in runs]
        shown = f"flow run {one_line(found[0].name)}" if len(found) == 1 else say_count(len(found), "flow run")
        if not invocation.confirm(f"Delete {shown} with all task runs, logs and artifacts?"):
            raise ConfigurationError("Nothing was deleted.")
        for flow_run in found:
            administration.delete_flow_run(flow_run.id)
            invocation.print_line(f"Deleted flow run {one_line(flow_run.name)} ({flow_run.id}).")


def show_flow_runs(
    invocation: Invocation, runs: Sequence[FlowRun], flows: Mapping[UUID, str], indent: int = 0
) -> Table:
    """A table of flow runs."""
    columns = (
        Column("ID"),
        Column("Flow", least=8),
        Column("Name", least=8),
        Column("State", least=9),
        Column("When"),
        Column("Duration", right=True, drop=2),
        Column("Tries", right=True, drop=3),
        Column("Tags", least=8, drop=4),
    )
    rows = [
        [
            str(run.id),
            one_line(flows.get(run.flow_id, "")),
            one_line(run.name),
            show_state(run.state_type, run.state_name),
            say_when_run(run, invocation.now),
            say_run_time(run),
            str(run.run_count),
            show_tags(run.tags),
        ]
        for run in runs
    ]
    return fit_table(columns, rows, invocation.out.width, indent)


def _say_cancelled(run: FlowRun, decision: Decision) -> str:
    """What came of the wish to cancel a run. Raises `InvalidRequest` when it cannot be cancelled."""
    shown = f"Flow run {one_line(run.name)} ({run.id})"
    kind = decision.state and decision.state.type
    if kind is StateType.CANCELLING:
        return f"{shown} is being cancelled{'' if decision.written else ' already'}."
    if kind is StateType.CANCELLED and decision.written:
        return f"{shown} is cancelled: nothing was executing it."
    raise InvalidRequest(f"{shown} cannot be cancelled. {decision.reason or ''}")


def _tell_flow_run(
    run: FlowRun, flow: str, administration: Administration, invocation: Invocation
) -> list[tuple[str, str | Text]]:
    details = tell_run(run, invocation.now)
    details.insert(1, ("Flow", one_line(flow)))
    if run.parameters:
        details.append(("Parameters", tell_value(run.parameters)))
    if run.parent_task_run_id is not None:
        parent_id = administration.read_task_run(run.parent_task_run_id).flow_run_id
        if parent_id is not None:
            parent = administration.read_flow_run(parent_id)
            details.append(("Parent", f"{one_line(parent.name)} ({parent.id})"))
    for name, value in (
        ("Deployment", run.deployment_id),
        ("Work pool", run.work_pool_name),
        ("Idempotency key", run.idempotency_key),
    ):
        if value is not None:
            details.append((name, one_line(str(value))))
    return details


def _print_task_runs(administration: Administration, run: FlowRun, invocation: Invocation) -> None:
    """Show the task runs, in the order in which they began; the last ones, where there are very many."""
    selection = RunSelection(task_runs=TaskRunFilter(flow_run_id=IdFilter(any_=[run.id])))
    newest = read_pages(lambda page: administration.list_task_runs(selection, page=page), SHOWN_TASK_RUNS + 1)
    if not newest:
        return
    note = str(len(newest))
    if len(newest) > SHOWN_TASK_RUNS:
        counts = administration.count_task_runs_by_state(selection)
        states = ", ".join(f"{count:,} {kind.capitalize()}" for kind, count in counts.items())
        note = f"the last {SHOWN_TASK_RUNS} of {sum(counts.values()):,}: {states}"
    invocation.print(show_heading("Task runs", note))
    # Ids tell the order only to the millisecond, in which many tasks can begin.
    shown = sorted(newest[:SHOWN_TASK_RUNS], key=lambda each: (when_run(each) or invocation.now, each.id))
    invocation.print(show_task_runs(shown, invocation, since=run.start_time, indent=2))


def _print_subflow_runs(administration: Administration, run: FlowRun, invocation: Invocation) -> None:
    selection = RunSelection(flow_runs=FlowRunFilter(parent_flow_run_id=IdFilter(any_=[run.id])))
    newest = read_pages(lambda page: administration.list_flow_runs(selection, page=page), SHOWN_SUBFLOW_RUNS + 1)
    if not newest:
        return
    note = str(len(newest))
    if len(newest) > SHOWN_SUBFLOW_RUNS:
        note = f"the last {SHOWN_SUBFLOW_RUNS} of {administration.count_flow_runs(selection):,}"
    shown = newest[:SHOWN_SUBFLOW_RUNS][::-1]
    invocation.print(show_heading("Subflow runs", note))
    names = read_flow_names(administration, (sub.flow_id for sub in shown))
    invocation.print(show_flow_runs(invocation, shown, names, indent=2))
