from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from headrace.base.clock import FrozenClock
from headrace.base.errors import ObjectNotFound
from headrace.base.ids import state_ordinal, uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor
from headrace.schema.fact import StateFact, TaskStateFact
from headrace.schema.orchestration import Beat
from headrace.schema.presence import Presence
from headrace.schema.report import StateReport
from headrace.schema.run import TaskRun, TaskRunCreate
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.schema.task_worker import WORKER_EPOCH, TaskClaim, TaskClaimRequest, TaskClaims
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import NOBODY, Stage

BEATING = Presence(kind="beat", interval=10.0)
SCHEDULED, PENDING, RUNNING, COMPLETED = (
    StateType.SCHEDULED,
    StateType.PENDING,
    StateType.RUNNING,
    StateType.COMPLETED,
)


class Yard:
    """Background runs, and workers that take them."""

    def __init__(self, execution: Execution, administration: Administration, stage: Stage, clock: FrozenClock) -> None:
        self.execution, self.administration, self.stage, self.clock = execution, administration, stage, clock

    def defer(self, key: str = "add", seconds: float = 0, **what: Any) -> TaskRun:
        run_id = self.stage.new_id()
        details = StateDetails(
            deferred=True, task_parameters_id=uuid7(), scheduled_time=self.stage.after(seconds), task_run_id=run_id
        )
        return self.execution.create_task_run(
            TaskRunCreate(
                id=run_id,
                task_key=key,
                dynamic_key=str(run_id),
                state=StateCreate(type=SCHEDULED, state_details=details),
                **what,
            )
        )

    def claim(self, worker_id: UUID | None = None, limit: int = 10, **what: Any) -> TaskClaims:
        told: dict[str, Any] = {"name": "worker", "task_keys": ["add"], "presence": BEATING}
        return self.execution.claim_task_runs(
            TaskClaimRequest(worker_id=worker_id or uuid7(), limit=limit, **told | what)
        )

    def states(self, run: TaskRun) -> list[str | None]:
        return [state.name for state in self.administration.list_task_run_states(run.id)]

    def read(self, run: TaskRun) -> TaskRun:
        return self.execution.read_task_run(run.id)

    def say(self, claim: TaskClaim, ordinal: int, type_: StateType, run_count: int = 1, seconds: float = 1) -> None:
        """Deliver a state, as the worker's engine does."""
        self.clock.advance(seconds)
        state = StateFact(ordinal, type_, type_.capitalize(), self.clock.now)
        fact = TaskStateFact(claim.task_run.id, claim.task_run.flow_run_id, state, run_count)
        self.stage.deliver(fact, attempts={claim.task_run.id: claim.epoch})

    def heard(self, after: Cursor) -> list[tuple[UUID, bool]]:
        page = self.execution.read_events(after, kinds=("background",))
        assert all(event.body and event.body["task_key"] == "add" for event in page.events)
        return [(event.subject_id, event.body["due"]) for event in page.events if event.body]


@pytest.fixture
def yard(execution: Execution, administration: Administration, stage: Stage, clock: FrozenClock) -> Yard:
    return Yard(execution, administration, stage, clock)


def ids(claims: TaskClaims) -> list[UUID]:
    return [claim.task_run.id for claim in claims.claims]


def test_what_is_due_is_claimed_oldest_first(yard: Yard) -> None:
    late, early, future = yard.defer(seconds=-10), yard.defer("sub", seconds=-20), yard.defer(seconds=20)
    yard.defer("mul")
    taken = yard.claim(task_keys=["add", "sub", "add"])
    assert ids(taken) == [early.id, late.id]
    first = taken.claims[0]
    assert (first.epoch, first.task_run.state_type) == (1, PENDING)
    assert early.state is not None
    assert first.parameters_id == early.state.state_details.task_parameters_id
    assert first.task_run.state is not None
    assert first.task_run.state.state_details.task_parameters_id == first.parameters_id
    assert taken.next_due == future.next_scheduled_start_time
    assert yard.states(early) == ["Scheduled", "Pending"]
    assert ids(yard.claim()) == []
    yard.clock.advance(20)
    assert ids(yard.claim()) == [future.id]


def test_no_more_is_claimed_than_was_asked_for(yard: Yard) -> None:
    runs = [yard.defer(seconds=-10 + number) for number in range(3)]
    assert ids(yard.claim(limit=0)) == []
    assert ids(yard.claim(limit=2)) == [run.id for run in runs[:2]]
    assert ids(yard.claim(limit=2)) == [runs[2].id]


def test_a_run_that_nobody_defers_is_nobodys_to_claim(yard: Yard) -> None:
    state = StateCreate(type=SCHEDULED)
    yard.execution.create_task_run(TaskRunCreate(task_key="add", dynamic_key="1", state=state))
    assert ids(yard.claim()) == []


def test_the_same_request_makes_one_run(yard: Yard, execution: Execution) -> None:
    run = yard.defer()
    details = StateDetails(deferred=True)
    again = TaskRunCreate(
        id=run.id,
        task_key="add",
        dynamic_key=run.dynamic_key,
        state=StateCreate(type=SCHEDULED, state_details=details),
    )
    assert execution.create_task_run(again).id == run.id
    assert ids(yard.claim()) == [run.id]
    assert ids(yard.claim()) == []


def test_of_many_workers_each_run_has_one(implementation: Orchestrations, yard: Yard) -> None:
    runs = {yard.defer(seconds=-1).id for _ in range(40)}
    others = Yard(implementation.open().execution, yard.administration, yard.stage, yard.clock)

    def take(number: int) -> list[UUID]:
        return ids((yard, others)[number % 2].claim(limit=7))

    taken: list[UUID] = []
    with ThreadPoolExecutor(8) as threads:
        while some := [each for part in threads.map(take, range(8)) for each in part]:
            taken += some
    assert len(taken) == 40
    assert set(taken) == runs


def test_a_run_is_executed_to_its_end(yard: Yard, execution: Execution) -> None:
    begin = execution.last_cursor()
    run = yard.defer()
    (mine,) = yard.claim().claims
    assert mine.task_run.state_id is not None
    ordinal = state_ordinal(run.id, mine.task_run.state_id)
    yard.say(mine, ordinal + 1, RUNNING)
    yard.say(mine, ordinal + 2, COMPLETED)
    ended = yard.read(run)
    assert (ended.state_type, ended.run_count) == (COMPLETED, 1)
    assert yard.states(run) == ["Scheduled", "Pending", "Running", "Completed"]
    assert yard.heard(begin) == [(run.id, True), (run.id, False)]
    assert execution.release_task_run(run.id, mine.epoch) is False


def test_a_claim_can_be_given_back(yard: Yard, execution: Execution) -> None:
    run = yard.defer(seconds=-10)
    (mine,) = yard.claim().claims
    begin = execution.last_cursor()
    assert execution.release_task_run(run.id, mine.epoch) is True
    assert execution.release_task_run(run.id, mine.epoch) is False
    assert execution.release_task_run(uuid7(), 1) is False
    assert yard.heard(begin) == [(run.id, True)]
    assert yard.read(run).state_type is SCHEDULED
    (again,) = yard.claim().claims
    assert again.epoch > mine.epoch
    assert again.parameters_id == mine.parameters_id
    assert yard.states(run) == ["Scheduled", "Pending", "Scheduled", "Pending"]


def test_what_a_worker_says_of_a_run_that_is_not_its_any_more_is_history(yard: Yard, execution: Execution) -> None:
    run = yard.defer()
    (mine,) = yard.claim().claims
    yard.say(mine, 3, RUNNING)
    execution.release_task_run(run.id, mine.epoch)
    yard.say(mine, 4, COMPLETED)
    assert yard.read(run).state_type is SCHEDULED
    (other,) = yard.claim().claims
    yard.say(mine, 4, COMPLETED)
    assert yard.read(run).state_type is PENDING
    yard.say(other, 6, RUNNING, 2)
    yard.say(other, 7, StateType.FAILED, 2)
    yard.say(mine, 5, COMPLETED)
    ended = yard.read(run)
    assert (ended.state_type, ended.run_count) == (StateType.FAILED, 2)


def test_what_a_dead_worker_had_is_offered_again(yard: Yard, execution: Execution) -> None:
    begun, waiting, done = yard.defer(seconds=-3), yard.defer(seconds=-2), yard.defer(seconds=-1)
    claims = yard.claim(presence=NOBODY).claims
    yard.say(claims[0], 3, RUNNING)
    yard.say(claims[2], 3, RUNNING)
    yard.say(claims[2], 4, COMPLETED)
    execution.crash_if_dead()
    execution.crash_if_dead()
    assert yard.states(begun) == ["Scheduled", "Pending", "Running", "Scheduled"]
    assert yard.states(waiting) == ["Scheduled", "Pending", "Scheduled"]
    assert yard.read(done).state_type is COMPLETED
    again = yard.claim()
    assert ids(again) == [begun.id, waiting.id]
    assert again.claims[0].task_run.run_count == 1
    assert [worker.identifier for worker in yard.administration.list_task_workers()] == ["worker"]


def test_a_run_that_workers_die_of_is_given_up(yard: Yard, execution: Execution) -> None:
    run = yard.defer()
    claims: list[TaskClaim] = []
    for _ in range(3):
        claims += yard.claim(presence=NOBODY).claims
        execution.crash_if_dead()
        execution.crash_if_dead()
    ended = yard.read(run)
    assert ended.state_type is StateType.CRASHED
    assert ended.state is not None
    assert "others before" in (ended.state.message or "")
    assert ids(yard.claim()) == []
    yard.say(claims[-1], 9, COMPLETED)
    assert yard.read(run).state_type is StateType.CRASHED


def test_a_worker_that_leaves_gives_back_what_it_has(yard: Yard, execution: Execution) -> None:
    run, worker = yard.defer(), uuid7()
    assert yard.claim(worker).recognised is False
    assert yard.claim(worker).recognised is True
    assert execution.beat([Beat(flow_run_id=worker, epoch=WORKER_EPOCH)]) == []
    assert execution.end_task_worker(worker) is True
    assert execution.end_task_worker(worker) is False
    assert execution.beat([Beat(flow_run_id=worker, epoch=WORKER_EPOCH)]) == [worker]
    assert yard.claim(worker, limit=0).recognised is False
    assert ids(yard.claim()) == [run.id]


def test_workers_are_listed_by_their_tasks(yard: Yard) -> None:
    yard.claim(name="b", task_keys=["add", "sub"])
    yard.claim(name="a", task_keys=["mul"])
    listed = yard.administration.list_task_workers
    assert [(worker.identifier, worker.task_keys) for worker in listed()] == [("a", ["mul"]), ("b", ["add", "sub"])]
    assert [worker.identifier for worker in listed(["sub", "none"])] == ["b"]
    assert listed(["none"]) == []
    assert listed()[0].timestamp == yard.stage.now


def test_a_client_of_the_contract_says_itself_what_becomes_of_a_run(yard: Yard, execution: Execution) -> None:
    run = yard.defer()
    (mine,) = yard.claim(announce=False).claims
    assert (mine.task_run.state_type, yard.states(run)) == (SCHEDULED, ["Scheduled"])
    assert execution.release_task_run(run.id, mine.epoch) is True
    assert yard.states(run) == ["Scheduled"]
    worker = uuid7()
    (mine,) = yard.claim(worker, announce=False).claims
    assert execution.hand_over_task_run(run.id, mine.epoch + 1) is False
    assert execution.hand_over_task_run(run.id, mine.epoch) is True
    assert execution.hand_over_task_run(run.id, mine.epoch) is False
    execution.end_task_worker(worker)
    assert ids(yard.claim()) == []


def test_a_client_may_tell_of_the_state_it_made_a_run_with(yard: Yard, execution: Execution) -> None:
    run = yard.defer()
    assert run.state_id is not None
    made = yard.stage.made(task_run_id=run.id, task_key="add", dynamic_key=run.dynamic_key)
    state = StateFact(0, SCHEDULED, "Scheduled", yard.clock.now)
    execution.report([StateReport(run.state_id, made, state, 0)])
    assert yard.states(run) == ["Scheduled"]
    ended = StateFact(0, COMPLETED, "Completed", yard.clock.now + 1)
    begin = execution.last_cursor()
    execution.report([StateReport(uuid7(), made, ended, 1)])
    assert yard.states(run) == ["Scheduled", "Completed"]
    assert yard.heard(begin) == [(run.id, False)]


def test_a_run_that_is_cancelled_is_not_claimed(yard: Yard, execution: Execution) -> None:
    run, begin = yard.defer(), execution.last_cursor()
    execution.propose_task_run_state(run.id, StateCreate(type=StateType.CANCELLED))
    assert yard.heard(begin) == [(run.id, False)]
    assert ids(yard.claim()) == []


def test_a_run_that_has_ended_can_be_deferred_again(yard: Yard, execution: Execution) -> None:
    run = yard.defer()
    (first,) = yard.claim().claims
    yard.say(first, 3, RUNNING)
    yard.say(first, 4, COMPLETED)
    again = StateCreate(type=SCHEDULED, state_details=StateDetails(deferred=True))
    execution.propose_task_run_state(run.id, again, force=True)
    (second,) = yard.claim().claims
    assert second.epoch > first.epoch
    assert second.parameters_id == first.parameters_id


def test_a_background_run_outlives_the_flow_run_that_deferred_it(yard: Yard, execution: Execution) -> None:
    flow_run = yard.stage.running(presence=NOBODY)
    run = yard.defer(flow_run_id=flow_run.id)
    execution.crash_if_dead()
    execution.crash_if_dead()
    assert execution.read_flow_run(flow_run.id).state_type is StateType.CRASHED
    assert yard.read(run).state_type is SCHEDULED
    (mine,) = yard.claim().claims
    yard.say(mine, 3, RUNNING)
    yard.say(mine, 4, COMPLETED)
    assert yard.read(run).state_type is COMPLETED


def test_a_run_that_is_deleted_is_nobodys_any_more(yard: Yard, administration: Administration) -> None:
    run, other = yard.defer(seconds=-2), yard.defer(seconds=-1)
    administration.delete_task_run(run.id)
    assert ids(yard.claim()) == [other.id]
    with pytest.raises(ObjectNotFound):
        yard.read(run)
