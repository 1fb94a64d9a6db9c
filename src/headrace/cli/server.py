from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter
from rich.text import Text

from headrace.base.clock import to_datetime
from headrace.base.errors import ConfigurationError
from headrace.base.settings import hide_password
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.texts import say_when
from headrace.server.instances import FOLDER, Instance, ask_to_stop, await_end, find_instance, find_instances

app = App(name="server", help_flags=["--help"])

PATIENCE = 30.0
"""Seconds that a server has to end in good order."""

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


@app.command
def start(
    *,
    host: str | None = None,
    port: int | None = None,
    log_level: Annotated[Level, Parameter(name=["--log-level", "-l"])] = "INFO",
    no_services: Flag = False,
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
    no_services
        Serve only: leave the background loops to another server on the same database.
    background
        Return as soon as the server answers, and leave it running.
    """
    settings = invocation.settings
    wanted_port = settings.server_api_port if port is None else port
    if _is_running(invocation, wanted_port):
        return
    command = [sys.executable, "-m", "headrace.server", "--log-level", log_level, "--port", str(wanted_port)]
    command += ["--host", host or settings.server_api_host, *(["--no-services"] if no_services else [])]
    if background:
        _start_in_background(invocation, command, wanted_port)
    else:
        invocation.out.file.flush()
        # The server takes this process over: what the command line has loaded would stay in memory for as long.
        os.execve(command[0], command, invocation.environ)  # noqa: S606 - an argv list of our own, no shell


@app.command
def stop(*, port: int | None = None, invocation: Injected) -> None:
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
        if not _end_within(PATIENCE, lambda each=each: await_end(home, each)):
            raise ConfigurationError(f"The server at {instance.url} (process {instance.pid}) has not ended yet.")
        invocation.print_line(f"The server at {instance.url} has stopped.")


@app.command
def status(*, output: Output = None, invocation: Injected) -> None:
    """Show the servers that run, and whether they answer; exit code 1 when none does."""
    settings = invocation.settings
    found: list[tuple[str, Instance | None]] = [(each.url, each) for each in find_instances(settings.home).values()]
    if settings.api_url is not None and all(f"{url}/api" != settings.api_url for url, _ in found):
        found.append((settings.api_url.removesuffix("/api"), None))
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


def _start_in_background(invocation: Invocation, command: list[str], port: int) -> None:
    """Start the server as a process of its own, and wait until it answers or has ended."""
    folder = invocation.settings.home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / f"{port}.log"
    ready, told = os.pipe()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--ready-fd", str(told)],
            env=invocation.environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=[told],
            start_new_session=True,
        )
    log.chmod(0o600)
    os.close(told)
    with os.fdopen(ready) as answer:
        url = answer.read()
    if url:
        invocation.print_line(f"The server answers at {url} (process {process.pid}); its log is {log}.")
    elif not _is_running(invocation, port):
        # Somebody else may have been faster; if nobody was, the last thing it said is why.
        raise ConfigurationError(_last_line(log).removeprefix("Error: ") or "The server ended before it answered.")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")


def _tell(url: str, instance: Instance | None) -> dict[str, object]:
    if instance is None:
        return {"url": url}
    return {"url": url, "pid": instance.pid, "version": instance.version, "database": instance.database}


def _answers(url: str) -> bool:
    import httpx2

    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/api/health", timeout=5.0, trust_env=False).status_code == 200
    return False


def _end_within(seconds: float, wait: Callable[[], None]) -> bool:
    """Whether what is waited for comes in time."""
    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(seconds)
    return not waiting.is_alive()
