"""From a flow run's creation being accepted to the first line of user code, on a worker that is warm.

The same requests go to every subject. User code writes down the time it is; the next run is created once that one has ended,
after a pause of random length, so that it doesn't matter when a poll falls due.
"""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

from bench.calls import Api, reach, wait_for
from bench.children import SCRIPTS, ScriptFailed
from bench.processes import background
from bench.servers import Server, serving, working

LIBRARIES = "headrace-libraries"
"""The environment whose flow imports pandas and xgboost."""

LINE_LIMIT = 90.0
ENDS = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
SETTLE = 2.0
"""Seconds between a worker's first sign and the first run."""

SAMPLES = 12
SLOW_SAMPLES = 6
"""Of flows that import for seconds."""
PEER_WORKER_SAMPLES = 2
PEER_SERVE_SAMPLES = 2
"""Of peers that poll: about fifteen seconds each, so that three repeats are six of each.

A run of theirs is a new process: nothing gets warm that was not before.
"""

PAUSE = 0.5
POLL = 10.0
"""The seconds between two polls of Prefect's worker and of its `serve`, at their defaults."""


@dataclass(frozen=True)
class Timing:
    """Latencies of one way to run a flow."""

    measure: str
    subject: str
    seconds: list[float]

    @property
    def p50(self) -> float:
        return median(self.seconds)

    @property
    def p95(self) -> float:
        return quantiles(self.seconds, n=20, method="inclusive")[-1] if len(self.seconds) > 1 else self.seconds[0]


@dataclass(frozen=True)
class Stage:
    """A server with a home, on which deployments are made and run."""

    server: Server
    api: Api
    home: Path
    random: Random

    def deploy(self, name: str, pool: str, entrypoint: str, pull_steps: list[dict[str, Any]] | None = None) -> str:
        """Make a deployment and return its id."""
        flow = self.api.post("/flows/", {"name": "stamp"})
        told = {
            "name": name,
            "flow_id": flow["id"],
            "work_pool_name": pool,
            "entrypoint": entrypoint,
            "pull_steps": pull_steps,
            "enforce_parameter_schema": False,
        }
        return self.api.post("/deployments/", told)["id"]

    def time(self, deployment: str, samples: int, pause: float, warm_ups: int = 0) -> list[float]:
        """Run the deployment several times, after some for nothing, and return the seconds until user code began."""
        found = [self.time_once(deployment, number, pause) for number in range(warm_ups + samples)]
        return found[warm_ups:]

    def time_once(self, deployment: str, number: int, pause: float) -> float:
        """Pause, run the deployment once, and wait for the end of the run."""
        time.sleep(self.random.uniform(0, pause))
        place = self.home / f"stamp-{deployment}-{number}"
        made = self.api.post(f"/deployments/{deployment}/create_flow_run", {"parameters": {"place": str(place)}})
        accepted = time.time()
        wait_for("the first line of user code", LINE_LIMIT, 0.005, place.exists)
        began = float(place.read_text())
        wait_for("the end of the flow run", LINE_LIMIT, 0.05, lambda: self.state(made["id"]) in ENDS)
        return began - accepted

    def state(self, flow_run: str) -> str | None:
        return self.api.get(f"/flow_runs/{flow_run}")["state_type"]


@contextlib.contextmanager
def staged(peer: str, python: Path, home: Path, settings: dict[str, str], seed: int) -> Generator[Stage]:
    """Open a stage for as long as the block takes."""
    with serving(peer, python, home, settings) as server, reach(server.url) as api:
        yield Stage(server, api, home, Random(seed))


def time_headrace(python: Path, home: Path, seed: int) -> Iterator[Timing]:
    """A module that is installed where the worker is, preloaded; and a clone with each run."""
    settings = {"PYTHONPATH": str(SCRIPTS), "PYTHONDONTWRITEBYTECODE": "1"}
    with (
        staged("headrace", python, home, settings, seed) as stage,
        working("headrace", python, home, stage.server, "warm", "--preload", "headrace_dispatch"),
    ):
        time.sleep(SETTLE)
        installed = stage.deploy("installed", "warm", "headrace_dispatch:stamp")
        yield Timing("dispatch", "headrace", stage.time(installed, SAMPLES, PAUSE, warm_ups=1))
        clone = {"repository": make_repository(home / "flows.git"), "branch": "main"}
        step = {"headrace.deployments.steps.git_clone": clone}
        cloned = stage.deploy("cloned", "warm", "cloned.py:stamp", [step])
        yield Timing("dispatch-clone", "headrace", stage.time(cloned, SAMPLES, PAUSE, warm_ups=1))


def time_libraries(python: Path, home: Path, seed: int) -> Iterator[Timing]:
    """A flow that imports pandas and xgboost, loaded by each run, and once by the worker."""
    settings = {"PYTHONPATH": str(SCRIPTS), "PYTHONDONTWRITEBYTECODE": "1"}
    ways = {"dispatch-libraries": (), "dispatch-preloaded": ("--preload", "pandas", "--preload", "xgboost")}
    with staged("headrace", python, home, settings, seed) as stage:
        for measure, arguments in ways.items():
            with working("headrace", python, home, stage.server, measure, *arguments):
                time.sleep(SETTLE)
                deployed = stage.deploy(measure, measure, "headrace_libraries:stamp")
                yield Timing(measure, "headrace", stage.time(deployed, SLOW_SAMPLES, PAUSE, warm_ups=1))


def time_prefect(python: Path, home: Path, settings: dict[str, str], seed: int) -> Iterator[Timing]:
    """Prefect's process worker, and the program that serves its own flow."""
    with staged("prefect", python, home, settings, seed) as stage:
        with working("prefect", python, home, stage.server, "warm"):
            time.sleep(SETTLE)
            step = {"prefect.deployments.steps.set_working_directory": {"directory": str(SCRIPTS)}}
            deployed = stage.deploy("worked", "warm", "prefect_dispatch.py:stamp", [step])
            yield Timing("dispatch", "prefect-worker", stage.time(deployed, PEER_WORKER_SAMPLES, POLL))
        command = [str(python), str(SCRIPTS / "prefect_dispatch.py")]
        with background(command, home, stage.server.settings, home / "serve.log"):
            found = wait_for("the deployment of `serve`", LINE_LIMIT, 0.2, lambda: find_served(stage.api))
            time.sleep(SETTLE)
            yield Timing("dispatch", "prefect-serve", stage.time(found, PEER_SERVE_SAMPLES, POLL))


def find_served(api: Api) -> str | None:
    """Return the id of the deployment that `serve` has made, None before it has."""
    try:
        return api.get("/deployments/name/stamp/served")["id"]
    except ScriptFailed:
        return None


def make_repository(place: Path) -> str:
    """Make a bare repository with one flow in it, and return its address."""
    work = place.with_suffix(".work")
    work.mkdir()
    shutil.copy(SCRIPTS / "headrace_dispatch.py", work / "cloned.py")
    git = ["git", "-C", str(work), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "cloned.py"],
        ["commit", "--quiet", "--no-gpg-sign", "--message=A flow"],
        ["clone", "--quiet", "--bare", ".", str(place)],
    ):
        done = subprocess.run([*git, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ScriptFailed(f"git {arguments[0]}: {done.stderr.strip()[:200]}")
    return f"file://{place}"
