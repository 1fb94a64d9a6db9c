"""A worker as a process of its own, and flows for it that tests write and deploy."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from headrace.base.errors import ObjectAlreadyExists
from headrace.schema.deployment import Deployment, DeploymentCreate, DeploymentFlowRunCreate
from headrace.schema.filters import IdFilter, LogFilter
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Proposal
from headrace.schema.run import FlowRun
from headrace.schema.state import StateCreate, StateType
from headrace.schema.work_pool import WorkPoolCreate
from tests.acceptance.serving import ServerProcess

POOL = "pool"


class WorkerProcess:
    """A worker of the pool."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self._environ = environ
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        """Return when it has been started; it takes runs when it is ready."""
        command = [sys.executable, "-m", "headrace", "worker", "start", "-p", POOL, "-t", "process", *arguments]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def wait(self) -> int:
        assert self._process
        return self._process.wait(100)

    def kill(self) -> None:
        """End it as a power cut would: its supervisors and their runs go on."""
        self.signal(signal.SIGKILL)
        self.wait()


class Workshop:
    """A server, a folder of flows, a pool, and workers on it."""

    def __init__(self, server: ServerProcess, folder: Path, environ: dict[str, str]) -> None:
        self.server = server
        self.folder = folder
        self.environ = {**os.environ, **environ, "HEADRACE_API_URL": server.url}
        self.workers: list[WorkerProcess] = []
        server.start()
        self.execution = server.open_execution()
        self.administration = server.open_administration()

    def start_worker(self, *arguments: str) -> WorkerProcess:
        worker = WorkerProcess(self.environ, self.folder / f"worker-{len(self.workers)}.log")
        worker.start(*arguments)
        self.workers.append(worker)
        return worker

    def deploy(self, name: str, code: str, file: str = "flows.py", **what: Any) -> Deployment:
        """Write a flow that is called `name` and deploy it."""
        (self.folder / file).write_text(code, encoding="utf-8")
        with contextlib.suppress(ObjectAlreadyExists):
            self.administration.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        flow = self.execution.register_flow(FlowCreate(name=name.replace("_", "-")))
        told = DeploymentCreate(
            name="here",
            flow_id=flow.id,
            work_pool_name=POOL,
            entrypoint=f"{file}:{name}",
            path=str(self.folder),
            **what,
        )
        return self.administration.create_deployment(told)

    def run(self, deployment: Deployment, **parameters: Any) -> UUID:
        told = DeploymentFlowRunCreate(parameters=parameters)
        return self.administration.run_deployment(deployment.id, told).id

    def wait(self, flow_run_id: UUID, *states: StateType) -> FlowRun:
        """Wait until the run is in one of the states, or has ended."""
        wanted = {*states}
        return self.server.wait_until(
            flow_run_id, lambda run: run.state_type in wanted or (run.state is not None and run.state.is_final())
        )

    def cancel(self, flow_run_id: UUID) -> None:
        state = StateCreate(type=StateType.CANCELLING)
        self.execution.propose_flow_run_state(Proposal(flow_run_id=flow_run_id, state=state))

    def command(self, *arguments: str, folder: Path | None = None) -> str:
        """Call the command line, in that folder if one is named, which succeeds, and return what it prints."""
        command = [sys.executable, "-m", "headrace", *arguments]
        ended = subprocess.run(command, check=False, env=self.environ, cwd=folder, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def lines(self, flow_run_id: UUID) -> list[str]:
        """What was logged for the run."""
        wanted = LogFilter(flow_run_id=IdFilter(any_=[flow_run_id]))
        return [line.message for line in self.administration.list_logs(wanted)]

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        end_left_behind(self.environ["HEADRACE_HOME"])
        cast("Any", self.administration).close()
        self.server.stop()


def end_left_behind(home: str) -> None:
    """Kill what a test has left in execution: every process that was started under its home."""
    mark = f"HEADRACE_HOME={home}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in entry.joinpath("environ").read_bytes().split(b"\0") and int(entry.name) != os.getpid():
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:  # it has ended, or is not ours
            continue


def await_line(path: Path) -> str:
    """The first line of a named pipe that a flow writes to: what it has come to."""
    with path.open(encoding="utf-8") as pipe:
        return pipe.readline().strip()


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}
