"""Whose turn it is: what becomes of a schedule's slot when somebody is about to start its run."""

from __future__ import annotations

from datetime import timedelta

from headrace.base.clock import to_datetime
from headrace.rules.transitions import AWAITING_TURN, CANCELLED, PENDING, RUNNING, SCHEDULED, SKIPPED
from headrace.rules.verdicts import FlowRunFacts, Reject, Transition, Turn, Verdict
from headrace.schema.state import StateCreate, StateDetails

AGAIN = timedelta(seconds=30)
"""When a run that waits for its turn is offered again at the latest; who sees the earlier run's end brings it forward."""


def slot_has_its_turn(transition: Transition, facts: FlowRunFacts) -> Verdict | None:
    """A run that a schedule made begins in time, and beside an earlier one only if the schedule lets it."""
    turn = facts.turn
    if turn is None or transition.before is not SCHEDULED or transition.target.type not in {PENDING, RUNNING}:
        return None
    if is_too_late(turn, facts.now):
        return Reject("The slot has passed.", too_late(turn))
    if turn.overlap is None or not turn.under_way:
        return None
    if turn.overlap == "skip":
        return Reject("Its turn has been skipped.", skipped("An earlier run of its schedule was still under way."))
    waits = "for an earlier run of its schedule to be cancelled" if turn.overlap == "cancel-running" else "its turn"
    details = StateDetails(scheduled_time=to_datetime(facts.now) + AGAIN)
    state = StateCreate(type=SCHEDULED, name=AWAITING_TURN, message=f"The run waits {waits}.", state_details=details)
    return Reject("An earlier run of the schedule is under way.", state)


def is_too_late(turn: Turn, now: int) -> bool:
    """Whether the slot is to be skipped, because nobody has started its run in time."""
    return turn.max_lateness is not None and now - turn.slot > turn.max_lateness


def skipped(message: str) -> StateCreate:
    """The state of a run whose slot has been passed over."""
    return StateCreate(type=CANCELLED, name=SKIPPED, message=message)


def too_late(turn: Turn) -> StateCreate:
    """The state of a run that nobody has started in time."""
    return skipped(f"Nobody started it within {(turn.max_lateness or 0) / 1_000_000:g} s of its time.")
