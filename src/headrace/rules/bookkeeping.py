"""What a run's states say about it: how often and how long it ran, when it began and ended, and which state it is in.

A task run's story is its states in order of time, told until the first that is final; afterwards only undoing a
completed run (`RolledBack`) changes which state is shown. The state by which it is ended from outside is numbered apart
(`number_outside`), for who executes it may live on and have more to tell. `fold` tells the story, and so facts that come
late, twice or out of order end in the same columns as facts that come in order: `project` goes on at the end of the
story where it can and tells it again from the beginning where it must. A flow run's states are decided one after the
other, so it has nothing to put in order: `enter` and `enter_flow_run` just take the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from headrace.base.clock import to_micros
from headrace.rules.transitions import PAUSED, ROLLED_BACK, RUNNING, SCHEDULED
from headrace.schema.fact import StateFact
from headrace.schema.state import TERMINAL


class Progress(Struct, frozen=True, kw_only=True):
    """The columns of a run that follow from its states. Instants and `total_run_time` are in microseconds."""

    state: StateFact | None = None
    run_count: int = 0
    start_time: int | None = None
    end_time: int | None = None
    total_run_time: int = 0
    expected_start_time: int | None = None
    next_scheduled_start_time: int | None = None


REPORT = "report"
"""The detail of a state that holds the id of the report which told of it, where one did."""

OUTSIDE = 0x8000
"""States of a task run with greater numbers were decided by others than who executes it, who counts up from 1."""

BEGINNING = Progress()
"""A run that has no state yet."""


def enter(before: Progress, state: StateFact, run_count: int) -> Progress:
    """The columns after the run entered `state`, whatever it was in before; it has begun to run `run_count` times."""
    previous = before.state
    start_time = before.start_time
    total_run_time = before.total_run_time
    end_time = None
    if previous is not None and previous.type == RUNNING:
        total_run_time += max(0, state.timestamp - previous.timestamp)
    if state.type == RUNNING and start_time is None:
        start_time = state.timestamp
    elif state.type in TERMINAL:
        end_time = state.timestamp if before.end_time is None else before.end_time
    return Progress(
        state=state,
        run_count=run_count,
        start_time=start_time,
        end_time=end_time,
        total_run_time=total_run_time,
        expected_start_time=before.expected_start_time,
        next_scheduled_start_time=_scheduled_time(state) if state.type == SCHEDULED else None,
    )


def enter_flow_run(before: Progress, state: StateFact, *, offered: bool, resumed: bool = False) -> Progress:
    """The columns after a flow run entered `state`.

    A run that goes on after a pause (`resumed`: from the top) has not begun anew. Only a run that somebody has to start
    (`offered`) has a next start; a run that waits to try again starts itself.
    """
    goes_on = resumed or (before.state is not None and before.state.type == PAUSED)
    begins = state.type == RUNNING and not goes_on
    after = enter(before, state, before.run_count + begins)
    next_start = after.next_scheduled_start_time if offered else None
    expected = next_start if next_start is not None else before.expected_start_time
    return msgspec.structs.replace(
        after,
        next_scheduled_start_time=next_start,
        expected_start_time=state.timestamp if expected is None else expected,
    )


def fold(before: Progress, states: Iterable[StateFact], run_count: int = 0) -> Progress:
    """The columns of a task run after `states`, which are in order and later than all that `before` has seen.

    How often a task run has begun is what its facts tell, at most: `run_count` is the most of them.
    """
    run_count = max(run_count, before.run_count)
    for state in states:
        ended = before.state is not None and before.state.type in TERMINAL
        if not ended or state.name == ROLLED_BACK:
            before = enter(before, state, run_count)
    return before if before.run_count == run_count else msgspec.structs.replace(before, run_count=run_count)


def project(
    before: Progress, fresh: Sequence[StateFact], history: Callable[[], Iterable[StateFact]], run_count: int = 0
) -> Progress:
    """The columns of a task run after `fresh` states arrived, in any order; `run_count` is the most their facts tell.

    `history` gives every state that arrived before. It is asked only when a fresh one belongs among them.
    """
    states = in_order(fresh)
    if states and before.state is not None and states[0].timestamp <= before.state.timestamp:
        states = in_order([*history(), *fresh])
        before = Progress(expected_start_time=before.expected_start_time, run_count=before.run_count)
    return fold(before, states, run_count)


def number_outside(ordinal: int) -> int:
    """The number of the state by which a task run is ended from outside; the one it is in has number `ordinal`."""
    return max(ordinal, OUTSIDE) + 1


def number_before(ordinal: int) -> int | None:
    """The number of the state before the one with this number; None where it is the first, or numbers do not tell."""
    return None if ordinal in {1, OUTSIDE + 1} else ordinal - 1


def comes_too_late(before: Progress, states: Iterable[StateFact]) -> bool:
    """Whether the task run had been ended from outside before it entered any of `states`: they move nothing."""
    end = before.state
    if end is None or end.ordinal <= OUTSIDE or end.type not in TERMINAL:
        return False
    return all(state.timestamp > end.timestamp and state.name != ROLLED_BACK for state in states)


def order(state: StateFact) -> tuple[int, str, int]:
    """What the states of one run are sorted by: their time; within one instant the id of their report, and their number.

    Only states that came as reports have such an id: they are numbered as they come, which tells nothing.
    """
    return state.timestamp, state.details.get(REPORT, "") if state.details else "", state.ordinal


def in_order(states: Sequence[StateFact]) -> Sequence[StateFact]:
    """The states in order, each once."""
    if len(states) < 2:
        return states
    each_once = {order(state): state for state in states}
    return [each_once[place] for place in sorted(each_once)]


def _scheduled_time(state: StateFact) -> int | None:
    time = state.details.get("scheduled_time") if state.details else None
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return to_micros(time) if isinstance(time, datetime) else None
