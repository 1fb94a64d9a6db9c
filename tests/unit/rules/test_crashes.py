"""Whether a run whose attempt has died goes on in another, and what follows from that."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from headrace.base.clock import to_datetime
from headrace.rules.verdicts import (
    Accept,
    ChangePolicy,
    CrashTaskRuns,
    FlowRunFacts,
    Offer,
    RaiseEpoch,
    Reject,
    ReleaseLease,
    ReleaseSlot,
)
from headrace.schema.run import FlowRunPolicy
from headrace.schema.state import StateType
from tests.unit.rules.test_flow_policy import (
    ASKED,
    CANCELLED,
    CANCELLING,
    COMPLETED,
    CRASHED,
    DEPLOYMENT,
    FAILED,
    LATER,
    NOW,
    PARENT,
    PAUSED,
    PENDING,
    RUNNING,
    SCHEDULED,
    accepted,
    decide,
    facts,
    proposed,
    rejected,
    replaced,
    state,
)

DIED = proposed(CRASHED, message="The process has died.")


def resumable(**what: Any) -> FlowRunFacts:
    """A run of a deployment whose flow says that it is to go on."""
    policy: dict[str, Any] = {"on_crash": "resume", "max_resumes": 3}
    known: dict[str, Any] = {"deployment_id": DEPLOYMENT}
    for name, value in what.items():
        (policy if name in FlowRunPolicy.__struct_fields__ else known)[name] = value
    return facts(policy=FlowRunPolicy(**policy), **known)


@pytest.mark.parametrize("source", [PENDING, RUNNING, SCHEDULED])
def test_a_crashed_run_is_scheduled_again_at_once(source: StateType) -> None:
    again = replaced(decide(state(source, scheduled_time=LATER), DIED, resumable()))
    assert (again.type, again.name) == (SCHEDULED, "Resuming")
    assert again.message == "The process has died. The run is resumed (1 of 3 times)."
    assert again.state_details.scheduled_time == to_datetime(NOW)


def test_a_crash_that_is_told_without_words_is_told_in_ours() -> None:
    again = replaced(decide(state(RUNNING), proposed(CRASHED), resumable()))
    assert again.message == "The attempt has died. The run is resumed (1 of 3 times)."


def test_its_attempt_is_over_and_somebody_has_to_start_it() -> None:
    verdict = rejected(decide(state(RUNNING), DIED, resumable(pause_keys=["1"], resuming=True, resumes=1)))
    counted = FlowRunPolicy(on_crash="resume", max_resumes=3, pause_keys=["1"], resuming=True, resumes=2)
    assert verdict.effects == (
        RaiseEpoch(),
        ReleaseLease(),
        Offer(),
        ChangePolicy(counted),
        CrashTaskRuns(),
        ReleaseSlot(),
    )


def test_one_that_says_of_itself_that_it_crashes_goes_on_as_well() -> None:
    effects = rejected(decide(state(RUNNING), DIED, resumable(), epoch=1)).effects
    assert RaiseEpoch() not in effects  # whoever takes it begins the next attempt
    assert all(effect in effects for effect in (ReleaseLease(), Offer(), CrashTaskRuns()))


@pytest.mark.parametrize(
    "known",
    [
        resumable(on_crash="fail"),
        resumable(on_crash=None),
        resumable(deployment_id=None),
        resumable(parent_task_run_id=PARENT),
        resumable(max_resumes=0),
        resumable(max_resumes=None),
        resumable(resumes=3),
    ],
)
def test_a_crash_is_final_without_leave_without_anybody_to_start_it_and_after_too_many(known: FlowRunFacts) -> None:
    verdict = accepted(decide(state(RUNNING), DIED, known))
    assert verdict.state.type is CRASHED
    assert CrashTaskRuns() in verdict.effects


@pytest.mark.parametrize(("resumes", "again"), [(None, True), (0, True), (2, True), (3, False), (4, False)])
def test_a_run_is_resumed_only_so_often(resumes: int | None, again: bool) -> None:
    verdict = decide(state(RUNNING), DIED, resumable(resumes=resumes))
    assert isinstance(verdict, Reject if again else Accept)


@pytest.mark.parametrize("target", [COMPLETED, FAILED, CANCELLED])
def test_only_a_crash_is_resumed(target: StateType) -> None:
    assert accepted(decide(state(RUNNING), proposed(target), resumable())).state.type is target


def test_a_paused_run_is_not_resumed_by_a_crash() -> None:
    assert accepted(decide(state(PAUSED), DIED, resumable())).state.type is CRASHED


def test_a_run_that_was_being_cancelled_is_cancelled_by_a_crash() -> None:
    assert replaced(decide(state(CANCELLING), DIED, resumable())).type is CANCELLED


def test_who_insists_on_a_crash_gets_it() -> None:
    assert accepted(decide(state(RUNNING), DIED, resumable(), force=True)).state.type is CRASHED


def test_a_crash_told_twice_is_counted_once() -> None:
    told = proposed(CRASHED, transition_id=ASKED)
    again = replaced(decide(state(RUNNING), told, resumable()))
    assert again.state_details.transition_id == ASKED
    stands = state(SCHEDULED, "Resuming", transition_id=ASKED)
    assert decide(stands, told, resumable()) == Reject("This transition has been made already.")


def test_a_run_that_is_opened_again_forgets_its_pauses_and_how_often_it_was_resumed() -> None:
    policy = FlowRunPolicy(on_crash="resume", max_resumes=3, resumes=3, pause_keys=["1"])
    verdict = accepted(decide(state(CRASHED), proposed(SCHEDULED), facts(policy=policy, deployment_id=DEPLOYMENT)))
    changed = [effect.policy for effect in verdict.effects if isinstance(effect, ChangePolicy)]
    assert [(policy.pause_keys, policy.resumes) for policy in changed] == [(None, None)]


def test_a_run_that_is_tried_again_does_not_forget_how_often_it_was_resumed() -> None:
    policy = FlowRunPolicy(retries=1, on_crash="resume", max_resumes=3, resumes=2)
    verdict = rejected(decide(state(RUNNING), proposed(FAILED), facts(policy=policy, deployment_id=DEPLOYMENT)))
    assert [effect.policy.resumes for effect in verdict.effects if isinstance(effect, ChangePolicy)] == [2]


def test_a_run_that_is_resumed_gives_its_slot_back() -> None:
    verdict = rejected(decide(state(RUNNING, deployment_concurrency_lease_id=uuid.UUID(int=9)), DIED, resumable()))
    assert verdict.state
    assert verdict.state.state_details.deployment_concurrency_lease_id is None
    assert ReleaseSlot() in verdict.effects
