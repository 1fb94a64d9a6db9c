import uuid
from datetime import timedelta
from typing import Any

import pytest

from headrace.base.clock import to_datetime
from headrace.rules.flow_policy import decide_flow_run
from headrace.rules.verdicts import (
    Abort,
    Accept,
    ChangePolicy,
    CrashTaskRuns,
    FlowRunFacts,
    MirrorOnParent,
    Offer,
    RaiseEpoch,
    Reject,
    ReleaseLease,
    ReleaseSlot,
    TakeLease,
    Transition,
    Verdict,
    Wait,
)
from headrace.schema.orchestration import Presence
from headrace.schema.run import FlowRunPolicy
from headrace.schema.state import TERMINAL, State, StateCreate, StateDetails, StateType

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType

NOW = 1_700_000_000_000_000
RUN, DEPLOYMENT, PARENT, ASKED = (uuid.UUID(int=number) for number in range(1, 5))
LOCK = Presence(kind="lock", name="alive-1")
LATER = to_datetime(NOW) + timedelta(seconds=30)
EARLIER = to_datetime(NOW) - timedelta(seconds=30)


def facts(**what: Any) -> FlowRunFacts:
    known: dict[str, Any] = {"flow_run_id": RUN, "now": NOW, "policy": FlowRunPolicy()}
    return FlowRunFacts(**known | what)


def state(type_: StateType, name: str | None = None, **details: Any) -> State:
    return State(type=type_, name=name, state_details=StateDetails(**details))


def proposed(type_: StateType, name: str | None = None, message: str | None = None, **details: Any) -> StateCreate:
    return StateCreate(type=type_, name=name, message=message, state_details=StateDetails(**details))


def decide(
    source: State | None,
    target: StateCreate,
    known: FlowRunFacts | None = None,
    *,
    epoch: int | None = None,
    presence: Presence | None = None,
    force: bool = False,
) -> Verdict:
    transition = Transition(source=source, target=target, epoch=epoch, presence=presence)
    return decide_flow_run(transition, known or facts(), force)


def accepted(verdict: Verdict) -> Accept:
    assert isinstance(verdict, Accept), verdict
    return verdict


def rejected(verdict: Verdict) -> Reject:
    assert isinstance(verdict, Reject), verdict
    return verdict


def replaced(verdict: Verdict) -> StateCreate:
    found = rejected(verdict).state
    assert found is not None
    return found


# the way through a run


@pytest.mark.parametrize(
    ("source", "target", "epoch", "effects"),
    [
        (None, PENDING, None, ()),
        (None, SCHEDULED, None, (ReleaseLease(), Offer())),
        (None, RUNNING, None, (RaiseEpoch(),)),
        (SCHEDULED, PENDING, None, (RaiseEpoch(),)),
        (SCHEDULED, SCHEDULED, None, (ReleaseLease(), Offer())),
        (PENDING, RUNNING, None, (RaiseEpoch(),)),
        (PENDING, RUNNING, 1, ()),
        (PENDING, SCHEDULED, None, (RaiseEpoch(), ReleaseLease(), Offer())),
        (PENDING, SCHEDULED, 1, (ReleaseLease(), Offer())),
        (RUNNING, RUNNING, None, (RaiseEpoch(),)),
        (RUNNING, PAUSED, 1, ()),
        (PAUSED, RUNNING, None, ()),
        (RUNNING, CANCELLING, None, ()),
        (CANCELLING, CANCELLED, None, (ReleaseLease(),)),
        (RUNNING, COMPLETED, 1, (ReleaseLease(),)),
        (RUNNING, FAILED, 1, (ReleaseLease(),)),
        (RUNNING, CRASHED, None, (ReleaseLease(), CrashTaskRuns())),
        (PAUSED, FAILED, 1, (ReleaseLease(),)),
    ],
)
def test_a_step_of_the_table_is_accepted_with_what_follows_from_it(
    source: StateType | None, target: StateType, epoch: int | None, effects: tuple[object, ...]
) -> None:
    verdict = accepted(decide(state(source) if source else None, proposed(target), epoch=epoch))
    assert verdict.effects == effects
    assert verdict.state.name == target.capitalize()
    assert verdict.state.state_details.flow_run_id == RUN


@pytest.mark.parametrize("target", [PENDING, RUNNING])
def test_presence_takes_the_lease(target: StateType) -> None:
    verdict = accepted(decide(state(SCHEDULED), proposed(target), presence=LOCK))
    assert verdict.effects == (RaiseEpoch(), TakeLease(LOCK))


def test_an_attempt_that_nobody_watches_has_no_lease() -> None:
    verdict = accepted(decide(state(PENDING), proposed(RUNNING), presence=Presence(kind="none"), epoch=1))
    assert verdict.effects == (ReleaseLease(),)


def test_what_is_no_step_of_the_table_is_aborted() -> None:
    assert decide(None, proposed(CANCELLING)) == Abort("A flow run cannot go from nowhere to CANCELLING.")


def test_a_subflow_is_mirrored_on_its_parent() -> None:
    verdict = accepted(decide(state(RUNNING), proposed(COMPLETED), facts(parent_task_run_id=PARENT), epoch=1))
    assert verdict.effects == (ReleaseLease(), MirrorOnParent())
    assert verdict.state.state_details.task_run_id == PARENT


# repeated requests


@pytest.mark.parametrize("force", [False, True])
def test_the_same_transition_again_changes_nothing(force: bool) -> None:
    source = state(RUNNING, transition_id=ASKED)
    assert rejected(decide(source, proposed(RUNNING, transition_id=ASKED), force=force)).state is None


@pytest.mark.parametrize("known", [None, DEPLOYMENT])
def test_another_transition_is_another_request(known: uuid.UUID | None) -> None:
    source = state(PENDING, transition_id=known)
    accepted(decide(source, proposed(RUNNING, transition_id=ASKED)))


# claiming


@pytest.mark.parametrize("source", [state(PENDING), state(PENDING, "Submitting")])
@pytest.mark.parametrize("named", [True, False])
def test_a_second_claim_is_aborted(source: State, named: bool) -> None:
    assert isinstance(decide(source, proposed(PENDING, source.name if named else None)), Abort)


def test_a_claim_moves_on_under_another_name_and_keeps_its_time_and_slot() -> None:
    source = state(PENDING, scheduled_time=LATER, deployment_concurrency_lease_id=ASKED)
    verdict = accepted(decide(source, proposed(PENDING, "Submitting")))
    assert verdict.effects == ()
    assert verdict.state.state_details.scheduled_time == LATER
    assert verdict.state.state_details.deployment_concurrency_lease_id == ASKED


@pytest.mark.parametrize("source", [RUNNING, CANCELLING, PAUSED, *sorted(TERMINAL)])
def test_what_does_not_wait_cannot_be_claimed(source: StateType) -> None:
    assert isinstance(decide(state(source), proposed(PENDING)), Abort)


def test_a_claim_takes_the_scheduled_time_along() -> None:
    assert (
        accepted(decide(state(SCHEDULED, scheduled_time=LATER), proposed(PENDING))).state.state_details.scheduled_time
        == LATER
    )
    own = proposed(PENDING, scheduled_time=EARLIER)
    assert accepted(decide(state(SCHEDULED, scheduled_time=LATER), own)).state.state_details.scheduled_time == EARLIER


# time


@pytest.mark.parametrize("source", [SCHEDULED, PENDING])
def test_a_run_waits_for_its_time(source: StateType) -> None:
    assert decide(state(source, scheduled_time=LATER), proposed(RUNNING)) == Wait("The run's time has not come.", 30.0)
    accepted(decide(state(source, scheduled_time=EARLIER), proposed(RUNNING)))
    accepted(decide(state(source), proposed(RUNNING)))


@pytest.mark.parametrize(
    ("source", "given", "time"),
    [
        (None, None, to_datetime(NOW)),
        (None, LATER, LATER),
        (state(SCHEDULED, scheduled_time=EARLIER), None, EARLIER),
        (state(PENDING, scheduled_time=EARLIER), None, to_datetime(NOW)),
    ],
)
def test_every_scheduled_state_has_a_time(source: State | None, given: Any, time: Any) -> None:
    verdict = accepted(decide(source, proposed(SCHEDULED, scheduled_time=given)))
    assert verdict.state.state_details.scheduled_time == time


def test_only_a_scheduled_run_becomes_late_and_only_once() -> None:
    verdict = accepted(decide(state(SCHEDULED, scheduled_time=EARLIER), proposed(SCHEDULED, "Late")))
    assert verdict.state.state_details.scheduled_time == EARLIER
    for source in (None, state(PENDING), state(SCHEDULED, "Late")):
        assert rejected(decide(source, proposed(SCHEDULED, "Late"))).state is None


# ends


@pytest.mark.parametrize("source", sorted(TERMINAL))
@pytest.mark.parametrize("target", [RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING, SCHEDULED])
def test_terminal_is_final(source: StateType, target: StateType) -> None:
    assert rejected(decide(state(source), proposed(target))).state is None


@pytest.mark.parametrize("source", sorted(TERMINAL))
def test_a_deployments_run_can_be_run_again_as_a_new_attempt(source: StateType) -> None:
    policy = FlowRunPolicy(pause_keys=["1"], resuming=True, retry_type="in_process")
    known = facts(deployment_id=DEPLOYMENT, policy=policy)
    verdict = accepted(
        decide(state(source, deployment_concurrency_lease_id=ASKED), proposed(SCHEDULED), known, epoch=1)
    )
    clean = FlowRunPolicy(pause_keys=None, resuming=False)
    assert verdict.effects == (RaiseEpoch(), ReleaseLease(), Offer(), ChangePolicy(clean))
    assert verdict.state.state_details.deployment_concurrency_lease_id is None


@pytest.mark.parametrize(("target", "raised"), [(COMPLETED, False), (RUNNING, True), (PENDING, True)])
def test_force_opens_what_was_final(target: StateType, raised: bool) -> None:
    verdict = accepted(decide(state(FAILED), proposed(target), force=True))
    assert (RaiseEpoch() in verdict.effects) is raised
    assert (ReleaseLease() in verdict.effects) is not raised


# retries


def test_a_failure_its_process_has_given_up_on_is_final() -> None:
    policy = FlowRunPolicy(retries=3)
    target = proposed(FAILED, retriable=False)
    assert isinstance(decide(state(RUNNING), target, facts(policy=policy, run_count=1), epoch=1), Accept)


def test_a_failure_with_retries_left_is_tried_again_in_its_process() -> None:
    policy = FlowRunPolicy(retries=2, retry_delay=30, pause_keys=["1"])
    target = proposed(FAILED, message="no luck", transition_id=ASKED)
    verdict = rejected(decide(state(RUNNING), target, facts(policy=policy, run_count=2), epoch=1))
    again = replaced(verdict)
    assert (again.type, again.name, again.message) == (SCHEDULED, "AwaitingRetry", "no luck")
    assert again.state_details.scheduled_time == LATER
    assert again.state_details.transition_id == ASKED
    kept = FlowRunPolicy(retries=2, retry_delay=30, resuming=False, retry_type="in_process")
    assert verdict.effects == (ChangePolicy(kept),)


def test_a_client_without_an_epoch_is_tried_again_alike() -> None:
    verdict = rejected(decide(state(RUNNING), proposed(FAILED), facts(policy=FlowRunPolicy(retries=1), run_count=1)))
    assert RaiseEpoch() not in verdict.effects


def test_a_failure_may_be_tried_again_by_whoever_claims_it() -> None:
    policy = FlowRunPolicy(retries=1, retry_type="reschedule")
    verdict = rejected(decide(state(RUNNING), proposed(FAILED), facts(policy=policy, run_count=1), epoch=1))
    kept = FlowRunPolicy(retries=1, retry_type="reschedule", resuming=False)
    assert verdict.effects == (ReleaseLease(), Offer(), ChangePolicy(kept))


@pytest.mark.parametrize(
    ("policy", "run_count", "again"),
    [
        (FlowRunPolicy(), 1, False),
        (FlowRunPolicy(max_retries=1), 1, True),
        (FlowRunPolicy(max_retries=1), 2, False),
        (FlowRunPolicy(max_retries=1, retries=0), 1, False),
    ],
)
def test_retries_are_used_up(policy: FlowRunPolicy, run_count: int, again: bool) -> None:
    verdict = decide(state(RUNNING), proposed(FAILED), facts(policy=policy, run_count=run_count))
    assert isinstance(verdict, Reject) is again


@pytest.mark.parametrize(("source", "target"), [(PENDING, FAILED), (RUNNING, CRASHED)])
def test_only_the_flows_own_failure_is_tried_again(source: StateType, target: StateType) -> None:
    accepted(decide(state(source), proposed(target), facts(policy=FlowRunPolicy(retries=5))))


# cancelling


@pytest.mark.parametrize("target", [RUNNING, COMPLETED, FAILED, PAUSED, SCHEDULED, CANCELLING])
def test_cancelling_can_only_become_cancelled(target: StateType) -> None:
    assert rejected(decide(state(CANCELLING), proposed(target))).state is None


@pytest.mark.parametrize(
    ("message", "kept"),
    [("the process died", "the process died"), (None, "The run ended while it was being cancelled.")],
)
def test_a_crash_of_a_cancelling_run_is_its_cancellation(message: str | None, kept: str) -> None:
    verdict = rejected(decide(state(CANCELLING), proposed(CRASHED, message=message)))
    ended = replaced(verdict)
    assert (ended.type, ended.message) == (CANCELLED, kept)
    assert verdict.effects == (ReleaseLease(),)


@pytest.mark.parametrize(
    ("source", "held"),
    [
        (state(SCHEDULED), False),
        (state(SCHEDULED, "AwaitingRetry"), True),
        (state(PENDING), False),
        (state(PAUSED, "Suspended", pause_reschedule=True), False),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_what_nothing_executes_is_cancelled_at_once(source: State, held: bool, force: bool) -> None:
    target = proposed(CANCELLING, message="enough", transition_id=ASKED)
    ended = replaced(decide(source, target, facts(held=held), force=force))
    assert (ended.type, ended.name, ended.message) == (CANCELLED, "Cancelled", "enough")
    assert ended.state_details.transition_id == ASKED


@pytest.mark.parametrize(("source", "held"), [(state(PENDING), True), (state(RUNNING), False), (state(PAUSED), True)])
def test_what_is_executed_is_told_to_end(source: State, held: bool) -> None:
    accepted(decide(source, proposed(CANCELLING), facts(held=held)))


# pausing


def test_a_pause_fires_once_and_is_remembered() -> None:
    verdict = accepted(
        decide(state(RUNNING), proposed(PAUSED, pause_key="2"), facts(policy=FlowRunPolicy(pause_keys=["1"])))
    )
    assert verdict.effects == (ChangePolicy(FlowRunPolicy(pause_keys=["1", "2"])),)
    assert rejected(
        decide(state(RUNNING), proposed(PAUSED, pause_key="1"), facts(policy=FlowRunPolicy(pause_keys=["1"])))
    ) == Reject("This pause has already fired.")


@pytest.mark.parametrize("source", [SCHEDULED, PENDING, PAUSED])
def test_only_running_flows_pause(source: StateType) -> None:
    assert rejected(decide(state(source), proposed(PAUSED))).state is None


def test_a_run_may_be_created_paused() -> None:
    accepted(decide(None, proposed(PAUSED)))


def test_suspending_needs_a_deployment_and_no_parent() -> None:
    target = proposed(PAUSED, "Suspended", pause_reschedule=True, pause_key="1")
    assert isinstance(decide(state(RUNNING), target), Abort)
    assert isinstance(decide(state(RUNNING), target, facts(deployment_id=DEPLOYMENT, parent_task_run_id=PARENT)), Abort)
    verdict = accepted(decide(state(RUNNING), target, facts(deployment_id=DEPLOYMENT), epoch=1))
    assert verdict.effects == (ReleaseLease(), ChangePolicy(FlowRunPolicy(pause_keys=["1"])), ReleaseSlot())


def test_a_run_suspended_by_somebody_else_is_taken_out_of_its_attempts_hands() -> None:
    target = proposed(PAUSED, "Suspended", pause_reschedule=True)
    verdict = accepted(decide(state(RUNNING), target, facts(deployment_id=DEPLOYMENT)))
    assert verdict.effects == (RaiseEpoch(), ReleaseLease(), ReleaseSlot())
    created = accepted(decide(None, target, facts(deployment_id=DEPLOYMENT)))
    assert created.effects == (ReleaseLease(),)


def test_a_suspended_run_resumes_from_the_top() -> None:
    source = state(PAUSED, "Suspended", pause_reschedule=True, pause_timeout=LATER)
    for target in (proposed(SCHEDULED, "Resuming"), proposed(RUNNING)):
        verdict = decide(source, target, facts(deployment_id=DEPLOYMENT))
        assert isinstance(verdict, Accept | Reject)
        assert verdict.state
        assert (verdict.state.type, verdict.state.name) == (SCHEDULED, "Resuming")
        assert verdict.effects == (ReleaseLease(), Offer(), ChangePolicy(FlowRunPolicy(resuming=True)))


def test_a_waiting_process_resumes_where_it_stands() -> None:
    assert replaced(decide(state(PAUSED), proposed(SCHEDULED, "Resuming"), facts(held=True))).type is RUNNING
    assert accepted(decide(state(PAUSED), proposed(RUNNING), facts(held=True), epoch=1)).effects == ()


def test_a_waiting_process_that_is_gone_resumes_from_the_top() -> None:
    assert Offer() in accepted(decide(state(PAUSED), proposed(SCHEDULED, "Resuming"))).effects


@pytest.mark.parametrize("target", [RUNNING, SCHEDULED])
def test_a_pause_that_has_timed_out_fails(target: StateType) -> None:
    ended = replaced(decide(state(PAUSED, pause_timeout=EARLIER), proposed(target)))
    assert (ended.type, ended.message) == (FAILED, "The run was paused and not resumed in time.")


def test_going_on_after_a_pause_ends_the_resuming() -> None:
    policy = FlowRunPolicy(resuming=True)
    verdict = accepted(decide(state(PENDING), proposed(RUNNING), facts(policy=policy), epoch=2))
    assert verdict.effects == (ChangePolicy(FlowRunPolicy(resuming=False)),)
