"""P2: two schedulers, killed and started again, while schedules are changed: each slot has one run, and none is missing."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from headrace.base.clock import now, to_datetime
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.execution import OrchestratedExecution
from headrace.schema.deployment import Deployment, DeploymentCreate, DeploymentUpdate
from headrace.schema.filters import DeploymentFilter, FlowRunFilter, IdFilter, RunSelection
from headrace.schema.flow import FlowCreate
from headrace.schema.run import FlowRunSort, Page
from headrace.schema.schedule import DeploymentScheduleCreate, DeploymentScheduleUpdate, Schedule
from headrace.storage.databases import open_database

POINTS = int(os.environ.get("HEADRACE_CHAOS_POINTS", "50"))
EVERY = timedelta(seconds=1)
ANCHOR = to_datetime(1_700_000_000_000_000)


class Schedulers:
    """Two processes that schedule on one database."""

    def __init__(self, url: str, log: Path, bug: str | None) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name("schedulers.py")), url, *([bug] if bug else [])]
        self._log = log
        self._running = [self._start(), self._start()]

    def kill_one(self, number: int) -> None:
        """Kill one of them, and start another in its place."""
        place = number % len(self._running)
        self._end(self._running[place])
        self._running[place] = self._start()

    def end(self) -> None:
        for process in self._running:
            self._end(process)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()


def schedule_under_fire(url: str, log: Path, kills: int, bug: str | None = None) -> None:
    """Kill schedulers and change schedules, then count the runs of each slot that has passed."""
    with ExitStack() as stack:
        database = stack.enter_context(open_database(url))
        administration, execution = OrchestratedAdministration(database), OrchestratedExecution(database)
        flow_id = execution.register_flow(FlowCreate(name="etl")).id
        made: list[tuple[Deployment, datetime]] = []
        for number in range(10):
            asked = DeploymentScheduleCreate(schedule=Schedule(interval=1, anchor_date=ANCHOR), max_scheduled_runs=2)
            create = DeploymentCreate(name=f"d{number}", flow_id=flow_id, schedules=[asked])
            made.append((administration.create_deployment(create), now()))
        schedulers = Schedulers(url, log, bug)
        stack.callback(schedulers.end)
        pause = threading.Event()
        for kill in range(kills):
            pause.wait(1.0)
            # On a busy machine they take longer to begin: who is killed before it looks has shown nothing.
            while any(_newest(administration, deployment.id) <= now() for deployment, _ in made):
                pause.wait(0.1)
            schedulers.kill_one(kill)
            for number, (deployment, _) in enumerate(made):
                if number % 3 == 1:
                    change = DeploymentScheduleUpdate(parameters={"kill": kill})
                    administration.update_deployment_schedule(deployment.id, deployment.schedules[0].id, change)
                elif number % 3 == 2:
                    administration.update_deployment(deployment.id, DeploymentUpdate(tags=[str(kill)]))
        stop = now()
        wanted = {deployment.id: stop.replace(microsecond=0) for deployment, _ in made}
        while any(_newest(administration, each) < last for each, last in wanted.items()):
            pause.wait(0.2)
        for number, (deployment, begun) in enumerate(made):
            times = Counter(_times(administration, deployment, stop))
            double = {time: count for time, count in times.items() if count > 1}
            assert not double, f"slots of deployment {number} with more than one run: {double}"
            first = (begun - ANCHOR) // EVERY * EVERY + ANCHOR + EVERY
            slots = [first + place * EVERY for place in range(int((stop - first) / EVERY) + 1)]
            missing = [slot for slot in slots if slot not in times]
            assert not missing, f"slots of deployment {number} without a run: {missing}"


def _of(deployment_id: object) -> RunSelection:
    chosen = IdFilter(any_=[deployment_id])  # pyright: ignore[reportArgumentType]
    return RunSelection(deployments=DeploymentFilter(id=chosen), flow_runs=FlowRunFilter())


def _newest(administration: OrchestratedAdministration, deployment_id: object) -> datetime:
    runs = administration.list_flow_runs(_of(deployment_id), FlowRunSort.EXPECTED_START_TIME_DESC, Page(1))
    return runs[0].expected_start_time or ANCHOR if runs else ANCHOR


def _times(administration: OrchestratedAdministration, deployment: Deployment, stop: datetime) -> list[datetime]:
    found: list[datetime] = []
    while True:
        page = Page(200, len(found))
        runs = administration.list_flow_runs(_of(deployment.id), FlowRunSort.EXPECTED_START_TIME_ASC, page)
        found += [run.expected_start_time for run in runs if run.expected_start_time]
        if len(runs) < 200:
            return [time for time in found if time <= stop]


def test_each_slot_has_one_run(database_url: str, tmp_path: Path) -> None:
    schedule_under_fire(database_url, tmp_path / "log", kills=max(POINTS // 10, 3))


def test_schedulers_that_forget_keys_are_found_out(tmp_path: Path, home: Path) -> None:
    with pytest.raises(AssertionError, match="with more than one run"):
        schedule_under_fire(f"sqlite:///{home}/headrace.db", tmp_path / "log", kills=3, bug="forgets-keys")
