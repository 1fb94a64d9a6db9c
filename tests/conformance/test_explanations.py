"""Why a run is not running, and who holds what it waits for: collected from what is stored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.loops.scheduler import Scheduler
from headrace.schema.deployment import DeploymentUpdate
from headrace.schema.explanation import HeldLimit, LimitKind, Reason, ReasonKind
from headrace.schema.orchestration import ClaimRequest, ConcurrencyLimitCreate, SlotRequest
from headrace.schema.run import FlowRun
from headrace.schema.schedule import DeploymentScheduleCreate, DeploymentScheduleUpdate, Schedule
from headrace.schema.state import StateType
from headrace.schema.work_pool import WorkerBeat, WorkPoolCreate, WorkPoolUpdate, WorkQueueUpdate
from headrace.storage.databases import open_database
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage
from tests.conformance.test_deployment_limits import BEATING, Yard

PENDING, RUNNING = StateType.PENDING, StateType.RUNNING


@pytest.fixture
def yard(implementation: Orchestrations, stage: Stage) -> Yard:
    """A deployment to a pool with a worker that has just asked for runs."""
    made = Yard(implementation, stage)
    made.administration.create_work_pool(WorkPoolCreate(name="p"))
    made.deploy(None, work_pool_name="p")
    made.execution.beat_worker(WorkerBeat(work_pool_name="p", name="w"))
    made.claim()
    return made


def why(yard: Yard, run: FlowRun) -> list[Reason]:
    return yard.administration.explain_flow_run(run.id).reasons


def kinds(yard: Yard, run: FlowRun) -> list[ReasonKind]:
    return [reason.kind for reason in why(yard, run)]


def claim_in_pool(yard: Yard) -> list[UUID]:
    request = ClaimRequest(claimant="w", before=yard.stage.now, limit=9, work_pool_name="p", presence=BEATING)
    return [claim.flow_run.id for claim in yard.execution.claim_flow_runs(request)]


def test_there_is_no_explanation_of_what_there_is_not(yard: Yard) -> None:
    with pytest.raises(ObjectNotFound):
        yard.administration.explain_flow_run(uuid7())


def test_the_story_of_a_run(yard: Yard) -> None:
    run = yard.run(30)
    told = yard.administration.explain_flow_run(run.id)
    assert (told.flow_run_id, told.name, told.state_type, told.state_name) == (
        run.id,
        run.name,
        StateType.SCHEDULED,
        "Scheduled",
    )
    # Nobody has asked this queue for runs: the fixture's claim was for all that is due.
    assert kinds(yard, run) == [ReasonKind.SCHEDULED, ReasonKind.QUEUE_UNSERVED]
    claim_in_pool(yard)
    assert kinds(yard, run) == [ReasonKind.SCHEDULED]
    yard.stage.clock.advance(60)
    (late,) = why(yard, run)
    assert (late.kind, late.message) == (ReasonKind.LATE, "The run is late by 30 seconds: nobody has taken it.")
    yard.stage.clock.advance(180)
    assert kinds(yard, run) == [ReasonKind.NO_WORKER, ReasonKind.LATE]
    assert claim_in_pool(yard) == [run.id]
    (taken,) = why(yard, run)
    assert (taken.kind, taken.message) == (ReasonKind.CLAIMED, "w has taken the run and is about to start it.")
    yard.stage.propose(run, RUNNING, presence=BEATING)
    assert kinds(yard, run) == [ReasonKind.RUNNING]
    yard.stage.propose(run, StateType.PAUSED, "Paused")
    assert kinds(yard, run) == [ReasonKind.PAUSED]
    yard.execution.resume_flow_run(run.id)
    yard.stage.propose(run, StateType.CANCELLING)
    assert kinds(yard, run) == [ReasonKind.CANCELLING]
    yard.end(run, StateType.CANCELLED)
    assert kinds(yard, run) == [ReasonKind.ENDED]


def test_what_is_paused(yard: Yard) -> None:
    claim_in_pool(yard)
    run = yard.run()
    yard.administration.update_work_pool("p", WorkPoolUpdate(is_paused=True))
    queue = yard.administration.read_work_queue_by_name("p", "default")
    yard.administration.update_work_queue(queue.id, WorkQueueUpdate(is_paused=True))
    yard.administration.pause_deployment(yard.id)
    assert kinds(yard, run) == [
        ReasonKind.POOL_PAUSED,
        ReasonKind.QUEUE_PAUSED,
        ReasonKind.DEPLOYMENT_PAUSED,
    ]


def test_a_pool_that_is_gone_and_a_deployment_that_is_gone(yard: Yard) -> None:
    run = yard.run()
    yard.administration.delete_work_pool("p")
    assert kinds(yard, run)[0] in {ReasonKind.NO_POOL, ReasonKind.LATE}
    lone = yard.stage.scheduled(deployment_id=uuid7())
    assert kinds(yard, lone) == [ReasonKind.NO_DEPLOYMENT]


def test_a_full_pool_and_a_full_queue(yard: Yard) -> None:
    yard.administration.update_work_pool("p", WorkPoolUpdate(concurrency_limit=1))
    queue = yard.administration.read_work_queue_by_name("p", "default")
    yard.administration.update_work_queue(queue.id, WorkQueueUpdate(concurrency_limit=1))
    first, second = yard.run(-2), yard.run(-1)
    assert claim_in_pool(yard) == [first.id]
    told = why(yard, second)
    assert [reason.kind for reason in told] == [ReasonKind.LIMIT, ReasonKind.LIMIT]
    limits = [reason.limit for reason in told[:2]]
    assert [limit and (limit.kind, limit.name, limit.used) for limit in limits] == [
        ("queue", "default", 1),
        ("pool", "p", 1),
    ]
    assert limits[0]
    assert [(holder.id, holder.name) for holder in limits[0].holders] == [(first.id, first.name)]


def test_the_limit_of_its_deployment_is_held(yard: Yard) -> None:
    yard.administration.update_deployment(yard.id, DeploymentUpdate(concurrency_limit=1))
    first, second, third = yard.run(-3), yard.run(-2), yard.run(-1)
    assert claim_in_pool(yard) == [first.id]
    yard.stage.clock.advance(5)
    told = why(yard, third)
    assert [reason.kind for reason in told] == [ReasonKind.LIMIT]
    assert told[0].message == (
        f"The limit of its deployment (1) is full: held by flow run {first.name!r} for 5 seconds. It is number 2 in line."
    )
    assert told[0].since == yard.stage.after(-5)
    yard.end(first)
    assert kinds(yard, second) == [ReasonKind.LATE]


def test_a_parent_that_waits_for_a_run_of_its_own_deployment(yard: Yard) -> None:
    yard.administration.update_deployment(yard.id, DeploymentUpdate(concurrency_limit=1))
    parent = yard.run()
    claim_in_pool(yard)
    task = yard.stage.made(parent.id)
    yard.stage.deliver(task)
    child = yard.stage.scheduled(deployment_id=yard.id, parent_task_run_id=task.id, work_pool_name="p")
    assert yard.taken() == []
    told = why(yard, child)
    assert told[0].kind is ReasonKind.DEADLOCK, told
    assert f"held by flow run {parent.name!r}, which itself waits for this run to end" in told[0].message


def test_a_task_that_waits_for_the_limit_on_its_tag(yard: Yard) -> None:
    yard.administration.create_concurrency_limit(ConcurrencyLimitCreate(name="tag:db", limit=1))
    run = yard.run()
    yard.claim()
    yard.stage.propose(run, RUNNING, presence=BEATING)
    holds = yard.stage.made(run.id, name="load-0", dynamic_key="0")
    waits = [yard.stage.made(run.id, name=f"load-{number}", dynamic_key=f"{number}", tags=["db"]) for number in (1, 2)]
    states = [yard.stage.state(task, 1, StateType.SCHEDULED, 0, name="AwaitingConcurrencySlot") for task in waits]
    yard.stage.deliver(holds, *waits, *states)
    for task in (holds, waits[0]):
        asked = SlotRequest(names=["tag:db"], request_id=uuid7(), holder_type="task_run", holder_id=task.id)
        yard.execution.acquire_slots(asked)
    yard.execution.acquire_slots(
        SlotRequest(names=["tag:db"], request_id=uuid7(), holder_type="flow_run", holder_id=run.id)
    )
    told = why(yard, run)
    assert [reason.kind for reason in told] == [ReasonKind.TASK_LIMIT] * 3 + [ReasonKind.RUNNING]
    held = "waits for a slot of the limit on tag 'db' (1), held by task run 'load-0' for 0 seconds."
    assert [reason.message for reason in told[:3]] == [
        f"The flow's own code {held}",
        f"Task run 'load-1' {held}",
        f"Task run 'load-2' {held}",
    ]


def test_the_schedule_of_a_run_that_was_made_by_one(yard: Yard) -> None:
    daily = DeploymentScheduleCreate(schedule=Schedule(interval=86_400))
    (schedule,) = yard.administration.create_deployment_schedules(yard.id, [daily])
    with open_database(yard.implementation.url) as database:
        Scheduler(database, yard.implementation.clock).run_once()
    run = yard.administration.list_flow_runs()[0]
    assert run.auto_scheduled
    assert ReasonKind.SCHEDULE_INACTIVE not in kinds(yard, run)
    yard.stage.propose(run, PENDING)
    yard.administration.update_deployment_schedule(yard.id, schedule.id, DeploymentScheduleUpdate(active=False))
    assert kinds(yard, run)[-1] is ReasonKind.SCHEDULE_INACTIVE


def test_who_holds_limits_of_every_kind(yard: Yard) -> None:
    ask: Callable[[LimitKind, str], HeldLimit] = yard.administration.read_held_limit
    for name in ("db", "tag:gpu"):
        yard.administration.create_concurrency_limit(ConcurrencyLimitCreate(name=name, limit=3))
    yard.administration.update_deployment(yard.id, DeploymentUpdate(concurrency_limit=2))
    run = yard.run()
    claim_in_pool(yard)
    asked: dict[str, Any] = {"request_id": uuid7(), "occupy": 2, "duration": 60, "holder_id": run.id}
    yard.execution.acquire_slots(SlotRequest(names=["db"], holder_type="flow_run", **asked))
    yard.execution.acquire_slots(SlotRequest(names=["tag:gpu"], request_id=uuid7(), duration=60))
    seen = {kind: ask(kind, name) for kind, name in name_limits(yard.id)}
    assert {kind: (held.kind, held.name, held.limit, held.used) for kind, held in seen.items()} == {
        "global": ("global", "db", 3, 2),
        "tag": ("tag", "gpu", 3, 1),
        "deployment": ("deployment", str(yard.id), 2, 1),
        "pool": ("pool", "p", None, 1),
        "queue": ("queue", "default", None, 1),
    }
    holders = {kind: held.holders[0] for kind, held in seen.items()}
    assert {kind: (holder.type, holder.name, holder.slots) for kind, holder in holders.items()} == {
        "global": ("flow_run", run.name, 2),
        "tag": ("process", None, 1),
        "deployment": ("flow_run", run.name, 1),
        "pool": ("flow_run", run.name, 1),
        "queue": ("flow_run", run.name, 1),
    }
    assert {kind: holder.until for kind, holder in holders.items()} == {
        "global": yard.stage.after(60),
        "tag": yard.stage.after(60),
        "deployment": None,
        "pool": None,
        "queue": None,
    }
    assert all(timedelta() <= holder.since - yard.stage.now < timedelta(milliseconds=1) for holder in holders.values())


def name_limits(deployment_id: UUID) -> list[tuple[LimitKind, str]]:
    """A limit of every kind."""
    return [
        ("global", "db"),
        ("tag", "gpu"),
        ("deployment", str(deployment_id)),
        ("pool", "p"),
        ("queue", "p/default"),
    ]


def test_limits_that_are_not_there(yard: Yard) -> None:
    administration = yard.administration
    for kind, name in name_limits(uuid7())[:3]:
        with pytest.raises(ObjectNotFound):
            administration.read_held_limit(kind, name)
    with pytest.raises(ObjectNotFound, match="has no concurrency limit"):
        administration.read_held_limit("deployment", str(yard.id))
    with pytest.raises(InvalidRequest, match="named by its id"):
        administration.read_held_limit("deployment", "nightly")
    with pytest.raises(InvalidRequest, match="POOL/QUEUE"):
        administration.read_held_limit("queue", "default")
