from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from headrace.base.ids import uuid7
from headrace.gateway.execution import Execution
from headrace.schema.orchestration import Claim, ClaimRequest, Presence
from headrace.schema.run import FlowRunPolicy
from headrace.schema.state import StateType
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import NOBODY, Stage

BEATING = Presence(kind="beat", interval=10.0)


def claim(execution: Execution, stage: Stage, limit: int = 10, seconds: float = 0, **what: Any) -> list[Claim]:
    return execution.claim_flow_runs(ClaimRequest(claimant="worker", before=stage.after(seconds), limit=limit, **what))


def ids(claims: list[Claim]) -> list[UUID]:
    return [each.flow_run.id for each in claims]


def test_what_is_due_is_claimed_oldest_first(execution: Execution, stage: Stage) -> None:
    late, early, future = stage.scheduled(-10), stage.scheduled(-20), stage.scheduled(20)
    stage.run()
    claims = claim(execution, stage)
    assert ids(claims) == [early.id, late.id]
    assert [(each.epoch, each.flow_run.epoch, each.flow_run.state_type) for each in claims] == [
        (1, 1, StateType.PENDING)
    ] * 2
    assert claims[0].flow_run.state
    assert claims[0].flow_run.state.state_details.scheduled_time == stage.after(-20)
    assert claim(execution, stage) == []
    assert ids(claim(execution, stage, seconds=20)) == [future.id]


def test_no_more_is_claimed_than_was_asked_for(execution: Execution, stage: Stage) -> None:
    runs = [stage.scheduled(-10 + number) for number in range(3)]
    assert ids(claim(execution, stage, limit=2)) == [run.id for run in runs[:2]]
    assert claim(execution, stage, limit=0) == []
    assert ids(claim(execution, stage, limit=2)) == [runs[2].id]


def test_claims_are_narrowed_to_deployments_and_queues(execution: Execution, stage: Stage) -> None:
    ours, theirs, queue = uuid7(), uuid7(), uuid7()
    mine = stage.scheduled(deployment_id=ours)
    stage.scheduled(deployment_id=theirs)
    stage.scheduled()
    assert claim(execution, stage, deployment_ids=[]) == []
    assert claim(execution, stage, work_queue_ids=[queue]) == []
    assert claim(execution, stage, work_queue_ids=[queue], deployment_ids=[ours]) == []
    assert ids(claim(execution, stage, deployment_ids=[ours, uuid7()])) == [mine.id]


def test_of_many_claimants_each_run_has_one(implementation: Orchestrations, execution: Execution, stage: Stage) -> None:
    runs = {stage.scheduled(-1).id for _ in range(40)}
    claimants = [execution, implementation.open().execution]

    def take(number: int) -> list[UUID]:
        return ids(claim(claimants[number % 2], stage, limit=7))

    taken: list[UUID] = []
    with ThreadPoolExecutor(8) as threads:
        # On PostgreSQL a claimant passes over what others are just taking, so nobody gets all at once.
        while some := [each for part in threads.map(take, range(8)) for each in part]:
            taken += some
    assert len(taken) == 40
    assert set(taken) == runs


def test_a_claim_can_be_given_back(execution: Execution, stage: Stage) -> None:
    run = stage.scheduled(-10)
    (mine,) = claim(execution, stage)
    assert execution.release_claim(run.id, mine.epoch) is True
    back = execution.read_flow_run(run.id)
    assert (back.state_type, back.next_scheduled_start_time) == (StateType.SCHEDULED, stage.after(-10))
    assert execution.release_claim(run.id, mine.epoch) is False
    (again,) = claim(execution, stage)
    assert again.epoch == mine.epoch + 1
    assert execution.release_claim(run.id, mine.epoch) is False
    stage.propose(run, StateType.RUNNING, epoch=again.epoch)
    assert execution.release_claim(run.id, again.epoch) is False
    assert execution.release_claim(uuid7(), 1) is False


def test_a_claimant_that_dies_loses_its_claim(execution: Execution, stage: Stage) -> None:
    run = stage.scheduled()
    claim(execution, stage, presence=NOBODY)
    execution.crash_if_dead()
    execution.crash_if_dead()
    assert execution.read_flow_run(run.id).state_type is StateType.CRASHED


def test_who_sees_an_attempt_end_says_so(execution: Execution, stage: Stage) -> None:
    run = stage.scheduled()
    (mine,) = claim(execution, stage, presence=BEATING)
    stage.propose(run, StateType.RUNNING, epoch=mine.epoch, presence=BEATING)
    assert execution.end_attempt(run.id, mine.epoch + 1, "another one") is False
    assert execution.end_attempt(run.id, mine.epoch, "It was killed.") is True
    ended = execution.read_flow_run(run.id)
    assert (ended.state_type, ended.state and ended.state.message) == (StateType.CRASHED, "It was killed.")
    assert execution.end_attempt(run.id, mine.epoch, "again") is False
    assert execution.end_attempt(uuid7(), 1, "nothing") is False


def test_an_attempt_that_was_ended_because_it_was_late_has_timed_out(execution: Execution, stage: Stage) -> None:
    run = stage.running(presence=NOBODY, empirical_policy=FlowRunPolicy(retries=3))
    task = stage.made(run.id)
    stage.deliver(task, *stage.story(task)[:2], attempts={run.id: run.epoch})
    assert execution.end_attempt(run.id, run.epoch, "It was late.", late=True) is True
    after = execution.read_flow_run(run.id)
    assert (after.state_type, after.state_name) == (StateType.FAILED, "TimedOut")
    assert execution.read_task_run(task.id).state_type is StateType.CRASHED
    assert execution.end_attempt(run.id, run.epoch, "again", late=True) is False


def test_a_late_attempt_of_a_deployment_is_tried_again_by_whoever_starts_its_runs(
    execution: Execution, stage: Stage
) -> None:
    run = stage.scheduled(deployment_id=uuid7(), empirical_policy=FlowRunPolicy(retries=1, retry_delay=30))
    for last in (False, True):
        (mine,) = claim(execution, stage, presence=BEATING)
        stage.propose(run, StateType.RUNNING, epoch=mine.epoch, presence=BEATING)
        task = stage.made(run.id)
        stage.deliver(task, *stage.story(task)[:2], attempts={run.id: mine.epoch})
        assert execution.end_attempt(run.id, mine.epoch, "It was late.", late=True) is True
        assert execution.read_task_run(task.id).state_type is StateType.CRASHED
        assert claim(execution, stage, presence=BEATING) == []
        after = execution.read_flow_run(run.id)
        if last:
            assert (after.state_type, after.state_name) == (StateType.FAILED, "TimedOut")
        else:
            assert (after.state_type, after.state_name) == (StateType.SCHEDULED, "AwaitingRetry")
            assert after.state is not None
            assert after.state.message == "It was late."
        stage.clock.advance(30)


def test_the_end_of_an_attempt_means_nothing_to_a_run_that_is_not_its_any_more(
    execution: Execution, stage: Stage
) -> None:
    done, suspended, offered = (stage.scheduled(deployment_id=uuid7()) for _ in range(3))
    epochs = {each.flow_run.id: each.epoch for each in claim(execution, stage, presence=BEATING)}
    for run in (done, suspended, offered):
        stage.propose(run, StateType.RUNNING, epoch=epochs[run.id], presence=BEATING)
    stage.propose(done, StateType.COMPLETED, epoch=epochs[done.id])
    stage.propose(suspended, StateType.PAUSED, "Suspended", epoch=epochs[suspended.id], pause_reschedule=True)
    stage.propose(offered, StateType.SCHEDULED, epoch=epochs[offered.id])
    for run in (done, suspended, offered):
        assert execution.end_attempt(run.id, epochs[run.id], "its process is gone") is False
    types = [execution.read_flow_run(run.id).state_type for run in (done, suspended, offered)]
    assert types == [StateType.COMPLETED, StateType.PAUSED, StateType.SCHEDULED]


def test_a_run_whose_attempt_ends_while_it_is_cancelled_is_cancelled(execution: Execution, stage: Stage) -> None:
    run = stage.scheduled()
    (mine,) = claim(execution, stage, presence=BEATING)
    stage.propose(run, StateType.RUNNING, epoch=mine.epoch, presence=BEATING)
    stage.propose(run, StateType.CANCELLING)
    assert execution.end_attempt(run.id, mine.epoch, "killed") is True
    assert execution.read_flow_run(run.id).state_type is StateType.CANCELLED
