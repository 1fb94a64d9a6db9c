"""What becomes of slots that nobody starts in time, and of those that meet an earlier run of their schedule."""

from typing import Any

import pytest

from headrace.base.clock import FrozenClock
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.loops.scheduler import Scheduler
from headrace.orchestration.loops.turns import Turns
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.orchestration import Claim, ClaimRequest, Presence
from headrace.schema.run import FlowRun, FlowRunSort
from headrace.schema.schedule import DeploymentScheduleCreate, Schedule
from headrace.schema.state import StateType
from headrace.storage.database import Database
from tests.conformance.scenes import Stage

MINUTE = 60.0
BEATING = Presence(kind="beat", interval=10)


class Works:
    """A deployment with a run each minute, a scheduler, and a worker that claims."""

    def __init__(self, database: Database, clock: FrozenClock, stage: Stage) -> None:
        self.stage = stage
        self.administration = OrchestratedAdministration(database, clock=clock)
        self.scheduler = Scheduler(database, clock)
        self.turns = Turns(database, clock)

    def deploy(self, **says: Any) -> None:
        schedule = Schedule(interval=MINUTE, anchor_date=self.stage.now)
        asked = DeploymentScheduleCreate(schedule=schedule, max_scheduled_runs=4, **says)
        self.administration.create_deployment(
            DeploymentCreate(name="prod", flow_id=self.stage.flow(), schedules=[asked])
        )
        self.scheduler.run_once()

    def claim(self) -> list[Claim]:
        request = ClaimRequest(claimant="w", presence=BEATING, limit=10, before=self.stage.now)
        return self.stage.execution.claim_flow_runs(request)

    def runs(self) -> list[FlowRun]:
        return self.administration.list_flow_runs(sort=FlowRunSort.ID_DESC)[::-1]

    def names(self) -> list[str | None]:
        return [run.state_name for run in self.runs()]


@pytest.fixture
def works(database: Database, clock: FrozenClock, stage: Stage) -> Works:
    return Works(database, clock, stage)


def test_a_slot_that_nobody_starts_in_time_is_skipped(works: Works) -> None:
    works.deploy(max_lateness=90)
    works.stage.clock.advance(MINUTE + 89)
    assert works.turns.run_once() == 0
    works.stage.clock.advance(2)
    assert works.turns.run_once() == 1
    assert works.names() == ["Skipped", "Scheduled", "Scheduled", "Scheduled"]
    assert [claim.flow_run.id for claim in works.claim()] == [works.runs()[1].id]


def test_a_slot_is_skipped_by_whoever_comes_too_late_for_it(works: Works) -> None:
    works.deploy(max_lateness=90)
    works.stage.clock.advance(MINUTE + 91)
    assert len(works.claim()) == 1
    assert works.names()[:2] == ["Skipped", "Pending"]


def test_slots_go_one_by_one_where_an_earlier_run_makes_them_skip(works: Works) -> None:
    works.deploy(overlap="skip")
    works.stage.clock.advance(MINUTE)
    (first,) = works.claim()
    works.stage.clock.advance(MINUTE)
    assert works.claim() == []
    assert works.names()[:2] == ["Pending", "Skipped"]
    works.stage.propose(first.flow_run, StateType.RUNNING, epoch=first.epoch)
    works.stage.propose(first.flow_run, StateType.COMPLETED, epoch=first.epoch)
    works.stage.clock.advance(MINUTE)
    assert len(works.claim()) == 1


def test_slots_wait_in_line_for_the_earlier_run(works: Works) -> None:
    works.deploy(overlap="queue")
    works.stage.clock.advance(3 * MINUTE)
    (first,) = works.claim()
    assert works.names() == ["Pending", "AwaitingTurn", "AwaitingTurn", "Scheduled"]
    assert works.turns.run_once() == 0
    works.stage.propose(first.flow_run, StateType.RUNNING, epoch=first.epoch)
    works.stage.propose(first.flow_run, StateType.FAILED, epoch=first.epoch)
    assert works.turns.run_once() == 1
    assert works.names() == ["Failed", "Scheduled", "AwaitingTurn", "Scheduled"]
    assert [claim.flow_run.id for claim in works.claim()] == [works.runs()[1].id]
    assert works.turns.run_once() == 0


def test_a_run_that_is_to_be_tried_again_is_under_way(works: Works) -> None:
    works.deploy(overlap="skip")
    works.stage.clock.advance(MINUTE)
    (first,) = works.claim()
    works.stage.propose(first.flow_run, StateType.RUNNING, epoch=first.epoch)
    works.stage.propose(
        first.flow_run, StateType.SCHEDULED, "AwaitingRetry", epoch=first.epoch, scheduled_time=works.stage.after(3600)
    )
    works.stage.clock.advance(MINUTE)
    assert works.claim() == []
    assert works.names()[:2] == ["AwaitingRetry", "Skipped"]


def test_a_slot_has_the_earlier_run_cancelled(works: Works) -> None:
    works.deploy(overlap="cancel-running")
    works.stage.clock.advance(MINUTE)
    (first,) = works.claim()
    works.stage.propose(first.flow_run, StateType.RUNNING, epoch=first.epoch)
    works.stage.clock.advance(MINUTE)
    assert works.claim() == []
    assert works.names()[:2] == ["Cancelling", "AwaitingTurn"]
    assert works.runs()[0].state
    works.stage.propose(first.flow_run, StateType.CANCELLED, epoch=first.epoch)
    assert works.turns.run_once() == 1
    assert [claim.flow_run.id for claim in works.claim()] == [works.runs()[1].id]


def test_nobody_has_two_turns_at_once(works: Works) -> None:
    """A claim that takes several at once sees those it has just taken."""
    works.deploy(overlap="skip")
    works.stage.clock.advance(3 * MINUTE)
    assert len(works.claim()) == 1
    assert works.names() == ["Pending", "Skipped", "Skipped", "Scheduled"]


def test_what_was_missed_is_skipped_before_anybody_can_take_it(works: Works) -> None:
    works.deploy(max_lateness=1)
    works.stage.clock.advance(10 * MINUTE)
    assert works.turns.resume(0) == 4
    assert works.claim() == []
