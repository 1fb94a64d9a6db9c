from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from headrace.base.errors import InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.deployment import DeploymentCreate, DeploymentFlowRunCreate
from headrace.schema.filters import (
    IdFilter,
    NameFilter,
    TextFilter,
    TimeFilter,
    WorkerFilter,
    WorkerStatusFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from headrace.schema.orchestration import ClaimRequest, DueRequest
from headrace.schema.run import FlowRun, Page
from headrace.schema.state import StateType
from headrace.schema.work_pool import (
    ServiceStatus,
    WorkerBeat,
    WorkerStatus,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueueCreate,
    WorkQueueUpdate,
)
from tests.conformance.scenes import Stage


class Yard:
    """A pool called `local`, and runs that wait in its queues."""

    def __init__(self, administration: Administration, execution: Execution, stage: Stage) -> None:
        self.administration = administration
        self.execution = execution
        self.stage = stage
        self.pool = administration.create_work_pool(WorkPoolCreate(name="local"))

    def queue(self, name: str, **what: Any) -> UUID:
        return self.administration.create_work_queue("local", WorkQueueCreate(name=name, **what)).id

    def put(self, queue: str = "default", seconds: float = 0) -> FlowRun:
        """A run that is due in a queue."""
        return self.stage.scheduled(seconds, work_pool_name="local", work_queue_name=queue)

    def claim(self, limit: int = 9, **what: Any) -> list[UUID]:
        told: dict[str, Any] = {"work_pool_name": "local"} | what
        request = ClaimRequest(claimant="worker", before=self.stage.now, limit=limit, **told)
        return [claim.flow_run.id for claim in self.execution.claim_flow_runs(request)]


@pytest.fixture
def yard(administration: Administration, execution: Execution, stage: Stage) -> Yard:
    return Yard(administration, execution, stage)


def test_a_pool_has_a_default_queue(administration: Administration) -> None:
    made = administration.create_work_pool(
        WorkPoolCreate(name="local", description="Here", base_job_template={"variables": {}}, concurrency_limit=2)
    )
    assert made == administration.read_work_pool("local")
    assert (made.type, made.description, made.concurrency_limit) == ("process", "Here", 2)
    assert (made.status, made.active_slots, made.is_paused) == (ServiceStatus.NOT_READY, 0, False)
    (queue,) = administration.list_work_queues("local")
    assert (queue.id, queue.name, queue.priority, queue.work_pool_name) == (
        made.default_queue_id,
        "default",
        1,
        "local",
    )
    assert (
        queue == administration.read_work_queue(queue.id) == administration.read_work_queue_by_name("local", "default")
    )
    with pytest.raises(ObjectAlreadyExists, match="'local'"):
        administration.create_work_pool(WorkPoolCreate(name="local"))


def test_what_is_not_there_is_not_found(administration: Administration, execution: Execution, stage: Stage) -> None:
    administration.create_work_pool(WorkPoolCreate(name="local"))
    for ask in (
        lambda: administration.read_work_pool("x"),
        lambda: administration.update_work_pool("x", WorkPoolUpdate()),
        lambda: administration.delete_work_pool("x"),
        lambda: administration.create_work_queue("x", WorkQueueCreate(name="q")),
        lambda: administration.read_work_queue(uuid7()),
        lambda: administration.read_work_queue_by_name("local", "x"),
        lambda: administration.list_work_queues("x"),
        lambda: administration.update_work_queue(uuid7(), WorkQueueUpdate()),
        lambda: administration.delete_work_queue(uuid7()),
        lambda: administration.list_workers("x"),
        lambda: administration.delete_worker("local", "x"),
        lambda: execution.beat_worker(WorkerBeat(work_pool_name="x", name="w")),
        lambda: execution.claim_flow_runs(ClaimRequest(claimant="w", before=stage.now, limit=1, work_pool_name="x")),
        lambda: stage.scheduled(work_pool_name="local", work_queue_name="x"),
    ):
        with pytest.raises(ObjectNotFound):
            ask()


def test_pools_are_listed_changed_and_deleted(administration: Administration) -> None:
    for name, kind in (("b", "process"), ("a", "docker"), ("c", "process")):
        administration.create_work_pool(WorkPoolCreate(name=name, type=kind))
    assert [pool.name for pool in administration.list_work_pools()] == ["a", "b", "c"]
    assert [pool.name for pool in administration.list_work_pools(page=Page(1, 1))] == ["b"]
    docker = WorkPoolFilter(type=TextFilter(any_=["docker"]))
    assert [pool.name for pool in administration.list_work_pools(docker)] == ["a"]
    assert (administration.count_work_pools(docker), administration.count_work_pools()) == (1, 3)
    administration.update_work_pool(
        "a", WorkPoolUpdate(is_paused=True, base_job_template={"x": 1}, concurrency_limit=3)
    )
    changed = administration.read_work_pool("a")
    assert (changed.status, changed.base_job_template, changed.concurrency_limit) == (ServiceStatus.PAUSED, {"x": 1}, 3)
    administration.update_work_pool("a", WorkPoolUpdate(is_paused=None, concurrency_limit=None))
    changed = administration.read_work_pool("a")
    assert (changed.is_paused, changed.concurrency_limit) == (True, None)
    administration.delete_work_pool("a")
    assert administration.count_work_pools() == 2
    assert len(administration.list_work_queues()) == 2


def test_queues_are_listed_changed_and_deleted(yard: Yard) -> None:
    slow, fast = yard.queue("slow"), yard.queue("fast", priority=1, concurrency_limit=1)
    listed = yard.administration.list_work_queues("local")
    assert [(queue.name, queue.priority) for queue in listed] == [("default", 1), ("fast", 1), ("slow", 2)]
    named = WorkQueueFilter(name=NameFilter(startswith_=["s"]))
    assert [queue.id for queue in yard.administration.list_work_queues(None, named)] == [slow]
    with_id = WorkQueueFilter(id=IdFilter(any_=[fast]))
    assert [queue.id for queue in yard.administration.list_work_queues("local", with_id)] == [fast]
    with pytest.raises(ObjectAlreadyExists):
        yard.queue("fast")
    with pytest.raises(ObjectAlreadyExists):
        yard.administration.update_work_queue(slow, WorkQueueUpdate(name="fast"))
    yard.administration.update_work_queue(slow, WorkQueueUpdate(name="slower", priority=9, is_paused=True))
    changed = yard.administration.read_work_queue(slow)
    assert (changed.name, changed.priority, changed.status) == ("slower", 9, ServiceStatus.PAUSED)
    yard.administration.update_work_queue(slow, WorkQueueUpdate(last_polled=yard.stage.now, is_paused=False, name=None))
    assert yard.administration.read_work_queue(slow).status is ServiceStatus.READY
    run = yard.put("fast")
    yard.administration.delete_work_queue(fast)
    assert yard.execution.read_flow_run(run.id).work_queue_name == "default"
    with pytest.raises(InvalidRequest, match="default queue"):
        yard.administration.delete_work_queue(yard.pool.default_queue_id or uuid7())


def test_workers_are_there_while_they_show_themselves(yard: Yard) -> None:
    yard.execution.beat_worker(WorkerBeat(work_pool_name="local", name="one", heartbeat_interval_seconds=10))
    yard.stage.clock.advance(20)
    yard.execution.beat_worker(WorkerBeat(work_pool_name="local", name="two"))
    workers = yard.administration.list_workers("local")
    assert [(worker.name, worker.status) for worker in workers] == [("two", "ONLINE"), ("one", "ONLINE")]
    assert (workers[0].last_heartbeat_time, workers[0].heartbeat_interval_seconds) == (yard.stage.now, 30)
    assert yard.administration.read_work_pool("local").status is ServiceStatus.READY
    yard.stage.clock.advance(11)

    def names(**wanted: Any) -> list[str]:
        return [worker.name for worker in yard.administration.list_workers("local", WorkerFilter(**wanted))]

    assert names(status=WorkerStatusFilter(any_=[WorkerStatus.ONLINE])) == ["two"]
    assert names(status=WorkerStatusFilter(not_any_=[WorkerStatus.ONLINE])) == ["one"]
    assert names(status=WorkerStatusFilter(any_=[])) == []
    assert names(last_heartbeat_time=TimeFilter(after_=yard.stage.after(-15))) == ["two"]
    yard.execution.beat_worker(WorkerBeat(work_pool_name="local", name="one", heartbeat_interval_seconds=10))
    assert yard.administration.list_workers("local", page=Page(1))[0].id == workers[1].id
    yard.administration.delete_worker("local", "one")
    assert names() == ["two"]
    yard.stage.clock.advance(1000)
    assert yard.administration.read_work_pool("local").status is ServiceStatus.NOT_READY


def test_queues_of_the_first_priority_give_first(yard: Yard) -> None:
    yard.queue("slow", priority=5)
    yard.queue("urgent", priority=1)
    slow, late, urgent = yard.put("slow", -30), yard.put("default", -10), yard.put("urgent", -20)
    assert yard.claim(2) == [urgent.id, late.id]
    assert yard.claim() == [slow.id]


def test_claims_are_narrowed_to_queues(yard: Yard) -> None:
    other = yard.queue("other")
    first, second, third = yard.put(), yard.put("other"), yard.put("other")
    yard.stage.scheduled()
    assert yard.claim(work_queue_names=["nothing"]) == []
    assert yard.claim(1, work_queue_names=["other"]) == [second.id]
    assert yard.claim(work_pool_name=None, work_queue_ids=[other]) == [third.id]
    assert yard.claim(work_queue_ids=[other]) == []
    assert yard.claim() == [first.id]


def test_what_is_paused_gives_nothing(yard: Yard) -> None:
    other = yard.queue("other")
    first, second = yard.put(), yard.put("other")
    yard.administration.update_work_pool("local", WorkPoolUpdate(is_paused=True))
    assert yard.claim() == []
    yard.administration.update_work_pool("local", WorkPoolUpdate(is_paused=False))
    yard.administration.update_work_queue(other, WorkQueueUpdate(is_paused=True))
    assert yard.claim() == [first.id]
    yard.administration.update_work_queue(other, WorkQueueUpdate(is_paused=False))
    assert yard.claim() == [second.id]


def test_workers_hear_that_there_is_room(yard: Yard) -> None:
    """As at the end of a run: they would find out with their next look alone."""
    other = yard.queue("other")

    def called(change: Callable[[], None]) -> list[UUID | None]:
        begin = yard.execution.last_cursor()
        change()
        return [event.flow_run_id for event in yard.execution.read_events(begin, kinds=("slots",)).events]

    def pool(**what: Any) -> list[UUID | None]:
        return called(lambda: yard.administration.update_work_pool("local", WorkPoolUpdate(**what)))

    def queue(**what: Any) -> list[UUID | None]:
        return called(lambda: yard.administration.update_work_queue(other, WorkQueueUpdate(**what)))

    assert pool(is_paused=True) + pool(is_paused=False) == []  # nobody waits
    yard.stage.scheduled()
    yard.put(seconds=60)
    assert pool(is_paused=True) + pool(is_paused=False) == []  # a look will find it in time
    first = yard.put(seconds=5)
    assert (pool(is_paused=True), pool(is_paused=False), pool(is_paused=False)) == ([], [first.id], [])
    assert (pool(concurrency_limit=1), pool(concurrency_limit=0)) == ([], [])
    assert (pool(concurrency_limit=2), pool(concurrency_limit=None)) == ([first.id], [first.id])
    assert queue(is_paused=True) + queue(is_paused=False) == []  # nobody waits there
    second = yard.put("other")
    assert (queue(is_paused=True), queue(is_paused=False), queue(priority=7)) == ([], [second.id], [])
    assert (queue(concurrency_limit=1), queue(concurrency_limit=2)) == ([], [second.id])
    assert queue(concurrency_limit=None) == [second.id]
    assert pool(description="the same") == []
    # What waited in a queue that is deleted waits in the default one from now on.
    assert called(lambda: yard.administration.delete_work_queue(other)) == [second.id]


def test_no_more_executes_than_may(yard: Yard) -> None:
    yard.administration.update_work_pool("local", WorkPoolUpdate(concurrency_limit=2))
    default = yard.administration.read_work_queue_by_name("local", "default").id
    yard.administration.update_work_queue(default, WorkQueueUpdate(priority=2))
    yard.queue("narrow", concurrency_limit=1, priority=1)
    narrow = [yard.put("narrow", number - 9) for number in range(2)]
    wide = [yard.put("default", number - 5) for number in range(2)]
    assert {*yard.claim()} == {narrow[0].id, wide[0].id}
    assert yard.claim() == []
    assert yard.administration.read_work_pool("local").active_slots == 2
    assert yard.administration.read_work_queue_by_name("local", "narrow").active_slots == 1
    yard.stage.propose(wide[0], StateType.RUNNING)
    assert yard.claim() == []
    yard.stage.propose(wide[0], StateType.COMPLETED)
    assert yard.claim() == [wide[1].id]
    yard.stage.propose(narrow[0], StateType.CRASHED)
    assert yard.claim() == [narrow[1].id]


def test_what_is_due_can_be_looked_at(yard: Yard) -> None:
    first, second = yard.put(seconds=-2), yard.put(seconds=-1)
    yard.put(seconds=60)
    request = DueRequest(before=yard.stage.now, limit=9, work_pool_name="local")
    due = yard.execution.list_due_flow_runs(request)
    assert [run.id for run in due] == [first.id, second.id]
    assert (due[0].work_pool_name, due[0].work_queue_name, due[0].state_type) == ("local", "default", "SCHEDULED")
    assert yard.administration.list_work_queues("local")[0].status is ServiceStatus.READY
    assert yard.claim() == [first.id, second.id]


def test_a_pool_that_is_deleted_leaves_runs_without_a_place(yard: Yard) -> None:
    flow = yard.stage.flow()
    made = yard.administration.create_deployment(DeploymentCreate(name="prod", flow_id=flow, work_pool_name="local"))
    run = yard.administration.run_deployment(made.id, DeploymentFlowRunCreate())
    yard.administration.delete_work_pool("local")
    assert yard.execution.read_flow_run(run.id).work_pool_name is None
    assert yard.administration.read_deployment(made.id).work_pool_name is None
