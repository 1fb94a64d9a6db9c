"""Runs of schedules that somebody asks for, beside those that the scheduler makes."""

from datetime import datetime, timedelta

import pytest

from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.schema.deployment import Deployment, DeploymentCreate, DeploymentUpdate
from headrace.schema.run import FlowRunSort
from headrace.schema.schedule import DeploymentScheduleCreate, Schedule, ScheduleSpan
from tests.conformance.scenes import Stage


@pytest.fixture
def made(administration: Administration, stage: Stage) -> Deployment:
    schedules = [
        DeploymentScheduleCreate(schedule=Schedule(cron="0 * * * *"), slug="hourly", parameters={"x": 1}),
        DeploymentScheduleCreate(schedule=Schedule(cron="30 * * * *"), slug="rests", active=False),
    ]
    return administration.create_deployment(
        DeploymentCreate(name="prod", flow_id=stage.flow("etl"), schedules=schedules)
    )


def due(administration: Administration) -> list[datetime | None]:
    runs = administration.list_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_ASC)
    assert all(run.auto_scheduled and run.parameters == {"x": 1} for run in runs)
    return [run.expected_start_time for run in runs]


def test_runs_of_a_span_are_made_once(administration: Administration, stage: Stage, made: Deployment) -> None:
    start = (stage.now + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    span = ScheduleSpan(start_time=start, end_time=start + timedelta(hours=5), min_time=0, min_runs=2, max_runs=9)
    assert administration.schedule_deployment(made.id, span) == 2
    assert due(administration) == [start, start + timedelta(hours=1)]
    stage.clock.advance(1)
    assert administration.schedule_deployment(made.id, span) == 0
    longer = ScheduleSpan(start_time=start, end_time=start + timedelta(hours=2), min_time=9 * 3600)
    assert administration.schedule_deployment(made.id, longer) == 1
    assert due(administration) == [start + timedelta(hours=hour) for hour in range(3)]


def test_what_rests_makes_no_runs(administration: Administration, stage: Stage, made: Deployment) -> None:
    administration.update_deployment(made.id, DeploymentUpdate(paused=True))
    span = ScheduleSpan(start_time=stage.now, end_time=stage.after(86_400))
    assert administration.schedule_deployment(made.id, span) == 0
    assert due(administration) == []
    with pytest.raises(ObjectNotFound, match="There is no deployment"):
        administration.schedule_deployment(uuid7(), span)
