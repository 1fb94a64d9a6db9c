"""A server as a process of its own, that tests start, end in good order, and kill."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from msgspec import structs

from headrace.base.settings import load_settings
from headrace.connect import open_administration, open_execution
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.run import FlowRun

SERVER = ("-m", "headrace.server")

STEPS = """
import sys
from headrace import flow, task

@task(log_prints=True)
def step(number):
    print("step", number)

@flow
def steps():
    for number in range(100):
        step(number)
    print("half", flush=True)
    sys.stdin.readline()
    for number in range(100, 200):
        step(number)
    print("whole", flush=True)

if __name__ == "__main__":
    steps()
"""
"""A script that says when it has come half way, and goes on when it is told a line."""


class ServerProcess:
    """A server on a port of its own, which stays the same when it is started again."""

    def __init__(self, home: Path, log: Path, program: Sequence[str] = SERVER, **environ: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.home = home
        self.url = f"http://127.0.0.1:{self.port}/api"
        self._environ = {**os.environ, "HEADRACE_HOME": str(home), **environ}
        self._log = log
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._opened: list[Execution] = []

    def start(self) -> None:
        """Return when requests are answered."""
        reader, writer = os.pipe()
        command = [sys.executable, *self._program, "--port", str(self.port), "--ready-fd", str(writer)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environ, pass_fds=[writer], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        os.close(writer)
        with os.fdopen(reader) as ready:
            assert ready.read(), self._log.read_text()

    def start_script(self, script: Path, text: str, **settings: str) -> subprocess.Popen[str]:
        """Write a script and start it, on this server; its input and output are pipes."""
        script.write_text(text, encoding="utf-8")
        pipe = subprocess.PIPE
        environ = {**os.environ, "HEADRACE_API_URL": self.url, "HEADRACE_LOGGING_COLORS": "never", **settings}
        return subprocess.Popen(
            [sys.executable, str(script)], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environ
        )

    @property
    def pid(self) -> int:
        """The process that is running."""
        assert self._process is not None
        return self._process.pid

    def wait(self) -> int:
        """The exit code of a server that was told to end."""
        assert self._process is not None
        return self._process.wait(60)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the server in good order, and the ways to it."""
        while self._opened:
            self._opened.pop().close()
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(60)

    def open_administration(self) -> Administration:
        return open_administration(structs.replace(load_settings(), api_url=self.url))

    def open_execution(self) -> Execution:
        self._opened.append(open_execution(structs.replace(load_settings(), api_url=self.url)))
        return self._opened[-1]

    def wait_until(self, flow_run_id: UUID, wanted: Callable[[FlowRun], bool]) -> FlowRun:
        """Read the run each time something has happened, until it is as wanted."""
        execution = self.open_execution()
        while True:
            execution.last_cursor()
            run = execution.read_flow_run(flow_run_id)
            if wanted(run):
                return run
            execution.wait_for_events(5)
