"""A subject's server, and its workers, for as long as they are wanted, on a loopback port of the server's own."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from bench.calls import reach, wait_for
from bench.children import ScriptFailed
from bench.processes import background

START_LIMIT = 120
LOOK = 0.005

SERVER = {
    "headrace": ("headrace", "server", "start", "--port"),
    "prefect": ("prefect", "server", "start", "--host", "127.0.0.1", "--no-ui", "--port"),
}
WORKER = {
    "headrace": ("headrace", "worker", "start", "-t", "process", "-p"),
    "prefect": ("prefect", "worker", "start", "-t", "process", "-p"),
}
API_URL = {"headrace": "HEADRACE_API_URL", "prefect": "PREFECT_API_URL"}


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    url: str
    """Of its API."""
    settings: dict[str, str]
    """What leads its clients to it."""
    seconds: float
    """From its start until it answered."""


def free_port() -> int:
    """Return a loopback port that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def serving(peer: str, python: Path, home: Path, settings: dict[str, str]) -> Generator[Server]:
    """Run a server of this peer until the block ends. Raises `ScriptFailed` when it does not answer."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    name, *arguments = SERVER[peer]
    command = [str(python.with_name(name)), *arguments, str(port)]
    begin = time.perf_counter()
    with background(command, home, settings, home / "server.log") as process:
        wait_until_healthy(process, url)
        yield Server(process, url, {**settings, API_URL[peer]: url}, time.perf_counter() - begin)


def wait_until_healthy(process: subprocess.Popen[bytes], url: str) -> None:
    """Return once the server says that it is well."""

    def look() -> bool:
        if process.poll() is not None:
            raise ScriptFailed(f"its server ended with exit code {process.returncode}")
        return api.answers("/health")

    with reach(url) as api:
        wait_for("its server's first answer", START_LIMIT, LOOK, look)


@contextlib.contextmanager
def working(
    peer: str, python: Path, home: Path, server: Server, pool: str, *arguments: str
) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker on a pool of its own until the block ends. Raises `ScriptFailed` when the server does not hear of it."""
    name, *start = WORKER[peer]
    command = [str(python.with_name(name)), *start, pool, *arguments]
    with (
        background(command, home, server.settings, home / f"worker-{pool}.log") as process,
        reach(server.url) as api,
    ):

        def look() -> bool:
            if process.poll() is not None:
                raise ScriptFailed(f"its worker ended with exit code {process.returncode}")
            with contextlib.suppress(ScriptFailed):  # there is no such pool yet
                return bool(api.post(f"/work_pools/{pool}/workers/filter", {}))
            return False

        wait_for("its worker's first sign", START_LIMIT, 0.1, look)
        yield process
