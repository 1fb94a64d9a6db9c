"""How many runs of a deployment execute at once, and what becomes of one more."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.orchestration.loops.lateness import Lateness
from headrace.orchestration.loops.slots import Slots
from headrace.schema.deployment import (
    ConcurrencyOptions,
    Deployment,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentUpdate,
)
from headrace.schema.event import Cursor
from headrace.schema.orchestration import (
    Claim,
    ClaimRequest,
    ConcurrencyLimitCreate,
    ConcurrencyLimitUpdate,
    Decision,
    DueRequest,
    Presence,
    Proposal,
    SlotRequest,
    Verb,
)
from headrace.schema.run import FlowRun
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.schema.work_pool import WorkPoolCreate
from headrace.storage.databases import open_database
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import NOBODY, Stage

PENDING, RUNNING, SCHEDULED = StateType.PENDING, StateType.RUNNING, StateType.SCHEDULED
BEATING = Presence(kind="beat", interval=10.0)
WAITS, CANCELS = ConcurrencyOptions(collision_strategy="ENQUEUE"), ConcurrencyOptions(collision_strategy="CANCEL_NEW")
PATIENT = ConcurrencyOptions(collision_strategy="ENQUEUE", grace_period_seconds=60)


class Yard:
    """A deployment and what becomes of its runs."""

    def __init__(self, implementation: Orchestrations, stage: Stage) -> None:
        self.implementation = implementation
        opened = implementation.open()
        self.execution: Execution = opened.execution
        self.administration: Administration = opened.administration
        self.stage = stage
        self.id = UUID(int=0)

    def deploy(self, limit: int | None = 1, name: str = "nightly", **what: Any) -> Deployment:
        told: dict[str, Any] = {"name": name, "flow_id": self.stage.flow(), "concurrency_limit": limit} | what
        made = self.administration.create_deployment(DeploymentCreate(**told))
        self.id = made.id
        return made

    def run(self, seconds: float = 0, deployment_id: UUID | None = None) -> FlowRun:
        details = StateDetails(scheduled_time=self.stage.after(seconds))
        state = StateCreate(type=SCHEDULED, state_details=details)
        return self.administration.run_deployment(deployment_id or self.id, DeploymentFlowRunCreate(state=state))

    def claim(self, limit: int = 9, presence: Presence | None = BEATING) -> list[Claim]:
        request = ClaimRequest(claimant="worker", before=self.stage.now, limit=limit, presence=presence)
        return self.execution.claim_flow_runs(request)

    def taken(self, limit: int = 9) -> list[UUID]:
        return [claim.flow_run.id for claim in self.claim(limit)]

    def take(self, run: FlowRun, name: str | None = None) -> Decision:
        """Take a run as clients of the contract do."""
        return self.stage.propose(run, PENDING, name)

    def start(self, run: FlowRun, renewal: float | None = None) -> Decision:
        return self.execution.propose_flow_run_state(
            Proposal(flow_run_id=run.id, state=StateCreate(type=RUNNING), renewal=renewal)
        )

    def end(self, run: FlowRun, type_: StateType = StateType.COMPLETED) -> Decision:
        return self.stage.propose(run, type_)

    def name(self, run: FlowRun) -> str | None:
        return self.execution.read_flow_run(run.id).state_name

    def used(self) -> int | None:
        limit = self.administration.read_deployment(self.id).global_concurrency_limit
        return limit and limit.active_slots

    def called(self, after: Cursor) -> list[UUID | None]:
        """The runs that have been called since."""
        events = self.execution.read_events(after).events
        return [
            event.flow_run_id for event in events if event.kind == "slots" and event.subject_id == event.flow_run_id
        ]

    def sweep(self) -> int:
        with open_database(self.implementation.url) as database:
            return Slots(database, self.implementation.clock).run_once()


@pytest.fixture
def yard(implementation: Orchestrations, stage: Stage) -> Yard:
    return Yard(implementation, stage)


def test_one_more_waits_in_line_and_is_called_when_there_is_room(yard: Yard) -> None:
    yard.deploy(1)
    first, second, third = yard.run(-3), yard.run(-2), yard.run(-1)
    assert yard.taken() == [first.id]
    assert (yard.name(second), yard.name(third), yard.used()) == ("AwaitingConcurrencySlot",) * 2 + (1,)
    told = yard.execution.read_flow_run(third.id).state
    assert told
    assert told.message == "As many runs of the deployment are executing as may. This one is number 2 in line."
    assert told.state_details.scheduled_time == yard.stage.after(-1)
    assert yard.taken() == []
    begin = yard.execution.last_cursor()
    yard.start(first)
    yard.end(first)
    assert yard.called(begin) == [second.id]
    assert yard.taken() == [second.id]
    begin = yard.execution.last_cursor()
    yard.end(second, StateType.CRASHED)
    assert yard.called(begin) == [third.id]
    assert yard.taken() == [third.id]


def test_who_comes_later_does_not_pass_whoever_was_called(yard: Yard) -> None:
    yard.deploy(1)
    first, second = yard.run(-3), yard.run(-2)
    yard.claim()
    yard.end(first)
    newcomer = yard.run(-10)
    assert yard.take(newcomer).verb is Verb.REJECT
    assert yard.name(newcomer) == "AwaitingConcurrencySlot"
    assert yard.taken() == [second.id]


def test_one_who_is_called_and_does_not_come_lets_the_next_pass_and_loses_nothing_else(yard: Yard) -> None:
    yard.deploy(1)
    first, second, third = yard.run(-3), yard.run(-2), yard.run(-1)
    yard.claim()
    yard.end(first)
    begin = yard.execution.last_cursor()
    yard.sweep()
    assert yard.called(begin) == []
    yard.stage.clock.advance(31)
    yard.sweep()
    assert yard.called(begin) == [third.id]
    assert yard.taken(1) == [second.id] or yard.name(third) == "Pending"
    assert yard.used() == 1


@pytest.mark.parametrize("ends", [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED])
def test_every_end_gives_the_slot_back(yard: Yard, ends: StateType) -> None:
    yard.deploy(1)
    run = yard.run()
    (claim,) = yard.claim()
    started = yard.stage.propose(run, RUNNING, epoch=claim.epoch, presence=BEATING)
    assert started.state
    assert started.state.state_details.deployment_concurrency_lease_id
    assert yard.used() == 1
    ended = yard.end(run, ends)
    assert ended.state
    assert (yard.used(), ended.state.state_details.deployment_concurrency_lease_id) == (0, None)


def test_a_claim_that_is_given_back_and_a_run_that_is_suspended_hold_nothing(yard: Yard) -> None:
    yard.deploy(1)
    run = yard.run()
    (claim,) = yard.claim()
    assert yard.execution.release_claim(run.id, claim.epoch)
    assert yard.used() == 0
    (claim,) = yard.claim()
    yard.stage.propose(run, RUNNING, epoch=claim.epoch, presence=BEATING)
    yard.stage.propose(run, StateType.PAUSED, "Paused", epoch=claim.epoch)
    assert yard.used() == 1
    yard.execution.resume_flow_run(run.id)
    yard.stage.propose(run, StateType.PAUSED, "Suspended", epoch=claim.epoch, pause_reschedule=True)
    assert yard.used() == 0


def test_the_slot_of_a_holder_that_has_died_is_the_nexts(yard: Yard) -> None:
    yard.deploy(1)
    first, second = yard.run(-2), yard.run(-1)
    yard.claim(presence=NOBODY)
    assert yard.taken() == []
    begin = yard.execution.last_cursor()
    while yard.name(first) != "Crashed":
        yard.execution.crash_if_dead()
    assert yard.called(begin) == [second.id]
    assert yard.taken() == [second.id]


def test_one_more_is_cancelled_where_the_deployment_says_so(yard: Yard) -> None:
    yard.deploy(1, concurrency_options=CANCELS)
    first, second, third = yard.run(-3), yard.run(-2), yard.run(-1)
    assert yard.taken() == [first.id]
    for run in (second, third):
        state = yard.execution.read_flow_run(run.id).state
        assert state
        assert (state.type, state.message) == (
            StateType.CANCELLED,
            "As many runs of the deployment are executing as may. One more is cancelled: that is its collision strategy.",
        )
    decision = yard.take(yard.run())
    assert (decision.verb, decision.state and decision.state.type) == (Verb.REJECT, StateType.CANCELLED)


@pytest.mark.parametrize(("options", "name"), [(CANCELS, "Cancelled"), (WAITS, "Late"), (None, "Late")])
def test_one_more_that_nobody_takes_is_cancelled_when_it_is_late(
    yard: Yard, options: ConcurrencyOptions | None, name: str
) -> None:
    yard.deploy(1, concurrency_options=options)
    first, second = yard.run(-100), yard.run(-50)
    assert yard.taken(1) == [first.id]
    with open_database(yard.implementation.url) as database:
        Lateness(database, yard.implementation.clock).run_once()
    assert yard.name(second) == name


def test_clients_of_the_contract_wait_and_are_cancelled_alike(yard: Yard) -> None:
    yard.deploy(1)
    first, second = yard.run(-2), yard.run(-1)
    accepted = yard.take(first)
    assert accepted.verb is Verb.ACCEPT
    lease = accepted.state and accepted.state.state_details.deployment_concurrency_lease_id
    assert lease
    submitting = yard.take(first, "Submitting")
    assert submitting.state
    assert submitting.state.state_details.deployment_concurrency_lease_id == lease
    refused = yard.take(second)
    assert (refused.verb, refused.state and refused.state.name) == (Verb.REJECT, "AwaitingConcurrencySlot")
    due = DueRequest(before=yard.stage.now, limit=9, deployment_ids=[yard.id])
    assert yard.execution.list_due_flow_runs(due) == []
    assert yard.start(first, renewal=300).verb is Verb.ACCEPT
    assert yard.execution.renew_slots(lease, 300)
    yard.end(first)
    assert [run.id for run in yard.execution.list_due_flow_runs(due)] == [second.id]
    assert yard.take(second).verb is Verb.ACCEPT
    assert not yard.execution.renew_slots(lease, 300)


def test_a_client_that_takes_too_long_to_begin_loses_its_slot(yard: Yard) -> None:
    yard.deploy(1, concurrency_options=PATIENT)
    first, second = yard.run(-2), yard.run(-1)
    yard.take(first)
    yard.take(second)
    yard.stage.clock.advance(59)
    assert (yard.sweep(), yard.used()) == (0, 1)
    yard.stage.clock.advance(2)
    begin = yard.execution.last_cursor()
    assert (yard.sweep(), yard.called(begin)) == (1, [second.id])
    assert yard.take(second).verb is Verb.ACCEPT
    refused = yard.start(first)
    assert (refused.verb, refused.state and refused.state.name) == (Verb.REJECT, "AwaitingConcurrencySlot")
    yard.end(second)
    assert yard.take(first).verb is Verb.ACCEPT


def test_a_slot_that_ran_out_is_taken_again_where_there_is_room(yard: Yard) -> None:
    yard.deploy(1, concurrency_options=PATIENT)
    run = yard.run()
    taken = yard.take(run)
    yard.stage.clock.advance(61)
    begun = yard.start(run)
    assert begun.verb is Verb.ACCEPT
    assert begun.state
    assert taken.state
    lease = begun.state.state_details.deployment_concurrency_lease_id
    assert lease not in {None, taken.state.state_details.deployment_concurrency_lease_id}
    yard.stage.clock.advance(100_000)  # this client does not renew: the slot is the run's until it ends
    assert (yard.sweep(), yard.used()) == (0, 1)


@pytest.mark.parametrize(("presence", "patience"), [(None, 300), (BEATING, None), (Presence(), 300)])
def test_how_long_a_claim_holds_its_slot(yard: Yard, presence: Presence | None, patience: float | None) -> None:
    yard.deploy(1)
    yard.run()
    yard.claim(presence=presence)
    yard.stage.clock.advance((patience or 100_000) - 1)
    assert (yard.sweep(), yard.used()) == (0, 1)
    yard.stage.clock.advance(2)
    assert yard.sweep() == (patience is not None)


def test_a_client_that_renews_no_more_loses_its_slot(yard: Yard) -> None:
    yard.deploy(1)
    first, second = yard.run(-2), yard.run(-1)
    yard.take(first)
    yard.start(first, renewal=300)
    yard.take(second)
    yard.stage.clock.advance(301)
    begin = yard.execution.last_cursor()
    assert (yard.sweep(), yard.called(begin)) == (1, [second.id])


def test_a_run_that_tries_again_in_its_process_keeps_its_slot(yard: Yard) -> None:
    yard.deploy(1)
    run, other = yard.run(-2), yard.run(-1)
    (claim,) = yard.claim()
    yard.stage.propose(run, RUNNING, epoch=claim.epoch, presence=BEATING)
    waiting = StateCreate(type=SCHEDULED, name="AwaitingRetry")
    yard.execution.propose_flow_run_state(Proposal(flow_run_id=run.id, state=waiting, epoch=claim.epoch))
    assert yard.taken() == []
    assert yard.stage.propose(run, RUNNING, epoch=claim.epoch, presence=BEATING).verb is Verb.ACCEPT
    assert (yard.used(), yard.name(other)) == (1, "AwaitingConcurrencySlot")


def test_somebody_who_insists_goes_without_a_slot_where_there_is_no_room(yard: Yard) -> None:
    yard.deploy(1)
    first, second = yard.run(-2), yard.run(-1)
    yard.take(first)
    yard.take(second)
    forced = yard.stage.propose(second, RUNNING, force=True)
    assert forced.verb is Verb.ACCEPT
    assert forced.state
    assert (forced.state.state_details.deployment_concurrency_lease_id, yard.used()) == (None, 1)
    third = yard.run()
    yard.end(first)
    assert yard.taken() == [third.id]


def test_who_leaves_the_line_lets_the_next_pass(yard: Yard) -> None:
    yard.deploy(1)
    runs = [yard.run(-9 + number) for number in range(4)]
    yard.claim()
    yard.end(runs[0])
    begin = yard.execution.last_cursor()
    yard.end(runs[1], StateType.CANCELLING)
    assert yard.called(begin) == [runs[2].id]
    yard.administration.delete_flow_run(runs[2].id)
    assert yard.called(begin) == [runs[3].id]  # what happened to the other is deleted with it
    assert yard.taken() == [runs[3].id]
    yard.administration.delete_flow_run(runs[3].id)
    assert yard.used() == 0


def test_a_run_may_begin_in_line(yard: Yard) -> None:
    yard.deploy(1)
    yard.run()
    yard.claim()
    asked = DeploymentFlowRunCreate(state=StateCreate(type=PENDING))
    begun = yard.administration.run_deployment(yard.id, asked)
    assert begun.state_name == "AwaitingConcurrencySlot"


def test_a_limit_counts_what_executes_already_and_may_be_changed_and_taken_away(yard: Yard) -> None:
    made = yard.deploy(None)
    assert (made.concurrency_limit, made.global_concurrency_limit) == (None, None)
    first, second, third = yard.run(-3), yard.run(-2), yard.run(-1)
    yard.claim(1)
    yard.administration.update_deployment(yard.id, DeploymentUpdate(concurrency_limit=1))
    assert (yard.used(), yard.taken()) == (1, [])
    begin = yard.execution.last_cursor()
    yard.administration.update_deployment(yard.id, DeploymentUpdate(concurrency_limit=2))
    assert yard.called(begin) == [second.id]
    assert yard.taken() == [second.id]
    yard.administration.update_deployment(yard.id, DeploymentUpdate(description="the same limit"))
    assert yard.administration.read_deployment(yard.id).concurrency_limit == 2
    begin = yard.execution.last_cursor()
    yard.administration.update_deployment(yard.id, DeploymentUpdate(concurrency_limit=None))
    assert yard.called(begin) == [third.id]
    assert (yard.taken(), yard.used()) == ([third.id], None)
    assert yard.administration.list_concurrency_limits() == []
    yard.end(first)


def test_a_deployments_own_limit_is_one_that_can_be_looked_at_and_changed(yard: Yard) -> None:
    made = yard.deploy(1)
    limit = made.global_concurrency_limit
    assert limit
    assert (limit.name, limit.limit, made.global_concurrency_limit_id) == (f"deployment:{made.id}", 1, limit.id)
    first, second, third = yard.run(-3), yard.run(-2), yard.run(-1)
    yard.claim()
    assert yard.administration.list_slot_holders(limit.name) == [first.id]
    begin = yard.execution.last_cursor()
    yard.administration.update_concurrency_limit(limit.name, ConcurrencyLimitUpdate(limit=2))
    assert yard.called(begin) == [second.id]
    assert yard.administration.read_deployment(yard.id).concurrency_limit == 2
    again = yard.deploy(2, global_concurrency_limit_id=limit.id)
    assert (again.concurrency_limit, again.global_concurrency_limit_id) == (2, limit.id)
    begin = yard.execution.last_cursor()
    yard.administration.delete_concurrency_limit(limit.name)
    assert third.id in yard.called(begin)
    assert yard.administration.read_deployment(yard.id).concurrency_limit is None
    assert len(yard.taken()) == 2


def test_deployments_may_share_a_limit_with_one_another_and_with_code(yard: Yard) -> None:
    shared = yard.administration.create_concurrency_limit(ConcurrencyLimitCreate(name="database", limit=1))
    one = yard.deploy(None, "one", global_concurrency_limit_id=shared.id)
    other = yard.deploy(5, "other")
    yard.administration.update_deployment(other.id, DeploymentUpdate(global_concurrency_limit_id=shared.id))
    assert yard.administration.read_deployment(other.id).concurrency_limit is None
    assert [limit.name for limit in yard.administration.list_concurrency_limits()] == ["database"]
    first, second = yard.run(-2, one.id), yard.run(-1, other.id)
    assert yard.taken() == [first.id]
    waits = uuid7()
    asked = SlotRequest(names=["database"], request_id=waits, duration=60)
    assert yard.execution.acquire_slots(asked).position == 2
    yard.end(first)
    assert yard.execution.acquire_slots(asked).lease_id is None
    assert yard.taken() == [second.id]
    yard.end(second)
    lease = yard.execution.acquire_slots(asked).lease_id
    assert lease
    third = yard.run(0, one.id)
    assert yard.taken() == []
    begin = yard.execution.last_cursor()
    yard.execution.release_slots(lease)
    assert yard.called(begin) == [third.id]
    yard.administration.update_deployment(one.id, DeploymentUpdate(global_concurrency_limit_id=None))
    assert yard.taken() == [third.id]
    with pytest.raises(ObjectNotFound, match="no concurrency limit with id"):
        yard.administration.update_deployment(one.id, DeploymentUpdate(global_concurrency_limit_id=uuid7()))
    yard.administration.update_deployment(other.id, DeploymentUpdate(concurrency_limit=None))
    assert yard.administration.read_deployment(other.id).global_concurrency_limit_id == shared.id


def test_a_limit_that_is_not_active_limits_no_deployment(yard: Yard) -> None:
    made = yard.deploy(1)
    runs = [yard.run(-1), yard.run(-1)]
    yard.claim()
    begin = yard.execution.last_cursor()
    yard.administration.update_concurrency_limit(f"deployment:{made.id}", ConcurrencyLimitUpdate(active=False))
    assert len(yard.called(begin)) == 1
    assert len(yard.taken()) == 1
    assert [yard.name(run) for run in runs] == ["Pending"] * 2


def test_a_deployment_that_is_deleted_takes_its_limit_and_its_line_along(yard: Yard) -> None:
    yard.deploy(1)
    first, second = yard.run(-2), yard.run(-1)
    yard.claim()
    yard.administration.delete_deployment(yard.id)
    assert (yard.name(first), yard.name(second)) == ("Pending", "Cancelled")
    assert yard.administration.list_concurrency_limits() == []
    yard.deploy(1)
    yard.run()
    yard.claim()
    yard.administration.delete_flow(yard.stage.flow())
    assert yard.administration.list_concurrency_limits() == []


def test_of_many_that_wait_others_are_found(yard: Yard) -> None:
    """A claim that meets runs without room goes on to those behind them."""
    yard.deploy(1)
    waiting = [yard.run(-100 + number) for number in range(12)]
    free = yard.deploy(None, "free")
    behind = [yard.run(-1, free.id) for _ in range(3)]
    taken = yard.taken(5)
    assert taken == [waiting[0].id, *sorted(run.id for run in behind)]


def test_sixteen_claimants_never_hold_more_than_the_limit(yard: Yard) -> None:
    yard.deploy(3)
    runs = [yard.run(-100 + number) for number in range(20)]
    others = [yard.execution, yard.implementation.open().execution]

    def take(number: int) -> list[UUID]:
        request = ClaimRequest(claimant=f"worker-{number}", before=yard.stage.now, limit=4, presence=BEATING)
        return [claim.flow_run.id for claim in others[number % 2].claim_flow_runs(request)]

    order: list[UUID] = []
    held: list[UUID] = []
    while len(order) < len(runs):
        with ThreadPoolExecutor(8) as threads:
            held += [run_id for part in threads.map(take, range(8)) for run_id in part]
        assert yard.used() == len(held) <= 3
        order += held
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(yard.execution.propose_flow_run_state, map(ended, held)))
        held = []
    assert sorted(order) == sorted(run.id for run in runs)


def ended(run_id: UUID) -> Proposal:
    return Proposal(flow_run_id=run_id, state=StateCreate(type=StateType.COMPLETED))


def test_a_pool_and_a_queue_that_are_full_refuse_clients_of_the_contract(yard: Yard) -> None:
    yard.administration.create_work_pool(WorkPoolCreate(name="p", concurrency_limit=1))
    yard.deploy(None, work_pool_name="p")
    first, second = yard.run(-2), yard.run(-1)
    assert yard.take(first).verb is Verb.ACCEPT
    refused = yard.take(second)
    assert (refused.verb, refused.written) == (Verb.REJECT, False)
    assert refused.reason == "Work pool 'p' executes as many runs as it may."
    begin = yard.execution.last_cursor()
    yard.start(first)
    yard.end(first)
    assert [event.flow_run_id for event in yard.execution.read_events(begin).events if event.kind == "slots"] == [
        first.id
    ]
    assert yard.take(second).verb is Verb.ACCEPT
