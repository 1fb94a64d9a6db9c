from typing import Any
from uuid import UUID

import pytest

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.orchestration import ClaimRequest, DueRequest
from headrace.schema.state import StateType
from headrace.schema.work_pool import WorkPoolCreate, WorkQueueCreate
from tests.conformance.scenes import Stage


@pytest.fixture
def queue_ids(administration: Administration) -> dict[str, UUID]:
    """A pool of three queues, the first of them limited."""
    pool = administration.create_work_pool(WorkPoolCreate(name="local", concurrency_limit=9))
    urgent = administration.create_work_queue("local", WorkQueueCreate(name="urgent", priority=1, concurrency_limit=2))
    idle = administration.create_work_queue("local", WorkQueueCreate(name="idle", priority=7))
    assert pool.default_queue_id is not None
    return {"default": pool.default_queue_id, "urgent": urgent.id, "idle": idle.id}


def occupy(stage: Stage, queue: str, count: int) -> list[UUID]:
    runs = [stage.scheduled(work_pool_name="local", work_queue_name=queue) for _ in range(count)]
    request: dict[str, Any] = {"claimant": "worker", "before": stage.now, "limit": count}
    claims = stage.execution.claim_flow_runs(ClaimRequest(work_pool_name="local", work_queue_names=[queue], **request))
    assert len(claims) == count
    return [run.id for run in runs]


def test_who_takes_up_places_is_told_queue_by_queue(
    administration: Administration, stage: Stage, queue_ids: dict[str, UUID]
) -> None:
    urgent, usual = occupy(stage, "urgent", 2), occupy(stage, "default", 3)
    stage.scheduled(work_pool_name="local")
    stage.clock.advance(5)
    told = administration.read_work_pool_occupancy("local", runs=2)
    assert (told.active_slots, told.concurrency_limit, told.count, told.pages, told.page) == (5, 9, 3, 1, 1)
    assert [(queue.queue_name, queue.active_slots, queue.flow_run_count) for queue in told.queues] == [
        ("default", 3, 3),
        ("urgent", 2, 2),
        ("idle", 0, 0),
    ]
    assert [[run.id for run in queue.flow_runs] for queue in told.queues] == [usual[:2], urgent, []]
    run = told.queues[0].flow_runs[0]
    assert (run.state_type, run.state_name) == (StateType.PENDING, "Pending")
    assert run.time_in_current_state == pytest.approx(5, abs=0.001)
    assert [queue.concurrency_limit for queue in told.queues] == [None, 2, None]

    second = administration.read_work_pool_occupancy("local", page=2, limit=2, runs=0)
    assert ([queue.queue_name for queue in second.queues], second.pages) == (["idle"], 2)
    assert administration.read_work_pool_occupancy("local", runs=0).queues[0].flow_runs == []


def test_the_places_of_a_queue_are_told_by_the_page(
    administration: Administration, stage: Stage, queue_ids: dict[str, UUID]
) -> None:
    runs = occupy(stage, "default", 3)
    first = administration.read_work_queue_occupancy(queue_ids["default"], limit=2)
    assert [run.id for run in first.flow_runs] == runs[:2]
    assert (first.active_slots, first.count, first.limit, first.pages, first.page) == (3, 3, 2, 2, 1)
    second = administration.read_work_queue_occupancy(queue_ids["default"], page=2, limit=2)
    assert [run.id for run in second.flow_runs] == runs[2:]
    idle = administration.read_work_queue_occupancy(queue_ids["idle"])
    assert (idle.active_slots, idle.flow_runs, idle.pages) == (0, [], 0)


def test_a_queue_is_well_while_it_is_asked_for_runs_and_none_is_late(
    administration: Administration, execution: Execution, stage: Stage, queue_ids: dict[str, UUID]
) -> None:
    queue_id = queue_ids["urgent"]
    health = administration.read_work_queue_health(queue_id)
    assert (health.healthy, health.late_runs_count, health.last_polled) == (False, 0, None)
    assert health.health_check_policy.maximum_seconds_since_last_polled == 60
    execution.list_due_flow_runs(DueRequest(before=stage.now, limit=1, work_queue_ids=[queue_id]))
    health = administration.read_work_queue_health(queue_id)
    assert (health.healthy, health.last_polled) == (True, stage.now)
    run = stage.scheduled(work_pool_name="local", work_queue_name="urgent")
    stage.propose(run, StateType.SCHEDULED, "Late", scheduled_time=stage.now)
    assert administration.read_work_queue_health(queue_id).late_runs_count == 1
    assert not administration.read_work_queue_health(queue_id).healthy
    assert administration.read_work_queue_health(queue_ids["idle"]).late_runs_count == 0


def test_what_is_not_there_has_no_places(administration: Administration, queue_ids: dict[str, UUID]) -> None:
    for ask in (
        lambda: administration.read_work_pool_occupancy("none"),
        lambda: administration.read_work_queue_occupancy(uuid7()),
        lambda: administration.read_work_queue_health(uuid7()),
    ):
        with pytest.raises(ObjectNotFound, match="There is no work"):
            ask()
    for wrong in (
        lambda: administration.read_work_pool_occupancy("local", page=0),
        lambda: administration.read_work_pool_occupancy("local", limit=201),
        lambda: administration.read_work_pool_occupancy("local", runs=201),
        lambda: administration.read_work_queue_occupancy(queue_ids["idle"], page=-1),
    ):
        with pytest.raises(InvalidRequest):
            wrong()
