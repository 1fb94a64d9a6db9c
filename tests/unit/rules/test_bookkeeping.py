from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.rules.bookkeeping import (
    BEGINNING,
    OUTSIDE,
    Progress,
    comes_too_late,
    enter,
    enter_flow_run,
    fold,
    in_order,
    number_before,
    number_outside,
    project,
)
from headrace.schema.fact import StateFact
from headrace.schema.state import StateType

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType
SECOND = 1_000_000
SOON = datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)


def fact(ordinal: int, type_: StateType, at: int, name: str | None = None, **details: Any) -> StateFact:
    return StateFact(ordinal, type_, name or type_.capitalize(), at * SECOND, details=details or None)


TRACE = (
    fact(1, PENDING, 1),
    fact(2, RUNNING, 2),
    fact(3, SCHEDULED, 5, "AwaitingRetry", scheduled_time=SOON),
    fact(4, RUNNING, 7, "Retrying"),
    fact(5, COMPLETED, 11),
)


def never() -> Sequence[StateFact]:
    pytest.fail("the history was asked for")


def test_a_story_in_order_is_told_without_its_history() -> None:
    after = project(BEGINNING, TRACE, never, run_count=2)
    assert after == Progress(
        state=TRACE[-1], run_count=2, start_time=2 * SECOND, end_time=11 * SECOND, total_run_time=7 * SECOND
    )


@pytest.mark.parametrize("time", [SOON, SOON.isoformat()])
def test_a_run_that_waits_has_a_next_start(time: object) -> None:
    waiting = fold(BEGINNING, (*TRACE[:2], fact(3, SCHEDULED, 5, scheduled_time=time)))
    assert waiting.next_scheduled_start_time == 30 * SECOND
    assert fold(waiting, TRACE[3:]).next_scheduled_start_time is None


def test_a_scheduled_state_may_have_no_time() -> None:
    assert fold(BEGINNING, [fact(1, SCHEDULED, 1, flow_run_id="x")]).next_scheduled_start_time is None


def test_nothing_new_changes_nothing() -> None:
    before = project(BEGINNING, TRACE, never)
    assert project(before, [], never) == before


def test_a_pause_is_no_running() -> None:
    paused = fold(BEGINNING, [fact(1, RUNNING, 1), fact(2, PAUSED, 3), fact(3, RUNNING, 10), fact(4, COMPLETED, 12)])
    assert (paused.total_run_time, paused.start_time) == (4 * SECOND, 1 * SECOND)


def test_what_comes_after_the_end_is_not_told() -> None:
    ended = fold(BEGINNING, TRACE)
    assert fold(ended, [fact(6, RUNNING, 12), fact(7, CRASHED, 60)]) == ended


def test_undoing_is_shown_and_moves_no_time() -> None:
    undone = fold(BEGINNING, [*TRACE, fact(6, COMPLETED, 20, "RolledBack")])
    assert undone.state
    assert (undone.state.name, undone.end_time, undone.total_run_time) == ("RolledBack", 11 * SECOND, 7 * SECOND)


def test_the_first_end_stands_even_when_it_arrives_last() -> None:
    crashed = project(BEGINNING, [TRACE[0], TRACE[1], fact(3, CRASHED, 60)], never)
    late = project(crashed, [fact(3, COMPLETED, 4)], lambda: [TRACE[0], TRACE[1], fact(3, CRASHED, 60)])
    assert late.state
    assert (late.state.type, late.end_time, late.total_run_time) == (COMPLETED, 4 * SECOND, 2 * SECOND)


def test_a_task_run_has_begun_as_often_as_its_facts_tell() -> None:
    thrice = project(BEGINNING, [fact(9, RUNNING, 9)], never, run_count=3)
    assert thrice.run_count == 3
    assert project(thrice, [fact(1, RUNNING, 1)], lambda: [fact(9, RUNNING, 9)], run_count=1).run_count == 3
    assert project(thrice, [], never, run_count=4).run_count == 4


def test_the_told_expectation_survives_a_retelling() -> None:
    before = project(Progress(expected_start_time=42), [TRACE[1]], never)
    assert project(before, [TRACE[0]], lambda: [TRACE[1]]).expected_start_time == 42


def test_an_end_from_outside_is_numbered_apart() -> None:
    assert number_outside(2) == number_outside(0) == OUTSIDE + 1
    assert number_outside(OUTSIDE + 2) == OUTSIDE + 3
    numbers = (1, 2, OUTSIDE + 1, OUTSIDE + 2)
    assert [number_before(number) for number in numbers] == [None, 1, None, OUTSIDE + 1]


@pytest.mark.parametrize(
    ("ended", "state", "late"),
    [
        (None, fact(1, RUNNING, 9), False),
        (fact(3, CRASHED, 5), fact(4, COMPLETED, 9), False),
        (fact(OUTSIDE + 1, CRASHED, 5), fact(3, COMPLETED, 9), True),
        (fact(OUTSIDE + 1, CRASHED, 5), fact(3, COMPLETED, 5), False),
        (fact(OUTSIDE + 1, CRASHED, 5), fact(4, COMPLETED, 9, "RolledBack"), False),
        (fact(OUTSIDE + 2, RUNNING, 5), fact(3, COMPLETED, 9), False),
    ],
)
def test_what_follows_an_end_from_outside_comes_too_late(ended: StateFact | None, state: StateFact, late: bool) -> None:
    assert comes_too_late(Progress(state=ended), [state]) is late


def test_each_state_is_told_once() -> None:
    assert in_order([*TRACE, *TRACE]) == list(TRACE)


def test_a_clock_that_steps_back_takes_no_time_away() -> None:
    assert enter(fold(BEGINNING, [fact(1, RUNNING, 9)]), fact(2, COMPLETED, 3), 1).total_run_time == 0


def test_a_flow_run_is_expected_when_it_is_offered() -> None:
    offered = enter_flow_run(BEGINNING, fact(1, SCHEDULED, 1, scheduled_time=SOON), offered=True)
    assert (offered.expected_start_time, offered.next_scheduled_start_time) == (30 * SECOND, 30 * SECOND)
    taken = enter_flow_run(offered, fact(2, PENDING, 2), offered=False)
    assert (taken.expected_start_time, taken.next_scheduled_start_time) == (30 * SECOND, None)


def test_a_flow_run_that_starts_at_once_was_expected_then() -> None:
    assert enter_flow_run(BEGINNING, fact(1, PENDING, 4), offered=False).expected_start_time == 4 * SECOND


def test_a_flow_run_that_waits_in_its_process_is_not_offered() -> None:
    running = enter_flow_run(BEGINNING, fact(1, RUNNING, 1), offered=False)
    waiting = enter_flow_run(running, fact(2, SCHEDULED, 2, "AwaitingRetry", scheduled_time=SOON), offered=False)
    assert (waiting.expected_start_time, waiting.next_scheduled_start_time) == (1 * SECOND, None)


def test_a_flow_run_that_goes_on_has_not_begun_anew() -> None:
    begun = enter_flow_run(BEGINNING, fact(1, RUNNING, 1), offered=False)
    paused = enter_flow_run(begun, fact(2, PAUSED, 2), offered=False)
    assert enter_flow_run(paused, fact(3, RUNNING, 3), offered=False).run_count == 1
    taken = enter_flow_run(paused, fact(3, PENDING, 3), offered=False)
    assert enter_flow_run(taken, fact(4, RUNNING, 4), offered=False, resumed=True).run_count == 1
    assert enter_flow_run(taken, fact(4, RUNNING, 4), offered=False).run_count == 2


def test_a_flow_run_that_is_opened_again_has_no_end() -> None:
    ended = fold(BEGINNING, TRACE)
    again = enter_flow_run(ended, fact(6, SCHEDULED, 20, scheduled_time=SOON), offered=True)
    assert (again.end_time, again.start_time) == (None, 2 * SECOND)


@st.composite
def traces(draw: st.DrawFn) -> list[StateFact]:
    """Any states at any times, several at one instant, numbered as they happened or by two writers at once."""
    times = sorted(draw(st.lists(st.integers(0, 12), min_size=1, max_size=9)))
    names = st.sampled_from([*StateType, "RolledBack"])
    states: list[StateFact] = []
    for number, time in enumerate(times):
        named = draw(names)
        type_ = named if isinstance(named, StateType) else COMPLETED
        name = None if isinstance(named, StateType) else named
        states.append(fact(number + 1, type_, time, name))
    return states


@given(data=st.data(), trace=traces() | st.just(list(TRACE)))
def test_however_the_facts_arrive_the_columns_end_the_same(data: st.DataObject, trace: list[StateFact]) -> None:
    arrivals = data.draw(st.permutations(trace + data.draw(st.lists(st.sampled_from(trace), max_size=3))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(arrivals)), max_size=4)))
    told = {state.ordinal: data.draw(st.integers(0, 3)) for state in trace}
    progress = BEGINNING
    history: list[StateFact] = []
    for start, end in zip([0, *cuts], [*cuts, len(arrivals)], strict=True):
        fresh = arrivals[start:end]
        progress = project(progress, fresh, history.copy, max((told[state.ordinal] for state in fresh), default=0))
        history += fresh
    assert progress == project(BEGINNING, trace, never, max(told.values()))
