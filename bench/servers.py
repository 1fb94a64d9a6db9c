"""A peer's server for as long as its scripts run, on a loopback port of its own."""

import contextlib
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.children import ScriptFailed, end_others, end_session, running_children, scrub

START_LIMIT = 120
STOP_LIMIT = 15


def free_port() -> int:
    """Return a loopback port that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def prefect_server(python: Path, home: Path, settings: dict[str, str]) -> Iterator[dict[str, str]]:
    """Run a Prefect server and yield the settings that lead its clients to it. It is stopped whatever happens."""
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    command = [
        str(python.with_name("prefect")), "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui",
    ]  # fmt: skip
    kept = running_children()
    with (home / "server.log").open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=home,
            env=scrub(home, settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_healthy(server, f"{api}/health")
            yield {**settings, "PREFECT_API_URL": api}
        finally:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                server.send_signal(signal.SIGTERM)
                server.wait(STOP_LIMIT)
            end_session(server)
            end_others(kept)


def wait_until_healthy(server: subprocess.Popen[bytes], url: str) -> None:
    """Return once the URL answers."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ScriptFailed(f"its server ended with exit code {server.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:
            if response.status == 200:
                return
        time.sleep(0.1)
    raise ScriptFailed(f"its server did not answer within {START_LIMIT} s")
