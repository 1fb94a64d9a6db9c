from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.text import Text

from headrace.base import clock
from headrace.base.errors import ConfigurationError, InvalidRequest
from headrace.cli.deployment_schedule import app as schedule_app
from headrace.cli.deployment_schedule import say_schedules, show_schedules
from headrace.cli.details import show_details
from headrace.cli.flow_run import show_flow_runs
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.lookup import (
    check_known,
    choose_named,
    find_deployment,
    name_deployments,
    read_flow_names,
    read_pages,
)
from headrace.cli.pages import find_page
from headrace.cli.runs import Limit, show_heading, tell_value
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_count, say_instant, say_when, show_tags
from headrace.cli.values import read_duration, read_instant, read_object, read_pairs
from headrace.cli.watching import Interval, Seconds, watch_run
from headrace.schema.deployment import (
    Deployment,
    DeploymentFlowRunCreate,
    DeploymentSort,
    DeploymentStatus,
)
from headrace.schema.filters import FlowFilter, FlowRunFilter, IdFilter, RunSelection, TextFilter
from headrace.schema.run import FlowRun, Page
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.schema.work_pool import ServiceStatus

if TYPE_CHECKING:
    from datetime import datetime

    from headrace.gateway.administration import Administration

SHOWN_RUNS = 5

app = App(name="deployment", help_flags=["--help"])
app.command(schedule_app)

NamedDeployment = Annotated[
    str, Parameter(help="The deployment: `flow/name`, its id, or its name if no other flow has one of that name.")
]
Repeated = Parameter(negative=(), show_default=False)


@app.command
def ls(
    *,
    flow_name: Annotated[tuple[str, ...], Repeated] = (),
    by_created: Flag = False,
    limit: Limit = 200,
    output: Output = None,
    invocation: Injected,
) -> None:
    """List deployments by name.

    Parameters
    ----------
    flow_name
        Only deployments of the flow of this name; may be repeated.
    by_created
        The newest first.
    """
    selection = RunSelection(flows=FlowFilter(name=TextFilter(any_=list(flow_name))) if flow_name else None)
    order = DeploymentSort.CREATED_DESC if by_created else DeploymentSort.NAME_ASC
    with invocation.administration() as administration:
        found = read_pages(lambda page: administration.list_deployments(selection, order, page), limit)
        names = {} if output else name_deployments(administration, found)
    if output == "json":
        invocation.print_json(found)
        return
    if not found:
        invocation.print(Text("There are no such deployments: `headrace deploy` makes them.", "bright_black"))
        return
    columns = (
        Column("Name", least=64),
        Column("Status", drop=1),
        Column("Schedule", least=24, drop=2),
        Column("Work pool", least=9, drop=3),
        Column("Created", drop=4),
        Column("ID", drop=5),
        Column("Tags", least=8, drop=6),
    )
    rows = [
        [
            one_line(names[each.id]),
            _show_status(each),
            say_schedules(each.schedules),
            one_line(each.work_pool_name or ""),
            say_when(each.created, invocation.now),
            str(each.id),
            show_tags(each.tags),
        ]
        for each in found
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def inspect(name: NamedDeployment, /, *, output: Output = None, invocation: Injected) -> None:
    """Show a deployment: what it runs, where and when, and its latest runs."""
    with invocation.administration() as administration:
        deployment = find_deployment(administration, name)
        if output == "json":
            invocation.print_json(deployment)
            return
        selection = RunSelection(flow_runs=FlowRunFilter(deployment_id=IdFilter(any_=[deployment.id])))
        runs = administration.list_flow_runs(selection, page=Page(SHOWN_RUNS))
        flows = read_flow_names(administration, [deployment.flow_id])
    details = _tell_deployment(deployment, flows.get(deployment.flow_id, ""), invocation)
    title = one_line(f"{flows.get(deployment.flow_id, '')}/{deployment.name}")
    invocation.print(Text("Deployment ").append(title, "bold"), show_details(details, indent=2))
    if deployment.schedules:
        invocation.print(show_heading("Schedules"), show_schedules(deployment.schedules, invocation, indent=2))
    if runs:
        invocation.print(show_heading("Latest runs"), show_flow_runs(invocation, runs, flows, indent=2))


@app.command
def run(
    name: NamedDeployment | None = None,
    /,
    *,
    id_: Annotated[str | None, Parameter("--id", help="The deployment's id, instead of its name.")] = None,
    param: Annotated[tuple[str, ...], Parameter(["--param", "-p"], negative=(), show_default=False)] = (),
    params: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    job_variable: Annotated[tuple[str, ...], Repeated] = (),
    start_in: str | None = None,
    start_at: str | None = None,
    tag: Annotated[tuple[str, ...], Repeated] = (),
    flow_run_name: str | None = None,
    watch: Flag = False,
    watch_interval: Interval = 1.0,
    watch_timeout: Seconds | None = None,
    invocation: Injected,
) -> None:
    """Run a deployment: now, or at a time.

    With --watch, the exit code is 0 when the run completed and 1 when it did not.

    Parameters
    ----------
    param
        A parameter as `name=value`, where the value is JSON or else text; may be repeated.
    params
        Parameters as a JSON object, or `-` to read it from the standard input. --param goes before it.
    job_variable
        A job variable as `name=value`; may be repeated.
    start_in
        How long from now the run is to start, such as `10 minutes` or `1h 30m`.
    start_at
        When it is to start, such as `2026-03-01T14:05`; without a zone in the terminal's own time.
    tag
        A tag of the run, beside those of the deployment; may be repeated.
    flow_run_name
        What the run is called.
    watch
        Show the run's states and log lines until it has ended.
    watch_timeout
        Seconds after which watching ends with exit code 1, while the run goes on.
    """
    due = _read_start(start_in, start_at)
    state = StateCreate(type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=due)) if due else None
    asked = DeploymentFlowRunCreate(
        state=state,
        name=flow_run_name,
        parameters={**(read_object(params, "--params") if params is not None else {}), **read_pairs(param, "--param")},
        job_variables=read_pairs(job_variable, "--job-variable") or None,
        tags=list(tag),
    )
    with invocation.administration() as administration:
        deployment = find_deployment(administration, choose_named(name, id_, "deployment"))
        check_known(deployment, asked.parameters)
        made = administration.run_deployment(deployment.id, asked)
        _tell_made(administration, deployment, made, invocation)
        if watch:
            watch_run(administration, made, invocation, watch_interval, watch_timeout)


@app.command
def delete(
    *names: NamedDeployment,
    id_: Annotated[str | None, Parameter("--id", help="The deployment's id, instead of its name.")] = None,
    all_: Annotated[bool, Parameter("--all", negative=(), show_default=False, help="All deployments.")] = False,
    invocation: Injected,
) -> None:
    """Delete deployments with their schedules. Asks first, when run in a terminal.

    Runs that nobody has started are deleted or cancelled; all others stay.
    """
    if all_ and (names or id_):
        raise InvalidRequest("--all takes all deployments: name none beside it.")
    if not all_ and (id_ is not None or not names):
        names = (choose_named(next(iter(names), None), id_, "deployment"),)
    with invocation.administration() as administration:
        if all_:
            found = read_pages(lambda page: administration.list_deployments(page=page))
        else:
            found = [find_deployment(administration, each) for each in names]
        called = name_deployments(administration, found)
        one = len(called) == 1
        shown = f"deployment {one_line(called[found[0].id])}" if one else say_count(len(called), "deployment")
        if called and not invocation.confirm(f"Delete {shown}?"):
            raise ConfigurationError("Nothing was deleted.")
        for deployment_id, name in called.items():
            administration.delete_deployment(deployment_id)
            invocation.print_line(f"Deleted deployment {one_line(name)} ({deployment_id}).")
    if not called:
        invocation.print(Text("There are no deployments.", "bright_black"))


@app.command
def pause(name: NamedDeployment, /, *, invocation: Injected) -> None:
    """Let a deployment's schedules rest; it can still be run by hand."""
    with invocation.administration() as administration:
        deployment = find_deployment(administration, name)
        administration.pause_deployment(deployment.id)
        called = name_deployments(administration, [deployment])[deployment.id]
    invocation.print_line(f"Paused deployment {one_line(called)}: its schedules make no runs.")


@app.command
def resume(name: NamedDeployment, /, *, invocation: Injected) -> None:
    """Let the schedules of a deployment make runs again, from now on."""
    with invocation.administration() as administration:
        deployment = find_deployment(administration, name)
        administration.resume_deployment(deployment.id)
        called = name_deployments(administration, [deployment])[deployment.id]
    invocation.print_line(f"Resumed deployment {one_line(called)}.")


def _read_start(start_in: str | None, start_at: str | None) -> datetime | None:
    if start_in is not None and start_at is not None:
        raise InvalidRequest("--start-in and --start-at exclude each other.")
    if start_in is not None:
        return clock.now() + timedelta(seconds=read_duration(start_in, "--start-in"))
    return None if start_at is None else read_instant(start_at, "--start-at")


def _tell_made(administration: Administration, deployment: Deployment, made: FlowRun, invocation: Invocation) -> None:
    """Say which run was made, where to look at it, and what keeps it from starting."""
    invocation.print_line(Text("Flow run ").append(one_line(made.name), "bold").append(f" ({made.id})"))
    called = name_deployments(administration, [deployment])[deployment.id]
    details = [("Deployment", one_line(called)), ("Starts", say_instant(_when_due(made), invocation.now))]
    if made.work_pool_name is not None:
        details.append(("Work pool", one_line(f"{made.work_pool_name}, queue {made.work_queue_name}")))
    address = find_page(invocation, f"/runs/{made.id}")
    if address is not None:
        details.append(("Page", address))
    for name, value in details:
        invocation.print_line(Text(f"  {name:<12}", "bold").append(value, "not bold"))
    hint = _find_obstacle(administration, deployment)
    if hint is not None:
        invocation.print_line(Text(hint, "yellow"))


def _when_due(run: FlowRun) -> datetime | None:
    return run.next_scheduled_start_time or run.expected_start_time


def _find_obstacle(administration: Administration, deployment: Deployment) -> str | None:
    """Why nobody would start a run of the deployment now, if that is so."""
    if deployment.work_pool_name is None:
        if deployment.status is DeploymentStatus.READY:
            return None
        return "The deployment has no work pool, and nobody serves it now: the run waits until somebody does."
    pool = administration.read_work_pool(deployment.work_pool_name)
    shown = one_line(pool.name)
    if pool.status is ServiceStatus.PAUSED:
        return f"Work pool {shown} is paused: the run waits until `headrace work-pool resume {shown}`."
    if pool.status is ServiceStatus.NOT_READY:
        return f"Work pool {shown} has no worker online: `headrace worker start --pool {shown}` starts one."
    return None


def _show_status(deployment: Deployment) -> Text:
    if deployment.paused:
        return Text("Paused", "magenta")
    return Text("Ready", "green") if deployment.status is DeploymentStatus.READY else Text("Not ready", "yellow")


def _tell_deployment(deployment: Deployment, flow: str, invocation: Invocation) -> list[tuple[str, str | Text]]:
    details: list[tuple[str, str | Text]] = [
        ("ID", str(deployment.id)),
        ("Flow", one_line(flow)),
        ("Status", _show_status(deployment)),
    ]
    limit = deployment.concurrency_limit
    told: list[tuple[str, Any]] = [
        ("Description", deployment.description),
        ("Work pool", deployment.work_pool_name),
        ("Work queue", deployment.work_queue_name),
        ("Entry point", deployment.entrypoint),
        ("Path", deployment.path),
        ("Version", deployment.version),
        ("Tags", show_tags(deployment.tags)),
        ("Runs at once", None if limit is None else f"at most {limit}"),
    ]
    details += [(name, one_line(value)) for name, value in told if value]
    if deployment.parameters:
        details.append(("Parameters", tell_value(deployment.parameters)))
    if deployment.job_variables:
        details.append(("Job variables", tell_value(deployment.job_variables)))
    details.append(("Last asked", say_instant(deployment.last_polled, invocation.now)))
    details.append(("Created", say_instant(deployment.created, invocation.now)))
    details.append(("Changed", say_instant(deployment.updated, invocation.now)))
    return details
