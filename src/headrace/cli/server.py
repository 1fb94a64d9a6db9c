from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.text import Text

from headrace.base.clock import monotonic, to_datetime
from headrace.base.errors import ConfigurationError
from headrace.base.settings import hide_password
from headrace.cli.background import Ended, end_within, start_in_background
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.server_database import app as database_app
from headrace.cli.server_services import app as services_app
from headrace.cli.server_services import run_services
from headrace.cli.texts import say_when
from headrace.server.instances import Instance, ask_to_stop, await_end, find_instance, find_instances

app = App(name="server", help_flags=["--help"])
app.command(database_app)
app.command(services_app)

LOOK_EVERY = 0.25
"""Seconds between two looks whether a server answers, for who waits for one."""

Port = Annotated[int | None, Parameter(validator=Number(gte=0, lte=65535))]

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


@app.command
def start(
    *,
    host: str | None = None,
    port: Port = None,
    log_level: Annotated[Level, Parameter(name=["--log-level", "-l"])] = "INFO",
    keep_alive_timeout: Annotated[float | None, Parameter(validator=Number(gte=0))] = None,
    workers: Annotated[int, Parameter(validator=Number(gte=1, lte=64))] = 1,
    no_services: Flag = False,
    services_only: Flag = False,
    background: Annotated[bool, Parameter(name=["--background", "-b"], negative=(), show_default=False)] = False,
    invocation: Injected,
) -> None:
    """Start a server on the database in use; one that runs already is left to run.

    Parameters
    ----------
    host
        The address to listen on. Any but a loopback address needs HEADRACE_SERVER_API_KEY.
    port
        The port to listen on; 0 takes any free one.
    log_level
        The lowest level of what the server says on stderr.
    keep_alive_timeout
        Seconds that a connection is kept on which nothing is asked.
    workers
        How many processes answer requests, on one port.
    no_services
        Serve only: leave the background loops to another server on the same database.
    services_only
        Run the background loops only, and serve nobody.
    background
        Return as soon as the server answers, and leave it running.
    """
    if services_only:
        if no_services:
            raise ConfigurationError("--services-only and --no-services together leave nothing to do.")
        run_services(invocation, background, log_level)
        return
    settings = invocation.settings
    wanted_port = settings.server_api_port if port is None else port
    if _is_running(invocation, wanted_port):
        return
    command = [sys.executable, "-m", "headrace.server", "--log-level", log_level, "--port", str(wanted_port)]
    command += ["--host", host or settings.server_api_host, *(["--no-services"] if no_services else [])]
    command += [] if keep_alive_timeout is None else ["--keep-alive", str(keep_alive_timeout)]
    command += [] if workers == 1 else ["--workers", str(workers)]
    if background:
        _start_in_background(invocation, command, wanted_port)
    else:
        invocation.out.file.flush()
        # The server takes this process over: what the command line has loaded would stay in memory for as long.
        os.execve(command[0], command, invocation.environ)  # noqa: S606 - an argv list of our own, no shell


@app.command
def stop(*, port: Port = None, invocation: Injected) -> None:
    """Stop the servers that were started from this home, letting their requests finish.

    Parameters
    ----------
    port
        Stop only the one on this port.
    """
    home = invocation.settings.home
    ports = [*find_instances(home)] if port is None else [port]
    stopped = [(each, instance) for each in ports if (instance := ask_to_stop(home, each)) is not None]
    if not stopped:
        invocation.print_line("No server is running." if port is None else f"No server is running on port {port}.")
    for each, instance in stopped:
        if not end_within(lambda each=each: await_end(home, each)):
            raise ConfigurationError(f"The server at {instance.url} (process {instance.pid}) has not ended yet.")
        invocation.print_line(f"The server at {instance.url} has stopped.")


@app.command
def status(
    *,
    wait: Flag = False,
    timeout: Annotated[float, Parameter(name=["--timeout", "-t"], validator=Number(gte=0))] = 30.0,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Show the servers that run, and whether they answer; exit code 1 when none does.

    Parameters
    ----------
    wait
        Wait until one answers.
    timeout
        For how many seconds to wait at most.
    """
    until = monotonic() + timeout
    found = _find_servers(invocation)
    healthy = {url: _answers(url) for url, _ in found}
    while wait and not any(healthy.values()) and monotonic() < until:
        invocation.wait(LOOK_EVERY)
        found = _find_servers(invocation)
        healthy = {url: _answers(url) for url, _ in found}
    if output == "json":
        told = [{**_tell(url, instance), "healthy": healthy[url]} for url, instance in found]
        invocation.print_json(told)
    elif not found:
        invocation.print_line("No server is running; `headrace server start` starts one.")
    for url, instance in found if output is None else ():
        shown = Text("answers", "green") if healthy[url] else Text("does not answer", "red")
        more = {name: text for name, text in _tell(url, instance).items() if name != "url"}
        if instance is not None:
            more["started"] = say_when(to_datetime(instance.started), invocation.now)
        invocation.print(show_details([(url, shown), *((f"  {name}", str(text)) for name, text in more.items())]))
    if not any(healthy.values()):
        sys.exit(1)


def _is_running(invocation: Invocation, port: int) -> bool:
    """Say that a server of ours runs on the port, if one does. Raises `ConfigurationError` if it serves other data."""
    instance = find_instance(invocation.settings.home, port)
    if instance is None:
        return False
    database = hide_password(invocation.settings.database_url)
    if instance.database != database:
        raise ConfigurationError(
            f"A server on another database ({instance.database}) runs at {instance.url}: choose another --port."
        )
    invocation.print_line(f"A server is running already at {instance.url} (process {instance.pid}).")
    return True


def _find_servers(invocation: Invocation) -> list[tuple[str, Instance | None]]:
    """The servers of this home, and the one that the settings name."""
    settings = invocation.settings
    found: list[tuple[str, Instance | None]] = [(each.url, each) for each in find_instances(settings.home).values()]
    if settings.api_url is not None and all(f"{url}/api" != settings.api_url for url, _ in found):
        found.append((settings.api_url.removesuffix("/api"), None))
    return found


def _start_in_background(invocation: Invocation, command: list[str], port: int) -> None:
    """Start the server as a process of its own, and wait until it answers or has ended."""
    try:
        process, url, log = start_in_background(invocation, command, port)
    except Ended:
        # Somebody else may have been faster; if nobody was, the last thing it said is why.
        if not _is_running(invocation, port):
            raise
    else:
        invocation.print_line(f"The server answers at {url} (process {process}); its log is {log}.")


def _tell(url: str, instance: Instance | None) -> dict[str, object]:
    if instance is None:
        return {"url": url}
    return {"url": url, "pid": instance.pid, "version": instance.version, "database": instance.database}


def _answers(url: str) -> bool:
    import httpx2

    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/api/health", timeout=5.0, trust_env=False).status_code == 200
    return False
