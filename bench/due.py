"""Many deployments with schedules, of which many are due in the same second: `python -m bench.due`.

Two servers share one database. Somebody asks each of them for runs, as workers do, and notes when each run was handed out.
Reported are the lag of the runs after their time, and what the servers cost at rest with all those schedules.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from bench.environments import Unavailable
from bench.postgresql import postgresql
from bench.processes import background, observe
from bench.progress import say
from bench.servers import free_port, wait_until_healthy
from headrace.client.execution import RemoteExecution
from headrace.client.transport import Transport
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.execution import OrchestratedExecution
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import ClaimRequest, Presence
from headrace.schema.run import FlowRun
from headrace.schema.schedule import DeploymentScheduleCreate, Schedule
from headrace.storage import measures
from headrace.storage.database import Database
from headrace.storage.databases import open_database

DAY = 86_400
AHEAD = 3
"""How many runs of a daily schedule are made ahead."""


@dataclass
class Outcome:
    """What came of it. Seconds; shares of one core."""

    wanted: int
    lags: list[float] = field(default_factory=list[float])
    double: int = 0
    missing: int = 0
    planning: float = 0.0
    idle: list[float] = field(default_factory=list[float])

    def describe(self) -> str:
        """The figures, for people."""
        ordered = sorted(self.lags)
        lag = (
            f"p50 {statistics.median(ordered):.2f} s, p99 {ordered[int(len(ordered) * 0.99) - 1]:.2f} s, "
            f"last {ordered[-1]:.2f} s"
            if ordered
            else "none was handed out"
        )
        idle = ", ".join(f"{share:.1%}" for share in self.idle) or "not measured"
        return (
            f"{self.wanted} due in one second: {self.missing} missing, {self.double} double\n"
            f"lag from their time until handed out: {lag}\n"
            f"all runs made ahead {self.planning:.1f} s after the last deployment was made\n"
            f"servers at rest, of one core: {idle}"
        )


@contextlib.contextmanager
def serving(url: str, folder: Path, count: int) -> Iterator[tuple[list[subprocess.Popen[bytes]], list[str]]]:
    """Run so many servers of this interpreter on one database."""
    with contextlib.ExitStack() as stack:
        processes: list[subprocess.Popen[bytes]] = []
        addresses: list[str] = []
        for number in range(count):
            home, port = folder / f"server-{number}", free_port()
            home.mkdir()
            command = [sys.executable, "-m", "headrace.server", "--port", str(port), "--log-level", "WARNING"]
            settings = {"HEADRACE_DATABASE_URL": url}
            processes.append(stack.enter_context(background(command, home, settings, home / "log")))
            addresses.append(f"http://127.0.0.1:{port}/api")
            wait_until_healthy(processes[-1], addresses[-1])
        yield processes, addresses


def make_deployments(database: Database, count: int, due: int, moment: datetime) -> None:
    """Deployments with a daily schedule each, `due` of them at the same moment, the others spread over the rest of the day."""
    administration, execution = OrchestratedAdministration(database), OrchestratedExecution(database)
    flow_id = execution.register_flow(FlowCreate(name="due")).id

    def make(number: int) -> None:
        later = timedelta(seconds=0 if number < due else 3600 + number % (DAY - 7200))
        asked = DeploymentScheduleCreate(schedule=Schedule(interval=DAY, anchor_date=moment + later))
        administration.create_deployment(DeploymentCreate(name=f"d{number}", flow_id=flow_id, schedules=[asked]))

    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(make, range(count)):
            pass


def await_plans(database: Database, count: int, until: float) -> None:
    """Return when all runs have been made ahead. Raises `TimeoutError` when that takes too long."""
    from headrace.base.ids import DEFAULT_WORKSPACE

    while True:
        made = database.read(lambda connection: measures.count_alive(connection, DEFAULT_WORKSPACE))
        if made.get("SCHEDULED", 0) >= count * AHEAD:
            return
        if time.time() > until:
            raise TimeoutError(f"{made.get('SCHEDULED', 0)} of {count * AHEAD} runs were made ahead in time")
        time.sleep(0.25)


def take_runs(
    address: str, moment: datetime, due: int, taken: list[tuple[UUID, float]], enough: threading.Event
) -> None:
    """Ask a server for runs again and again, and note which were handed out when: for a minute, or until all were.

    It is asked once more then, for what might be handed out twice.
    """
    execution = RemoteExecution(Transport(address), 10.0)
    last = moment + timedelta(seconds=60)
    ends = False
    try:
        while not ends:
            ends = enough.is_set() or datetime.now(UTC) >= last
            request = ClaimRequest(
                claimant=address, presence=Presence(kind="none"), before=datetime.now(UTC), limit=100
            )
            claims = execution.claim_flow_runs(request)
            passed = (datetime.now(UTC) - moment).total_seconds()
            taken += [(claim.flow_run.deployment_id or claim.flow_run.id, passed) for claim in claims]
            if len(taken) >= due:
                enough.set()
            elif not claims:
                enough.wait(0.05)
    finally:
        execution.close()


def measure_due(
    url: str, folder: Path, deployments: int, due: int, *, allowance: float, rest: float, servers: int = 2
) -> Outcome:
    """Make the deployments, wait for the moment, and count. `allowance` is for how many seconds ahead the moment is;
    the servers are watched at rest for `rest` seconds.
    """
    outcome = Outcome(due)
    with serving(url, folder, servers) as (processes, addresses), open_database(url) as database:
        moment = datetime.fromtimestamp(int(time.time() + allowance), UTC)
        make_deployments(database, deployments, due, moment)
        say(f"all made; the moment is {moment.timestamp() - time.time():.0f} s away")
        made = time.perf_counter()
        await_plans(database, deployments, moment.timestamp())
        outcome.planning = time.perf_counter() - made
        if rest:
            outcome.idle = [cost.share for cost in observe(processes, rest)]
        if datetime.now(UTC) >= moment:
            raise TimeoutError("the moment has passed before everything was ready: give a longer allowance")
        taken: list[tuple[UUID, float]] = []
        enough = threading.Event()
        threads = [
            threading.Thread(target=take_runs, args=(address, moment, due, taken, enough)) for address in addresses
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts = Counter(deployment_id for deployment_id, _ in taken)
        outcome.lags = [lag for _, lag in taken]
        outcome.double = sum(count - 1 for count in counts.values())
        outcome.missing = due - len(counts)
        made_at_once = _list_due(database, moment)
        outcome.double += len(made_at_once) - len({run.deployment_id for run in made_at_once})
    return outcome


def _list_due(database: Database, moment: datetime) -> list[FlowRun]:
    from headrace.schema.filters import FlowRunFilter, RunSelection, TimeFilter
    from headrace.schema.run import Page

    administration = OrchestratedAdministration(database)
    found: list[FlowRun] = []
    chosen = RunSelection(
        flow_runs=FlowRunFilter(
            expected_start_time=TimeFilter(after_=moment - timedelta(seconds=1), before_=moment + timedelta(seconds=1))
        )
    )
    while True:
        runs = administration.list_flow_runs(chosen, page=Page(200, len(found)))
        found += runs
        if len(runs) < 200:
            return found


def main(arguments: list[str]) -> int:
    """Measure, print, and return 1 if a run was missing or double."""
    parser = argparse.ArgumentParser(prog="python -m bench.due", description=__doc__)
    parser.add_argument("--deployments", type=int, default=10_000, help="with a schedule each (%(default)s)")
    parser.add_argument("--due", type=int, default=1_000, help="of them in the same second (%(default)s)")
    parser.add_argument("--allowance", type=float, help="seconds from the beginning until that second")
    parser.add_argument("--rest", type=float, default=20.0, help="seconds to watch the servers at rest (%(default)s)")
    parser.add_argument("--url", help="a PostgreSQL database that is empty; one is started if none is given")
    options = parser.parse_args(arguments)
    allowance = options.allowance or 60 + options.deployments / 40
    with tempfile.TemporaryDirectory(prefix="hb-due-", ignore_cleanup_errors=True) as folder:
        say(f"{options.deployments} deployments, the moment is {allowance:.0f} s away")
        try:
            with contextlib.nullcontext(options.url) if options.url else postgresql() as url:
                outcome = measure_due(
                    url, Path(folder), options.deployments, options.due, allowance=allowance, rest=options.rest
                )
        except (Unavailable, TimeoutError) as reason:
            print(f"It could not be measured: {reason}")
            return 1
    print(outcome.describe())
    return int(bool(outcome.missing or outcome.double))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
