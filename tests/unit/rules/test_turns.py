from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from headrace.base.clock import to_datetime
from headrace.rules.flow_policy import decide_flow_run
from headrace.rules.verdicts import Accept, CancelRuns, FlowRunFacts, Offer, Reject, Transition, Turn
from headrace.schema.run import FlowRunPolicy
from headrace.schema.state import State, StateCreate, StateType

NOW = 1_700_000_000_000_000
SECOND = 1_000_000
EARLIER = (UUID(int=7), UUID(int=8))


def decide(turn: Turn | None, target: StateType = StateType.PENDING, source: StateType = StateType.SCHEDULED) -> Any:
    facts = FlowRunFacts(flow_run_id=UUID(int=1), now=NOW, policy=FlowRunPolicy(), turn=turn)
    return decide_flow_run(Transition(source=State(type=source), target=StateCreate(type=target)), facts)


def turn(**says: Any) -> Turn:
    return Turn(slot=says.pop("slot", NOW - 60 * SECOND), **says)


@pytest.mark.parametrize(
    "free",
    [
        None,
        turn(),
        turn(max_lateness=60 * SECOND),
        turn(overlap="skip"),
        turn(overlap="queue"),
        turn(under_way=EARLIER),
    ],
)
def test_a_slot_that_nothing_speaks_against_is_taken(free: Turn | None) -> None:
    assert isinstance(decide(free), Accept)


@pytest.mark.parametrize("target", [StateType.PENDING, StateType.RUNNING])
def test_a_slot_that_has_passed_is_skipped(target: StateType) -> None:
    verdict = decide(turn(max_lateness=60 * SECOND - 1), target)
    assert isinstance(verdict, Reject)
    assert verdict.state
    assert (verdict.state.type, verdict.state.name) == (StateType.CANCELLED, "Skipped")
    assert verdict.state.message == "Nobody started it within 60 s of its time."


def test_a_slot_beside_an_earlier_run_is_skipped() -> None:
    verdict = decide(turn(overlap="skip", under_way=EARLIER))
    assert verdict.state.message == "An earlier run of its schedule was still under way."
    assert verdict.state.name == "Skipped"


@pytest.mark.parametrize(("overlap", "cancelled"), [("queue", ()), ("cancel-running", EARLIER)])
def test_a_slot_waits_for_an_earlier_run_which_may_have_to_go(overlap: Any, cancelled: tuple[UUID, ...]) -> None:
    verdict = decide(turn(overlap=overlap, under_way=EARLIER))
    assert (verdict.state.type, verdict.state.name) == (StateType.SCHEDULED, "AwaitingTurn")
    assert verdict.state.state_details.scheduled_time == to_datetime(NOW) + timedelta(seconds=30)
    assert Offer() in verdict.effects
    assert [effect.flow_run_ids for effect in verdict.effects if isinstance(effect, CancelRuns)] == [
        each for each in [cancelled] if each
    ]


@pytest.mark.parametrize("target", [StateType.CANCELLED, StateType.SCHEDULED, StateType.PAUSED])
def test_a_turn_is_about_starting_only(target: StateType) -> None:
    passed = turn(max_lateness=1, overlap="skip", under_way=EARLIER)
    assert decide(passed, target) == decide(None, target)


def test_a_run_that_has_been_taken_has_had_its_turn() -> None:
    passed = turn(max_lateness=1, overlap="skip", under_way=EARLIER)
    assert isinstance(decide(passed, StateType.RUNNING, StateType.PENDING), Accept)
