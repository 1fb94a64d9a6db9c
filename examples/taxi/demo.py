"""What `make demo` runs: the newcomer's tour, each command as you would type it, on real trips.

A server, a work pool, the taxi pipeline deployed to it, a worker, a run; then what is recorded about it, and the address at
which a browser shows it. Everything it leaves behind, the database included, is in one folder, HEADRACE_HOME.
`KEEP=0` stops everything at the end; else it stays up until Ctrl-C.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data import find_trips

HEADRACE = str(Path(sys.executable).with_name("headrace"))
DEPLOYMENT = "main-flow/taxi"
REPORT = "duration-model-report"


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    home = Path(os.environ["HEADRACE_HOME"]).resolve()
    for name in [*os.environ]:
        if name.startswith("HEADRACE_") and name not in {"HEADRACE_HOME", "HEADRACE_TAXI_DATA"}:
            del os.environ[name]  # the demo records in a database of its own, whatever this shell works with
    project = prepare_project(home)
    os.chdir(project)
    with serving() as url, working(home / "worker.log"):
        headline("Run it, and watch")
        headrace("deployment", "run", DEPLOYMENT, "--watch")
        run = read_back("flow-run", "ls", "--limit", "1")[0]

        headline("What was recorded")
        headrace("flow-run", "inspect", run["id"])
        headline("The artifact that the run made")
        headrace("artifact", "inspect", REPORT)
        headline(f"RMSE: {read_rmse():.3f} minutes")
        print(f"The run's page: {url}/runs/{run['id']}", flush=True)
        if os.environ.get("KEEP") != "0":
            print("Everything stays up until you press Ctrl-C.", flush=True)
            wait_for_ctrl_c()
    print(f"All of it is in {os.path.relpath(home, Path(__file__).parents[2])}.")


def prepare_project(home: Path) -> Path:
    """A folder as a data scientist has it: the pipeline, and the trips beside it."""
    project = home / "taxi"
    (project / "data").mkdir(parents=True, exist_ok=True)
    for trips in find_trips(home / "data", say=headline):
        shutil.copyfile(trips, project / "data" / trips.name)
    shutil.copyfile(Path(__file__).with_name("orchestrate.py"), project / "orchestrate.py")
    return project


@contextmanager
def serving() -> Iterator[str]:
    """A server, the pool and the deployment on it; yields the address of its UI."""
    headline("Start a server")
    if not headrace("server", "start", "--background", check=False):
        headrace("server", "start", "--background", "--port", "0")
    try:
        url = read_back("server", "status")[0]["url"]
        headrace("config", "set", f"HEADRACE_API_URL={url}/api")
        headline("Deploy the pipeline to a work pool")
        headrace("work-pool", "create", "zoompool", "--type", "process", "--overwrite")
        headrace("deploy", "orchestrate.py:main_flow", "--name", "taxi", "--pool", "zoompool")
        yield url
    finally:
        headrace("config", "unset", "HEADRACE_API_URL", check=False, quiet=True)
        headrace("server", "stop")


@contextmanager
def working(log: Path) -> Iterator[None]:
    """A worker on the pool."""
    headline("Start a worker")
    command = ["worker", "start", "--pool", "zoompool"]
    print(f"$ headrace {shlex.join(command)}   # its log is {log.name}", flush=True)
    with log.open("w") as file:
        # In a group of its own: Ctrl-C is for the demo, which ends the worker in good order.
        worker = subprocess.Popen([HEADRACE, *command], stdout=file, stderr=file, start_new_session=True)
    try:
        yield
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()


def headrace(*arguments: str, check: bool = True, quiet: bool = False) -> bool:
    """Type a command; whether it succeeded."""
    if not quiet:
        print(f"$ headrace {shlex.join(arguments)}", flush=True)
    result = subprocess.run([HEADRACE, *arguments], check=False, stdout=subprocess.DEVNULL if quiet else None)
    if check and result.returncode != 0:
        raise SystemExit(result.returncode)
    return result.returncode == 0


def read_back(*arguments: str) -> list[dict[str, str]]:
    """What a command tells in JSON."""
    command = [HEADRACE, *arguments, "-o", "json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def read_rmse() -> float:
    """The model's error, from the run's own log."""
    run = read_back("flow-run", "ls", "--limit", "1")[0]
    lines = [line["message"] for line in read_back("flow-run", "logs", run["id"])]
    found = [match[1] for line in lines if (match := re.search(r"RMSE: ([\d.]+) minutes", line))]
    if not found:
        raise SystemExit("The run has logged no RMSE.")
    return float(found[-1])


def wait_for_ctrl_c() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def headline(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
