"""What the limit of a run's deployment, and a full work pool, mean for its steps."""

from typing import Any

import pytest

from headrace.rules.consequences import GRACE
from headrace.rules.flow_policy import decide_flow_run
from headrace.rules.slots import Place
from headrace.rules.verdicts import (
    Accept,
    KeepSlot,
    LeaveLine,
    Reject,
    ReleaseSlot,
    SlotFacts,
    StandInLine,
    TakeSlot,
    Transition,
    Verdict,
)
from headrace.schema.orchestration import Presence
from headrace.schema.state import TERMINAL, State, StateType
from tests.unit.rules.test_flow_policy import (
    ASKED,
    CANCELLED,
    CANCELLING,
    CRASHED,
    DEPLOYMENT,
    EARLIER,
    LOCK,
    PAUSED,
    PENDING,
    RUNNING,
    SCHEDULED,
    accepted,
    facts,
    proposed,
    rejected,
    state,
)

LINE = Place(3, 1.0)
SLOT_EFFECTS = (TakeSlot, KeepSlot, ReleaseSlot, StandInLine, LeaveLine)


def decide(source: State | None, target: StateType, name: str | None = None, **what: Any) -> Verdict:
    """The verdict for a run of a deployment; `slot` and the like are facts, the rest is of the transition."""
    known = {key: what.pop(key) for key in ("slot", "full") if key in what}
    force = what.pop("force", False)
    transition = Transition(source=source, target=proposed(target, name), **what)
    return decide_flow_run(transition, facts(deployment_id=DEPLOYMENT, **known), force)


def slot_effects(verdict: Accept | Reject) -> list[Any]:
    return [effect for effect in verdict.effects if isinstance(effect, SLOT_EFFECTS)]


def free(**what: Any) -> SlotFacts:
    return SlotFacts(lease_id=ASKED, **what)


def full(**what: Any) -> SlotFacts:
    return free(place=LINE, **what)


@pytest.mark.parametrize("source", [None, state(SCHEDULED), state(PENDING)])
@pytest.mark.parametrize("target", [PENDING, RUNNING])
def test_a_run_takes_a_slot_where_there_is_room(source: State | None, target: StateType) -> None:
    verdict = accepted(decide(source, target, "Submitting" if target is PENDING else None, slot=free()))
    assert slot_effects(verdict) == [TakeSlot(ASKED, GRACE if target is PENDING else None)]
    assert verdict.state.state_details.deployment_concurrency_lease_id == ASKED


@pytest.mark.parametrize(
    "source", [None, state(SCHEDULED, scheduled_time=EARLIER), state(PENDING, scheduled_time=EARLIER)]
)
@pytest.mark.parametrize("target", [PENDING, RUNNING])
def test_a_run_that_finds_no_room_stands_in_line(source: State | None, target: StateType) -> None:
    verdict = rejected(decide(source, target, "Submitting" if target is PENDING else None, slot=full()))
    assert verdict.state
    assert (verdict.state.type, verdict.state.name) == (SCHEDULED, "AwaitingConcurrencySlot")
    assert verdict.state.message == "As many runs of the deployment are executing as may. This one is number 3 in line."
    assert source is None or verdict.state.state_details.scheduled_time == EARLIER
    assert StandInLine() in verdict.effects
    assert verdict.state.state_details.deployment_concurrency_lease_id is None


@pytest.mark.parametrize("target", [PENDING, RUNNING])
def test_a_run_that_finds_no_room_is_cancelled_where_its_deployment_says_so(target: StateType) -> None:
    verdict = rejected(decide(state(SCHEDULED), target, slot=full(cancels=True)))
    assert verdict.state
    assert verdict.state.type is CANCELLED
    assert slot_effects(verdict) == []


def test_a_run_becomes_late_or_is_cancelled_then() -> None:
    late = rejected(decide(state(SCHEDULED), SCHEDULED, "Late", slot=full(cancels=True)))
    assert late.state
    assert late.state.type is CANCELLED
    assert accepted(decide(state(SCHEDULED), SCHEDULED, slot=full(cancels=True))).state.name == "Scheduled"
    for slot in (full(), free(cancels=True), None):
        assert accepted(decide(state(SCHEDULED), SCHEDULED, "Late", slot=slot)).state.name == "Late"


def test_a_run_without_a_limit_holds_nothing_and_waits_for_nothing() -> None:
    assert slot_effects(accepted(decide(state(SCHEDULED), PENDING))) == []


@pytest.mark.parametrize("source", [RUNNING, PAUSED])
def test_who_is_executing_is_not_put_in_line(source: StateType) -> None:
    accepted(decide(state(source), RUNNING, slot=full()))


@pytest.mark.parametrize(
    ("grace", "presence", "lasts"),
    [
        (None, None, GRACE),
        (None, Presence(), GRACE),
        (None, LOCK, None),
        (90, None, 90),
        (90, LOCK, 90),
    ],
)
def test_how_long_a_claim_may_take(grace: float | None, presence: Presence | None, lasts: float | None) -> None:
    verdict = accepted(decide(state(SCHEDULED), PENDING, slot=free(grace=grace), presence=presence))
    assert slot_effects(verdict) == [TakeSlot(ASKED, lasts)]


@pytest.mark.parametrize("renewal", [None, 300.0])
def test_a_slot_lasts_as_long_as_the_run_unless_it_is_renewed(renewal: float | None) -> None:
    source = state(PENDING, deployment_concurrency_lease_id=ASKED)
    verdict = accepted(decide(source, RUNNING, slot=free(held=True, grace=60), renewal=renewal))
    assert slot_effects(verdict) == [KeepSlot(ASKED, renewal)]
    assert verdict.state.state_details.deployment_concurrency_lease_id == ASKED


def test_a_slot_that_has_run_out_is_taken_anew_or_waited_for() -> None:
    source = state(PENDING, deployment_concurrency_lease_id=DEPLOYMENT)
    assert accepted(decide(source, RUNNING, slot=free())).state.state_details.deployment_concurrency_lease_id == ASKED
    assert slot_effects(rejected(decide(source, RUNNING, slot=full()))) == [ReleaseSlot(), StandInLine()]


@pytest.mark.parametrize("target", [*sorted(TERMINAL)])
@pytest.mark.parametrize("source", [PENDING, RUNNING])
def test_every_end_gives_the_slot_back(source: StateType, target: StateType) -> None:
    verdict = accepted(decide(state(source, deployment_concurrency_lease_id=ASKED), target))
    assert slot_effects(verdict) == [ReleaseSlot()]
    assert verdict.state.state_details.deployment_concurrency_lease_id is None


def test_who_is_started_again_gives_the_slot_back_and_who_waits_in_its_process_keeps_it() -> None:
    source = state(RUNNING, deployment_concurrency_lease_id=ASKED)
    assert slot_effects(accepted(decide(source, SCHEDULED))) == [ReleaseSlot()]
    waiting = accepted(decide(source, SCHEDULED, "AwaitingRetry", epoch=1))
    assert slot_effects(waiting) == []
    assert waiting.state.state_details.deployment_concurrency_lease_id == ASKED
    paused = accepted(decide(source, PAUSED))
    assert slot_effects(paused) == []
    assert slot_effects(accepted(decide(state(SCHEDULED, "AwaitingRetry"), CANCELLED))) == [ReleaseSlot()]


def test_what_held_nothing_gives_nothing_back() -> None:
    assert slot_effects(accepted(decide(state(SCHEDULED), CANCELLED))) == []
    assert slot_effects(accepted(decide(state(CRASHED), SCHEDULED))) == []
    assert slot_effects(accepted(decide(None, SCHEDULED))) == []


def test_who_waits_leaves_the_line_when_it_is_taken_cancelled_or_scheduled_otherwise() -> None:
    waiting = state(SCHEDULED, "AwaitingConcurrencySlot")
    assert slot_effects(accepted(decide(waiting, PENDING, slot=free()))) == [TakeSlot(ASKED, GRACE)]
    assert slot_effects(rejected(decide(waiting, CANCELLING))) == [LeaveLine()]
    assert slot_effects(accepted(decide(waiting, SCHEDULED))) == [LeaveLine()]
    assert slot_effects(rejected(decide(waiting, PENDING, slot=full()))) == [StandInLine()]


def test_somebody_who_insists_has_a_run_begin_without_a_slot() -> None:
    verdict = accepted(decide(state(PENDING, deployment_concurrency_lease_id=ASKED), RUNNING, slot=full(), force=True))
    assert slot_effects(verdict) == []
    assert verdict.state.state_details.deployment_concurrency_lease_id is None
    assert slot_effects(accepted(decide(state(SCHEDULED), RUNNING, slot=free(), force=True))) == [TakeSlot(ASKED, None)]


def test_a_lease_that_a_client_names_is_not_believed() -> None:
    transition = Transition(source=state(RUNNING), target=proposed(RUNNING, deployment_concurrency_lease_id=ASKED))
    verdict = accepted(decide_flow_run(transition, facts(deployment_id=DEPLOYMENT)))
    assert verdict.state.state_details.deployment_concurrency_lease_id is None


def test_a_full_pool_lets_a_run_stay_where_it_is() -> None:
    refused = rejected(decide(state(SCHEDULED), PENDING, full="Work pool 'p'"))
    assert (refused.reason, refused.state) == ("Work pool 'p' executes as many runs as it may.", None)
    for source, target in ((SCHEDULED, RUNNING), (SCHEDULED, CANCELLED)):
        accepted(decide(state(source), target, full="Work pool 'p'"))
    accepted(decide(state(PENDING), PENDING, "Submitting", full="Work pool 'p'"))
