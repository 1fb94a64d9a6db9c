from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from headrace.base.errors import ConfigurationError, InvalidRequest
from headrace.cli.invocation import Injected
from headrace.cli.texts import one_line
from headrace.cli.values import check_name

app = App(name="shell", help_flags=["--help"])

ENTRYPOINT = "headrace.cli.shell_flow:run_shell_command"

Command = Annotated[str, Parameter(help="The command, as the shell takes it; quote it.")]
FlowName = Annotated[str, Parameter(help="What the flow is called.")]
Tags = Annotated[
    tuple[str, ...], Parameter(["--tag", "-t"], negative=(), show_default=False, help="A tag. May be repeated.")
]
LogOutput = Annotated[bool, Parameter(help="Whether what the command writes is kept as log lines.")]
StreamStdout = Annotated[bool, Parameter(help="Whether what the command writes is written to stdout as well.")]


@app.command
def watch(
    command: Command,
    /,
    *,
    log_output: LogOutput = True,
    flow_run_name: Annotated[str | None, Parameter(help="What the run is called.")] = None,
    flow_name: FlowName = "shell-command",
    stream_stdout: StreamStdout = False,
    tag: Tags = (),
    invocation: Injected,
) -> None:
    """Run a shell command as a flow, here and now. The exit code is 0 when the run completed, else 1."""
    _check(command, flow_name)
    os.environ.update(invocation.environ)
    from headrace.cli.shell_flow import run_shell_command
    from headrace.context import tags

    chosen = run_shell_command.with_options(name=flow_name, flow_run_name=flow_run_name)
    with tags(*tag):
        state = chosen(command, log_output, stream_stdout, return_state=True)
    if not state.is_completed():
        raise SystemExit(1)
    invocation.print_line(f"Flow {one_line(flow_name)} completed.")


@app.command
def serve(
    command: Command,
    /,
    *,
    flow_name: FlowName = "shell-command",
    deployment_name: Annotated[str, Parameter(help="What the deployment is called.")] = "shell",
    tag: Tags = (),
    log_output: LogOutput = True,
    stream_stdout: StreamStdout = False,
    cron_schedule: Annotated[str | None, Parameter(help="Run by a cron string, such as '0 6 * * *'.")] = None,
    timezone: Annotated[str | None, Parameter(help="On whose clocks the cron string is meant; by default UTC.")] = None,
    concurrency_limit: Annotated[
        int | None, Parameter(validator=Number(gte=1), help="How many of its runs may execute at once, wherever.")
    ] = None,
    invocation: Injected,
) -> None:
    """Serve a shell command: make it a deployment and execute its runs here, until Ctrl-C, as `headrace flow serve` does."""
    _check(command, flow_name)
    check_name(deployment_name, "deployment")
    if timezone is not None and cron_schedule is None:
        raise ConfigurationError("--timezone goes with --cron-schedule.")
    from headrace.cli.shell_flow import run_shell_command
    from headrace.deployments.making import Source, make_blueprint
    from headrace.deployments.serving import serve as serve_here
    from headrace.runner.storage import LocalStorage
    from headrace.schedules import Schedule

    blueprint = make_blueprint(
        run_shell_command.with_options(name=flow_name, description=f"Runs the shell command: {command}"),
        Source(LocalStorage(Path.cwd()), ENTRYPOINT),
        deployment_name,
        {
            "parameters": {"command": command, "log_output": log_output, "stream_stdout": stream_stdout},
            "tags": tag or None,
            "schedules": None if cron_schedule is None else [Schedule(cron=cron_schedule, timezone=timezone)],
            "concurrency_limit": concurrency_limit,
        },
    )
    serve_here(blueprint, environ=invocation.environ)


def _check(command: str, flow_name: str) -> None:
    check_name(flow_name, "flow")
    if not command.strip():
        raise InvalidRequest("There is no command to run.")
