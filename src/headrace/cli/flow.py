from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from headrace.base.errors import ConfigurationError
from headrace.cli.invocation import Injected, Output
from headrace.cli.lookup import read_pages
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_when, show_tags
from headrace.cli.values import read_duration, read_pairs

app = App(name="flow", help_flags=["--help"])

Entrypoint = Annotated[str, Parameter(help="The flow: path/to/file.py:function, or package.module:function.")]
Name = Annotated[
    str | None, Parameter(name=["--name", "-n"], help="What the deployment is called, if not as the flow.")
]
Tags = Annotated[
    list[str] | None,
    Parameter(name=["--tag", "-t"], negative=(), help="Give the deployment and its runs a tag. May be repeated."),
]
Crons = Annotated[
    list[str] | None,
    Parameter(negative=(), help="Run by a cron string. May be repeated, as interval and rrule may."),
]
Intervals = Annotated[list[str] | None, Parameter(negative=(), help="Run this often: '1h 30m', or seconds.")]
Rules = Annotated[list[str] | None, Parameter(negative=(), help="Run by an iCalendar rule.")]


@app.command
def ls(*, limit: Limit = 15, output: Output = None, invocation: Injected) -> None:
    """List flows by name."""
    with invocation.administration() as administration:
        flows = read_pages(lambda page: administration.list_flows(page=page), limit)
    if output == "json":
        invocation.print_json(flows)
        return
    if not flows:
        invocation.print(Text("There are no flows yet: a flow is known once it has run.", "bright_black"))
        return
    columns = (Column("ID"), Column("Name", least=12), Column("Created"), Column("Tags", least=8, drop=1))
    rows = [
        [str(flow.id), one_line(flow.name), say_when(flow.created, invocation.now), show_tags(flow.tags)]
        for flow in flows
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def serve(
    entrypoint: Entrypoint,
    /,
    *,
    name: Name = None,
    description: Annotated[str | None, Parameter(name=["--description", "-d"])] = None,
    version: Annotated[str | None, Parameter(name=["--version", "-v"])] = None,
    tag: Tags = None,
    cron: Crons = None,
    interval: Intervals = None,
    rrule: Rules = None,
    timezone: str | None = None,
    limit: int | None = None,
    global_limit: int | None = None,
    pause_on_shutdown: bool = True,
    invocation: Injected,
) -> None:
    """Serve a flow: make it a deployment and execute its runs here, each in a process of its own, without a work pool.

    Ctrl-C once: schedules rest, runs under way are finished. Twice: they are ended. Without a server it makes the
    scheduled runs itself.

    Parameters
    ----------
    description
        What people are to know of it; by default the flow's own.
    version
        By default it follows from the flow's file.
    timezone
        On whose clocks schedules are meant, such as Europe/Berlin; by default UTC.
    limit
        How many runs are executed here at the same time.
    global_limit
        How many of its runs may execute at once, wherever.
    pause_on_shutdown
        Whether its schedules rest when this ends.
    """
    from headrace.deployments.making import Source, make_blueprint
    from headrace.deployments.serving import serve as serve_here
    from headrace.projects.entrypoints import find_flow
    from headrace.runner.storage import LocalStorage
    from headrace.schedules import Schedule

    when = [Schedule(cron=each, timezone=timezone) for each in cron or ()]
    when += [Schedule(interval=read_duration(each, "--interval"), timezone=timezone) for each in interval or ()]
    when += [Schedule(rrule=each, timezone=timezone) for each in rrule or ()]
    if timezone is not None and not when:
        raise ConfigurationError("--timezone goes with --cron, --interval or --rrule.")
    full, flow = find_flow(entrypoint, Path.cwd())
    blueprint = make_blueprint(
        flow,
        Source(LocalStorage(Path.cwd()), full),
        flow.name if name is None else name,
        {
            "description": description,
            "version": version,
            "tags": tag,
            "schedules": when or None,
            "concurrency_limit": global_limit,
        },
    )
    serve_here(blueprint, limit=limit, pause_on_shutdown=pause_on_shutdown, environ=invocation.environ)


@app.command
def visualize(
    entrypoint: Entrypoint,
    /,
    *,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="Write it to this file: .svg, or .mmd for Mermaid.")
    ] = None,
    param: Annotated[
        list[str] | None,
        Parameter(
            name=["--param", "-p"], negative=(), help="A parameter to draw it with: name=value. May be repeated."
        ),
    ] = None,
    invocation: Injected,
) -> None:
    """Draw which tasks and subflows a flow calls and what depends on what. None of them is run.

    The flow's own code is: where it looks at what a task returns, give the task a viz_return_value.
    """
    from headrace.drawings import Drawing
    from headrace.drawings.tracing import trace
    from headrace.projects.entrypoints import load_flow

    flow = load_flow(entrypoint, Path.cwd())
    drawing = Drawing(trace(flow, (), read_pairs(param or (), "--param")))
    if output is None:
        invocation.print(drawing)
    else:
        invocation.print_line(f"Flow {one_line(flow.name)} is drawn in {drawing.save(output)}.")
