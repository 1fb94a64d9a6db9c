"""Runs made ahead of their time: once for each instant, and as the schedule stands."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from headrace.base.clock import FrozenClock
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.loops.lateness import Lateness
from headrace.orchestration.loops.scheduler import Scheduler
from headrace.rules import occurrences
from headrace.schema.deployment import Deployment, DeploymentCreate, DeploymentFlowRunCreate, DeploymentUpdate
from headrace.schema.run import FlowRun, FlowRunSort
from headrace.schema.schedule import DeploymentScheduleCreate, DeploymentScheduleUpdate, Schedule
from headrace.schema.state import StateType
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.conformance.scenes import Stage

MINUTE = Schedule(interval=60)
DAY = timedelta(days=1)


class Office:
    """A scheduler, and the deployment that it makes runs of."""

    def __init__(self, database: Database, clock: FrozenClock, stage: Stage) -> None:
        self.administration = OrchestratedAdministration(database, clock=clock)
        self.scheduler = Scheduler(database, clock)
        self.stage = stage

    def deploy(self, *schedules: Schedule | DeploymentScheduleCreate, **what: Any) -> Deployment:
        asked = [
            each if isinstance(each, DeploymentScheduleCreate) else DeploymentScheduleCreate(schedule=each)
            for each in schedules
        ]
        create = DeploymentCreate(name="prod", flow_id=self.stage.flow(), schedules=asked, **what)
        return self.administration.create_deployment(create)

    def runs(self) -> list[FlowRun]:
        return self.administration.list_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_ASC)

    def times(self) -> list[float]:
        """When the runs are due, in seconds from now."""
        return [((run.expected_start_time or self.stage.now) - self.stage.now).total_seconds() for run in self.runs()]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(1_790_000_010_000_000)  # 2026-09-21 14:13:30 UTC


@pytest.fixture
def office(database: Database, clock: FrozenClock, stage: Stage) -> Office:
    return Office(database, clock, stage)


def test_runs_are_made_ahead_and_further_ones_in_time(office: Office) -> None:
    made = office.deploy(
        Schedule(interval=86_400), parameters={"x": 1}, tags=["a"], labels={"team": "data"}, version="2"
    )
    assert office.scheduler.run_once() == 3
    assert office.scheduler.run_once() == 0
    runs = office.runs()
    assert [
        (run.expected_start_time or office.stage.now) - (runs[0].expected_start_time or office.stage.now)
        for run in runs
    ] == [DAY * number for number in range(3)]
    run = runs[0]
    assert (run.state_type, run.auto_scheduled, run.deployment_id) == (StateType.SCHEDULED, True, made.id)
    assert (run.parameters, run.tags, run.labels) == ({"x": 1}, ["a", "auto-scheduled"], {"team": "data"})
    assert run.deployment_version == "2"
    assert run.created_by
    assert (run.created_by.type, run.created_by.id) == ("SCHEDULE", made.schedules[0].id)
    office.stage.clock.advance(86_400 * 2)
    assert office.scheduler.run_once() == 2
    assert len(office.runs()) == 5


def test_an_instant_has_one_run_whoever_schedules(
    database: Database, database_url: str, clock: FrozenClock, office: Office
) -> None:
    office.deploy(
        *(DeploymentScheduleCreate(schedule=MINUTE, slug=f"s{number}", max_scheduled_runs=9) for number in range(4))
    )
    with open_database(database_url) as other, ThreadPoolExecutor(4) as threads:
        schedulers = [Scheduler(one, clock) for one in (database, other, database, other)]
        made = sum(threads.map(Scheduler.run_once, schedulers))
    runs = office.runs()
    assert made == len({run.idempotency_key for run in runs}) == office.administration.count_flow_runs() == 4 * 9


def test_a_changed_schedule_replaces_what_is_to_come(office: Office) -> None:
    made = office.deploy(Schedule(interval=1200, anchor_date=office.stage.now))
    office.scheduler.run_once()
    assert office.times() == [1200, 2400, 3600]
    begun = office.runs()[0]
    office.stage.clock.advance(1200)
    office.stage.propose(begun, StateType.RUNNING)
    half = DeploymentScheduleUpdate(schedule=Schedule(interval=1800, anchor_date=office.stage.now))
    office.administration.update_deployment_schedule(made.id, made.schedules[0].id, half)
    assert office.times() == [0]
    assert office.scheduler.run_once() == 3
    assert office.times() == [0, 1800, 3600, 5400]
    office.administration.delete_deployment_schedule(made.id, made.schedules[0].id)
    assert [run.id for run in office.runs()] == [begun.id]


def test_a_change_loses_no_slot(office: Office) -> None:
    made = office.deploy(Schedule(interval=60, anchor_date=office.stage.now))
    office.scheduler.run_once()
    office.stage.clock.advance(50)
    office.administration.update_deployment(made.id, DeploymentUpdate(tags=["new"]))
    assert office.runs() == []
    for number in range(3):
        office.stage.clock.advance(10)
        office.administration.update_deployment(made.id, DeploymentUpdate(tags=[str(number)]))
    office.scheduler.run_once()
    assert office.times()[:2] == [-20, 40]


def test_deploying_anew_makes_no_run_twice(office: Office) -> None:
    office.deploy(MINUTE)
    assert office.scheduler.run_once() == 60
    before = [run.id for run in office.runs()]
    office.deploy(MINUTE)
    office.scheduler.run_once()
    assert [run.id for run in office.runs()] == before
    office.deploy(MINUTE, parameters={"x": 1})
    assert office.scheduler.run_once() == 60
    assert {str(run.parameters) for run in office.runs()} == {"{'x': 1}"}
    office.deploy()
    assert office.runs() == []


def test_what_was_due_already_survives_an_edit(office: Office) -> None:
    made = office.deploy(MINUTE)
    office.scheduler.run_once()
    office.stage.clock.advance(90)
    office.administration.update_deployment(made.id, DeploymentUpdate(tags=["new"]))
    office.scheduler.run_once()
    assert [time for time in office.times() if time <= 0] == [-60, 0]
    assert [run.tags for run in office.runs()][1:3] == [["auto-scheduled"], ["new", "auto-scheduled"]]


def test_what_was_due_already_is_not_made_again_for_other_parameters(office: Office) -> None:
    asked = DeploymentScheduleCreate(schedule=Schedule(interval=10, anchor_date=office.stage.now), max_scheduled_runs=3)
    made = office.deploy(asked)
    office.scheduler.run_once()
    assert office.times() == [10, 20, 30]
    office.stage.clock.advance(35)  # it is late: it was to look again at the second slot
    change = DeploymentScheduleUpdate(parameters={"x": 1})
    office.administration.update_deployment_schedule(made.id, made.schedules[0].id, change)
    office.scheduler.run_once()
    assert office.times() == [-25, -15, -5, 5, 15, 25]


def pause_deployment(administration: OrchestratedAdministration, made: Deployment) -> None:
    administration.pause_deployment(made.id)


def pause_schedule(administration: OrchestratedAdministration, made: Deployment) -> None:
    rest = DeploymentScheduleUpdate(active=False)
    administration.update_deployment_schedule(made.id, made.schedules[0].id, rest)


@pytest.mark.parametrize("rest", [pause_deployment, pause_schedule])
def test_what_rests_has_no_runs(office: Office, rest: Callable[[OrchestratedAdministration, Deployment], None]) -> None:
    made = office.deploy(MINUTE)
    office.scheduler.run_once()
    by_hand = office.administration.run_deployment(made.id, DeploymentFlowRunCreate())
    office.stage.clock.advance(90)
    rest(office.administration, made)
    office.scheduler.run_once()
    assert [run.id for run in office.runs()] == [by_hand.id]
    office.administration.resume_deployment(made.id)
    office.administration.update_deployment_schedule(
        made.id, made.schedules[0].id, DeploymentScheduleUpdate(active=True)
    )
    office.scheduler.run_once()
    assert office.times()[:3] == [-90, 60, 120]


def test_schedules_have_parameters_and_limits_of_their_own(office: Office) -> None:
    office.deploy(
        DeploymentScheduleCreate(schedule=MINUTE, parameters={"x": 2}, max_scheduled_runs=2),
        parameters={"x": 1, "y": 1},
    )
    assert office.scheduler.run_once() == 2
    assert office.runs()[0].parameters == {"x": 2, "y": 1}


def test_a_schedule_ends(office: Office) -> None:
    begin = (office.stage.now + DAY).strftime("%Y%m%dT000000")
    office.deploy(Schedule(rrule=f"DTSTART:{begin}\nRRULE:FREQ=DAILY;COUNT=2"))
    assert office.scheduler.run_once() == 2
    office.stage.clock.advance(86_400 * 5)
    assert office.scheduler.run_once() == 0
    office.stage.clock.advance(86_400 * 5)
    assert office.scheduler.run_once() == 0


HOURS = 3600.0


def outage(office: Office, catchup: Any, hours: float, **what: Any) -> list[str]:
    """What has become of an hourly schedule's slots, by state, after a time in which nobody looked."""
    schedule = Schedule(interval=HOURS, anchor_date=office.stage.now)
    office.deploy(DeploymentScheduleCreate(schedule=schedule, catchup=catchup, slug="hourly", **what))
    office.scheduler.run_once()
    since = office.stage.clock.now
    office.stage.clock.advance(hours * HOURS + 1)
    office.scheduler.resume(since)
    return [f"{time / HOURS:+.0f} {run.state_name}" for run, time in zip(office.runs(), office.times(), strict=True)]


@pytest.mark.parametrize(
    ("catchup", "hours", "expected"),
    [
        (None, 5, ["-4 Scheduled", "-3 Scheduled", "-2 Scheduled"]),
        ("all", 5, ["-4 Scheduled", "-3 Scheduled", "-2 Scheduled", "-1 Scheduled", "-0 Scheduled"]),
        ("latest", 5, ["-4 Skipped", "-3 Skipped", "-2 Skipped", "-0 Scheduled"]),
        ("latest", 2, ["-1 Skipped", "-0 Scheduled", "+1 Scheduled"]),
        ("none", 2, ["-1 Skipped", "-0 Skipped", "+1 Scheduled"]),
        ("none", 5, ["-4 Skipped", "-3 Skipped", "-2 Skipped"]),
    ],
)
def test_what_nobody_saw_pass_is_made_up_for_as_the_schedule_says(
    office: Office, catchup: Any, hours: float, expected: list[str]
) -> None:
    assert outage(office, catchup, hours) == expected
    before = [run.id for run in office.runs()]
    office.scheduler.resume(office.stage.clock.now - 30_000_000)
    assert [run.id for run in office.runs()] == before


def test_what_was_late_before_nobody_looked_is_not_missed(office: Office) -> None:
    schedule = Schedule(interval=HOURS, anchor_date=office.stage.now)
    office.deploy(DeploymentScheduleCreate(schedule=schedule, catchup="none"))
    office.scheduler.run_once()
    office.stage.clock.advance(HOURS + 60)
    office.scheduler.run_once()
    since = office.stage.clock.now
    office.stage.clock.advance(HOURS)
    office.scheduler.resume(since)
    assert [run.state_name for run in office.runs()][:2] == ["Scheduled", "Skipped"]


def test_a_schedule_is_asked_anew_after_it_was_changed(office: Office) -> None:
    made = office.deploy(DeploymentScheduleCreate(schedule=Schedule(interval=HOURS), catchup="all", max_lateness=60))
    schedule = made.schedules[0]
    assert (schedule.catchup, schedule.max_lateness, schedule.overlap) == ("all", 60.0, None)
    office.scheduler.run_once()
    before = [run.id for run in office.runs()]
    change = DeploymentScheduleUpdate(catchup=None, max_lateness=None, overlap="skip")
    office.administration.update_deployment_schedule(made.id, schedule.id, change)
    schedule = office.administration.read_deployment(made.id).schedules[0]
    assert (schedule.catchup, schedule.max_lateness, schedule.overlap) == (None, None, "skip")
    assert [run.id for run in office.runs()] == before


def test_more_slots_than_are_made_up_for_are_told_of(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(occurrences.missed_slots, "__defaults__", (2,))
    assert [each for each in outage(office, "all", 5) if each.startswith(("-1", "-0"))] == [
        "-1 Scheduled",
        "-0 Scheduled",
    ]
    assert "Schedule hourly missed more than 2 slots: the latest are made up for." in caplog.text


def test_runs_that_nobody_starts_become_late(database: Database, clock: FrozenClock, stage: Stage) -> None:
    lateness = Lateness(database, clock)
    run, waiting = stage.scheduled(), stage.scheduled(60)
    clock.advance(15)
    assert lateness.run_once() == 0
    clock.advance(1)
    assert lateness.run_once() == 1
    late = stage.execution.read_flow_run(run.id)
    assert (late.state_name, late.next_scheduled_start_time) == ("Late", run.expected_start_time)
    assert lateness.run_once() == 0
    assert stage.execution.read_flow_run(waiting.id).state_name == "Scheduled"


def test_loops_look_by_themselves_until_they_are_stopped(database: Database, office: Office) -> None:
    office.deploy(MINUTE)
    before = database.moment()
    office.scheduler.start()
    assert database.wait(60, before)
    office.scheduler.stop()
    assert len(office.runs()) == 60
