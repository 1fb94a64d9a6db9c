from concurrent.futures import ThreadPoolExecutor

import pytest

from headrace.base.errors import ObjectNotFound, StaleEpoch
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.orchestration import Beat, ClaimRequest, Decision, Presence, Proposal, Verb
from headrace.schema.run import FlowRunPolicy
from headrace.schema.state import StateCreate, StateDetails, StateType
from tests.conformance.scenes import NOBODY, Stage

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType


def answer(decision: Decision) -> tuple[Verb, StateType | None, bool]:
    return decision.verb, decision.state and decision.state.type, decision.written


def test_an_accepted_state_is_the_runs_state(execution: Execution, stage: Stage) -> None:
    run = stage.run()
    decision = stage.propose(run, RUNNING, "Retrying", message="once more")
    assert answer(decision) == (Verb.ACCEPT, RUNNING, True)
    assert decision.reason is None
    assert decision.flow_run == execution.read_flow_run(run.id)
    assert decision.state == decision.flow_run.state
    assert decision.state
    assert (decision.state.name, decision.state.message) == ("Retrying", "once more")


def test_a_rejected_proposal_says_why_and_where_the_run_is(stage: Stage) -> None:
    run = stage.ended()
    decision = stage.propose(run, RUNNING)
    assert answer(decision) == (Verb.REJECT, COMPLETED, False)
    assert "ended" in (decision.reason or "")


def test_a_run_waits_for_its_time(stage: Stage) -> None:
    run = stage.scheduled(30)
    decision = stage.propose(run, RUNNING)
    assert answer(decision) == (Verb.WAIT, SCHEDULED, False)
    assert decision.delay == 30.0
    stage.clock.advance(30)
    assert stage.propose(run, RUNNING).verb is Verb.ACCEPT


def test_a_second_claim_is_aborted(stage: Stage) -> None:
    run = stage.scheduled()
    assert answer(stage.propose(run, PENDING)) == (Verb.ACCEPT, PENDING, True)
    assert answer(stage.propose(run, PENDING)) == (Verb.ABORT, PENDING, False)
    moved = stage.propose(run, PENDING, "Submitting")
    assert answer(moved) == (Verb.ACCEPT, PENDING, True)
    assert moved.state
    assert moved.state.state_details.scheduled_time == stage.now


def test_of_many_claims_at_once_one_wins(execution: Execution, administration: Administration, stage: Stage) -> None:
    run = stage.scheduled()

    def claim(_: int) -> Verb:
        return execution.propose_flow_run_state(Proposal(flow_run_id=run.id, state=StateCreate(type=PENDING))).verb

    with ThreadPoolExecutor(8) as threads:
        verbs = sorted(threads.map(claim, range(16)))
    assert verbs == [Verb.ABORT] * 15 + [Verb.ACCEPT]
    assert len(administration.list_flow_run_states(run.id)) == 2


def test_a_proposal_whose_answer_was_lost_is_made_again(administration: Administration, stage: Stage) -> None:
    run, asked = stage.run(), uuid7()
    first = stage.propose(run, RUNNING, transition_id=asked)
    again = stage.propose(run, RUNNING, transition_id=asked)
    assert answer(again) == (Verb.REJECT, RUNNING, False)
    assert (again.state, again.epoch) == (first.state, first.epoch)
    assert len(administration.list_flow_run_states(run.id)) == 2


def test_a_run_that_does_not_exist_is_not_found(execution: Execution) -> None:
    with pytest.raises(ObjectNotFound):
        execution.propose_flow_run_state(Proposal(flow_run_id=uuid7(), state=StateCreate(type=RUNNING)))


# attempts


def test_each_attempt_has_its_epoch(stage: Stage) -> None:
    run = stage.run()
    assert run.epoch == 0
    first = stage.propose(run, RUNNING)
    assert first.epoch == first.flow_run.epoch == 1
    second = stage.propose(run, RUNNING)
    assert second.epoch == 2
    assert stage.propose(run, COMPLETED, epoch=2).epoch == 2


def test_a_stale_epoch_is_refused_and_its_batch_stored(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    stage.propose(run, RUNNING)
    task = stage.made()
    with pytest.raises(StaleEpoch, match="Attempt 1"):
        stage.propose(run, COMPLETED, epoch=1, batch=stage.batch(task))
    assert execution.read_task_run(task.id).name == task.name
    assert execution.read_flow_run(run.id).state_type is RUNNING


def test_a_batch_is_stored_whatever_is_decided(execution: Execution, stage: Stage) -> None:
    run = stage.ended()
    task = stage.made(run.id)
    batch = stage.batch(task, *stage.story(task))
    assert stage.propose(run, RUNNING, batch=batch).verb is Verb.REJECT
    assert execution.read_task_run(task.id).state_type is COMPLETED
    assert execution.deliver(batch) == batch.last


def test_a_rerun_is_a_new_attempt(stage: Stage) -> None:
    run = stage.ended(FAILED, deployment_id=uuid7())
    stage.clock.advance(60)
    again = stage.propose(run, SCHEDULED)
    assert answer(again) == (Verb.ACCEPT, SCHEDULED, True)
    assert again.epoch == run.epoch + 1
    assert (again.flow_run.end_time, again.flow_run.start_time) == (None, run.start_time)
    with pytest.raises(StaleEpoch):
        stage.propose(run, COMPLETED, epoch=run.epoch)
    assert stage.propose(run, RUNNING).flow_run.run_count == 2


def test_without_a_deployment_terminal_is_final(stage: Stage) -> None:
    assert answer(stage.propose(stage.ended(), SCHEDULED)) == (Verb.REJECT, COMPLETED, False)


def test_force_passes_over_the_policies(stage: Stage) -> None:
    run = stage.ended(FAILED)
    corrected = stage.propose(run, COMPLETED, force=True)
    assert answer(corrected) == (Verb.ACCEPT, COMPLETED, True)
    assert corrected.flow_run.end_time == run.end_time


# retries


def test_a_failure_with_retries_left_is_tried_again(stage: Stage) -> None:
    run = stage.running(empirical_policy=FlowRunPolicy(retries=1, retry_delay=5))
    failed = stage.propose(run, FAILED, message="no luck", epoch=1)
    assert answer(failed) == (Verb.REJECT, SCHEDULED, True)
    assert failed.state
    assert (failed.state.name, failed.state.message) == ("AwaitingRetry", "no luck")
    assert failed.state.state_details.scheduled_time == stage.after(5)
    assert failed.flow_run.next_scheduled_start_time is None
    assert stage.propose(run, RUNNING, "Retrying", epoch=1).verb is Verb.WAIT
    stage.clock.advance(5)
    retrying = stage.propose(run, RUNNING, "Retrying", epoch=1)
    assert (retrying.verb, retrying.epoch, retrying.flow_run.run_count) == (Verb.ACCEPT, 1, 2)
    assert answer(stage.propose(run, FAILED, epoch=1)) == (Verb.ACCEPT, FAILED, True)


def test_a_run_that_tries_again_in_its_process_is_nobody_elses(execution: Execution, stage: Stage) -> None:
    run = stage.running(empirical_policy=FlowRunPolicy(retries=1))
    stage.propose(run, FAILED, epoch=1)
    assert execution.claim_flow_runs(ClaimRequest(claimant="w", before=stage.after(60), limit=10)) == []


def test_a_run_may_be_tried_again_by_whoever_claims_it(execution: Execution, stage: Stage) -> None:
    run = stage.running(empirical_policy=FlowRunPolicy(retries=1, retry_type="reschedule"), presence=NOBODY)
    stage.propose(run, FAILED, epoch=1)
    assert execution.crash_if_dead() == 0
    claims = execution.claim_flow_runs(ClaimRequest(claimant="w", before=stage.after(60), limit=10))
    assert [(claim.flow_run.id, claim.epoch) for claim in claims] == [(run.id, 2)]


# cancelling


def test_what_nothing_executes_is_cancelled_at_once(stage: Stage) -> None:
    for run in (stage.scheduled(), stage.run()):
        assert answer(stage.propose(run, CANCELLING)) == (Verb.REJECT, CANCELLED, True)


def test_what_somebody_holds_is_told_to_end(stage: Stage) -> None:
    held = stage.scheduled()
    stage.propose(held, PENDING, presence=NOBODY)
    for run in (held, stage.running()):
        assert answer(stage.propose(run, CANCELLING)) == (Verb.ACCEPT, CANCELLING, True)
        assert answer(stage.propose(run, COMPLETED)) == (Verb.REJECT, CANCELLING, False)
        crashed = stage.propose(run, CRASHED, message="killed")
        assert answer(crashed) == (Verb.REJECT, CANCELLED, True)
        assert crashed.state
        assert crashed.state.message == "killed"


# pausing


def test_a_pause_fires_once_and_the_run_goes_on(stage: Stage) -> None:
    run = stage.running()
    paused = stage.propose(run, PAUSED, epoch=1, pause_key="1", pause_timeout=stage.after(300))
    assert answer(paused) == (Verb.ACCEPT, PAUSED, True)
    assert paused.flow_run.empirical_policy.pause_keys == ["1"]
    resumed = stage.propose(run, RUNNING)
    assert (resumed.verb, resumed.epoch, resumed.flow_run.run_count) == (Verb.ACCEPT, 1, 1)
    assert answer(stage.propose(run, PAUSED, epoch=1, pause_key="1")) == (Verb.REJECT, RUNNING, False)


def test_a_suspended_run_starts_again_from_the_top(execution: Execution, stage: Stage) -> None:
    run = stage.running(deployment_id=uuid7(), presence=NOBODY)
    stage.propose(run, PAUSED, "Suspended", epoch=1, pause_reschedule=True, pause_key="1")
    assert execution.crash_if_dead() == 0
    resuming = stage.propose(run, RUNNING)
    assert answer(resuming) == (Verb.REJECT, SCHEDULED, True)
    assert resuming.state
    assert resuming.state.name == "Resuming"
    (claim,) = execution.claim_flow_runs(ClaimRequest(claimant="w", before=stage.after(1), limit=1))
    again = stage.propose(run, RUNNING, epoch=claim.epoch)
    assert (again.flow_run.run_count, again.flow_run.empirical_policy.resuming) == (1, False)
    assert stage.propose(run, PAUSED, epoch=claim.epoch, pause_key="1").verb is Verb.REJECT


def test_a_pause_times_out(stage: Stage) -> None:
    run = stage.running()
    stage.propose(run, PAUSED, pause_timeout=stage.after(10))
    stage.clock.advance(11)
    assert answer(stage.propose(run, RUNNING)) == (Verb.REJECT, FAILED, True)


# parents


def test_a_childs_states_are_its_parents_task_runs_states(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    parent = stage.running()
    task = stage.made(parent.id)
    stage.deliver(task)
    child = stage.run(flow="child", parent_task_run_id=task.id)
    stage.clock.advance(1)
    stage.propose(child, RUNNING)
    stage.clock.advance(5)
    ended = stage.propose(child, COMPLETED, data={"storage_key": "k"}, message="done")
    mirrored = execution.read_task_run(task.id)
    assert mirrored.state
    assert (mirrored.state_type, mirrored.run_count, mirrored.total_run_time) == (COMPLETED, 1, 5.0)
    assert (mirrored.state.message, mirrored.state.data) == ("done", {"storage_key": "k"})
    assert mirrored.state.state_details.child_flow_run_id == child.id
    assert mirrored.end_time == ended.flow_run.end_time
    names = [state.name for state in administration.list_task_run_states(task.id)]
    assert names == ["Pending", "Running", "Completed"]


# leases


def test_beats_are_answered_with_the_attempts_that_are_over(execution: Execution, stage: Stage) -> None:
    beating = Presence(kind="beat", interval=30)
    alive, taken, ended, silent = (stage.running(presence=beating) for _ in range(4))
    stage.propose(taken, RUNNING, presence=beating)
    stage.propose(ended, COMPLETED, epoch=1)
    stage.propose(silent, RUNNING, epoch=1, presence=Presence(kind="none"))
    gone = uuid7()
    beats = [Beat(flow_run_id=run.id, epoch=1) for run in (alive, taken, ended, silent)]
    fenced = execution.beat([*beats, Beat(flow_run_id=gone, epoch=1), Beat(flow_run_id=taken.id, epoch=2)])
    assert fenced == [taken.id, ended.id, gone]


def test_a_run_whose_process_died_is_crashed_with_its_task_runs(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    run = stage.running(presence=NOBODY)
    mine = stage.running(presence=execution.presence())
    done, undone = stage.made(run.id), stage.made(run.id)
    stage.deliver(done, undone, *stage.story(done), *stage.story(undone)[:2])
    execution.crash_if_dead()  # where a free lock may be one that is just being taken again, it is suspected first
    execution.crash_if_dead()
    crashed = execution.read_flow_run(run.id)
    assert crashed.state
    assert crashed.state.type is CRASHED
    assert crashed.state.message == "The process that executed this run has died."
    assert execution.read_flow_run(mine.id).state_type is RUNNING
    assert execution.read_task_run(done.id).state_type is COMPLETED
    ended = execution.read_task_run(undone.id)
    assert ended.state
    assert (ended.state.type, ended.state.message) == (CRASHED, crashed.state.message)
    assert [state.name for state in administration.list_task_run_states(undone.id)] == ["Pending", "Running", "Crashed"]
    assert execution.crash_if_dead() == 0


def test_what_a_task_tells_after_its_run_was_interrupted_is_history(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    run = stage.running()
    attempts = {run.id: 1}
    task, other = stage.made(run.id), stage.made(run.id)
    told = stage.story(task)
    stage.deliver(task, other, *told[:2], *stage.story(other)[:2], attempts=attempts)
    stage.clock.advance(3)
    stage.propose(run, CRASHED, epoch=1, message="interrupted")
    before = execution.last_cursor()
    stage.deliver(told[2], attempts=attempts)
    waiting = stage.state(other, 3, SCHEDULED, 6, 1, name="AwaitingRetry")
    stage.deliver(waiting, stage.state(other, 4, RUNNING, 7, 2, name="Retrying"), attempts=attempts)
    stage.deliver(stage.state(other, 5, FAILED, 8, 2), attempts=attempts)
    for each, names in ((task, ["Completed"]), (other, ["AwaitingRetry", "Retrying", "Failed"])):
        found = execution.read_task_run(each.id)
        assert found.state
        assert (found.state.type, found.state.message) == (CRASHED, "interrupted")
        states = administration.list_task_run_states(each.id)
        assert [state.name for state in states] == ["Pending", "Running", "Crashed", *names]
        assert len({state.id for state in states}) == len(states)
        for state in states:
            assert state.id
            assert administration.read_task_run_state(state.id) == state
        assert found.state.id == states[2].id
    assert not [event for event in execution.read_events(before).events if event.kind == "task-run"]


def test_what_an_interrupted_runs_task_had_done_by_then_counts(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    run = stage.running()
    task = stage.made(run.id)
    pending, started, ended = stage.story(task)
    stage.deliver(task, pending, started, attempts={run.id: 1})
    stage.clock.advance(60)
    stage.propose(run, CRASHED, epoch=1)
    stage.deliver(ended, attempts={run.id: 1})
    assert execution.read_task_run(task.id).state_type is COMPLETED
    states = administration.list_task_run_states(task.id)
    assert [state.name for state in states] == ["Pending", "Running", "Completed", "Crashed"]
    assert len({state.id for state in states}) == 4


def test_whoever_looks_sees_the_dead(administration: Administration, execution: Execution, stage: Stage) -> None:
    run = stage.running(presence=NOBODY)
    administration.count_flow_runs()
    stage.clock.advance(1)
    assert administration.read_flow_run(run.id).state_type is CRASHED


def test_a_cancelling_run_that_dies_is_cancelled(execution: Execution, stage: Stage) -> None:
    run = stage.running(presence=NOBODY)
    stage.propose(run, CANCELLING)
    execution.crash_if_dead()
    execution.crash_if_dead()
    assert execution.read_flow_run(run.id).state_type is CANCELLED


def test_a_lost_task_that_had_ended_is_shown_as_it_ended(execution: Execution, stage: Stage) -> None:
    run = stage.running(presence=NOBODY)
    task = stage.made(run.id)
    pending, started, ended = stage.story(task)
    stage.deliver(task, pending, started, attempts={run.id: 1})
    stage.clock.advance(60)
    execution.crash_if_dead()
    execution.crash_if_dead()
    stage.deliver(ended, attempts={run.id: 1})
    found = execution.read_task_run(task.id)
    assert (found.state_type, found.total_run_time) == (COMPLETED, 3.0)


def test_details_are_kept(stage: Stage, execution: Execution) -> None:
    run = stage.run()
    details = StateDetails(traceparent="00-abc", retriable=False, run_input_keyset={"schema": "s"})
    state = StateCreate(type=RUNNING, state_details=details)
    execution.propose_flow_run_state(Proposal(flow_run_id=run.id, state=state))
    found = execution.read_flow_run(run.id).state
    assert found
    assert (found.state_details.traceparent, found.state_details.retriable) == ("00-abc", False)
    assert found.state_details.run_input_keyset == {"schema": "s"}
