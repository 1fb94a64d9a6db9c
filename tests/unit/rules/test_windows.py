"""How event triggers count, and how they wait: tables of what happens, second by second."""

from typing import Any

import pytest

from headrace.rules.windows import HOLD, KEEP, SECOND, Step, Window, begin, pass_time, take
from headrace.schema.trigger import EventTrigger, Posture

EXPECTED, OPENS, BOTH, CLOCK = "expected", "opens", "both", "clock"
Moment = tuple[int, str]
"""A second, and what comes then: an event, or the look at the clock."""


def trigger(posture: Posture = Posture.Reactive, **how: Any) -> EventTrigger:
    return EventTrigger(posture=posture, **how)


def waits(**how: Any) -> EventTrigger:
    return trigger(Posture.Proactive, **{"within": 10, **how})


def play(
    asked: EventTrigger, moments: list[Moment], window: Window | None = None
) -> tuple[list[tuple[int, str]], Window | None]:
    """What the trigger says at which second, and what it remembers in the end."""
    said: list[tuple[int, str]] = []
    for second, what in moments:
        at = second * SECOND
        if what == CLOCK:
            assert window is not None
            step: Step = pass_time(asked, window, at)
        else:
            step = take(asked, window, at, expected=what in {EXPECTED, BOTH}, opens=what in {OPENS, BOTH})
        window = step.window
        said += [(second, mood) for mood in step.says]
    return said, window


FIRES, OVER = "Triggered", "Resolved"
REACTIVE: dict[str, tuple[EventTrigger, list[Moment], list[tuple[int, str]]]] = {
    "each": (trigger(), [(1, EXPECTED), (2, EXPECTED)], [(1, FIRES), (2, FIRES)]),
    "three, however long it takes": (
        trigger(threshold=3),
        [(1, EXPECTED), (5000, EXPECTED), (9000, EXPECTED), (9001, EXPECTED)],
        [(9000, FIRES)],
    ),
    "three within ten seconds, wherever they begin": (
        trigger(threshold=3, within=10),
        [(0, EXPECTED), (8, EXPECTED), (12, EXPECTED), (18, EXPECTED), (19, EXPECTED)],
        [(18, FIRES)],
    ),
    "too slow": (trigger(threshold=2, within=10), [(0, EXPECTED), (11, EXPECTED), (22, EXPECTED)], []),
    "out of order": (trigger(threshold=3, within=10), [(8, EXPECTED), (0, EXPECTED), (4, EXPECTED)], [(4, FIRES)]),
    "forgotten in between": (
        trigger(threshold=2, within=10), [(0, EXPECTED), (10, CLOCK), (11, EXPECTED)], [],
    ),
    "what follows": (
        trigger(after=["a"], within=10),
        [(0, EXPECTED), (1, OPENS), (2, EXPECTED), (3, EXPECTED)],
        [(2, FIRES)],
    ),
    "what follows too late": (trigger(after=["a"], within=10), [(0, OPENS), (11, EXPECTED)], []),
    "what follows the later one in time": (
        trigger(after=["a"], within=10), [(0, OPENS), (8, OPENS), (15, EXPECTED)], [(15, FIRES)],
    ),
    "as many follow the earlier one": (
        trigger(after=["a"], threshold=2, within=10), [(0, OPENS), (4, EXPECTED), (5, OPENS), (6, EXPECTED)], [(6, FIRES)],
    ),
    "what came before, but is heard of later": (
        trigger(after=["a"], within=10), [(5, EXPECTED), (3, OPENS)], [(3, FIRES)],
    ),
    "what came before is no follower": (trigger(after=["a"], within=10), [(5, EXPECTED), (6, OPENS)], []),
    "one that is both opens first": (trigger(after=["a"]), [(1, BOTH), (2, BOTH), (3, BOTH)], [(2, FIRES)]),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "moments", "says"), REACTIVE.values(), ids=REACTIVE)
def test_events_are_counted(asked: EventTrigger, moments: list[Moment], says: list[tuple[int, str]]) -> None:
    assert play(asked, moments)[0] == says


PROACTIVE: dict[str, tuple[EventTrigger, list[Moment], list[tuple[int, str]]]] = {
    "in time": (waits(after=["a"]), [(0, OPENS), (9, EXPECTED)], []),
    "not in time": (waits(after=["a"]), [(0, OPENS), (10, CLOCK)], [(10, FIRES)]),
    "late after all": (
        waits(after=["a"]), [(0, OPENS), (10, CLOCK), (70, EXPECTED), (80, EXPECTED)], [(10, FIRES), (70, OVER)],
    ),
    "late, and nobody looked at the clock": (
        waits(after=["a"]), [(0, OPENS), (70, EXPECTED)], [(70, FIRES), (70, OVER)],
    ),
    "another one opens meanwhile": (waits(after=["a"]), [(0, OPENS), (5, OPENS), (10, CLOCK)], [(10, FIRES)]),
    "the next one opens after it": (
        waits(after=["a"]), [(0, OPENS), (10, CLOCK), (20, OPENS), (30, CLOCK), (31, EXPECTED)],
        [(10, FIRES), (30, FIRES), (31, OVER)],
    ),
    "the next one is met": (
        waits(after=["a"]), [(0, OPENS), (10, CLOCK), (20, OPENS), (22, EXPECTED), (23, OPENS)],
        [(10, FIRES), (22, OVER)],
    ),
    "too few": (waits(after=["a"], threshold=2), [(0, OPENS), (2, EXPECTED), (10, CLOCK)], [(10, FIRES)]),
    "too few, then enough close together": (
        waits(after=["a"], threshold=2),
        [(0, OPENS), (2, EXPECTED), (10, CLOCK), (20, EXPECTED), (40, EXPECTED), (45, EXPECTED)],
        [(10, FIRES), (45, OVER)],
    ),
    "enough": (waits(after=["a"], threshold=2), [(0, OPENS), (2, EXPECTED), (3, EXPECTED)], []),
    "one that is both": (waits(after=["a"]), [(0, BOTH), (5, BOTH), (15, CLOCK)], [(15, FIRES)]),
    "one that is both while it is missed": (
        waits(after=["a"], threshold=2), [(0, OPENS), (10, CLOCK), (20, BOTH), (30, CLOCK)], [(10, FIRES), (30, FIRES)],
    ),
    "heard of before what it follows": (waits(after=["a"]), [(5, EXPECTED), (3, OPENS)], []),
    "heard of before what it follows, while one is missed": (
        waits(after=["a"], threshold=2),
        [(0, OPENS), (10, CLOCK), (25, EXPECTED), (50, EXPECTED), (20, OPENS)], [(10, FIRES), (20, OVER)],
    ),
    "it was before": (waits(after=["a"]), [(1, EXPECTED), (3, OPENS), (13, CLOCK)], [(13, FIRES)]),
    "a pulse": (waits(for_each=["x"]), [(0, EXPECTED), (9, EXPECTED), (18, EXPECTED), (28, CLOCK)], [(28, FIRES)]),
    "a pulse that comes back": (
        waits(for_each=["x"]), [(0, EXPECTED), (10, CLOCK), (500, EXPECTED), (510, CLOCK)],
        [(10, FIRES), (500, OVER), (510, FIRES)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "moments", "says"), PROACTIVE.values(), ids=PROACTIVE)
def test_absences_are_noticed(asked: EventTrigger, moments: list[Moment], says: list[tuple[int, str]]) -> None:
    assert play(asked, moments)[0] == says


def test_what_waits_for_anything_begins_at_once() -> None:
    window = begin(waits(), 7 * SECOND)
    assert window == Window(openings=[7 * SECOND], due=17 * SECOND)
    said, left = play(waits(), [(17, CLOCK)], window)
    assert said == [(17, FIRES)]
    assert left == Window(missed=True)  # for good: it is about nothing in particular that could be gone
    assert play(waits(), [(90, EXPECTED)], left)[0] == [(90, OVER)]
    for other in (trigger(), waits(after=["a"]), waits(for_each=["x"])):
        assert begin(other, 0) is None


@pytest.mark.parametrize(
    ("asked", "moments", "due"),
    [
        (trigger(threshold=2), [(1, EXPECTED)], SECOND + KEEP),
        (trigger(threshold=2, within=5), [(1, EXPECTED)], 6 * SECOND),
        (trigger(after=["a"]), [(1, EXPECTED)], SECOND + HOLD),
        (trigger(after=["a"]), [(1, OPENS)], SECOND + KEEP),
        (trigger(after=["a"], within=5), [(1, OPENS)], 6 * SECOND),
        (waits(after=["a"]), [(1, EXPECTED)], SECOND + HOLD),
        (waits(after=["a"]), [(1, OPENS)], 11 * SECOND),
        (waits(after=["a"]), [(1, OPENS), (11, CLOCK)], 11 * SECOND + KEEP),
    ],
)
def test_nothing_is_remembered_for_ever(asked: EventTrigger, moments: list[Moment], due: int) -> None:
    _, window = play(asked, moments)
    assert window is not None
    assert window.due == due
    last = due // SECOND
    said, left = play(asked, [(last, CLOCK)], window)
    waited = asked.posture == Posture.Proactive and bool(window.openings)
    assert (said, left is not None) == ([(last, FIRES)] if waited else [], waited)


def test_what_is_remembered_is_bounded() -> None:
    _, window = play(trigger(after=["a"], threshold=3), [(second, OPENS) for second in range(300)])
    assert window is not None
    assert len(window.openings) == 100
    _, window = play(trigger(after=["a"], threshold=3), [(second, EXPECTED) for second in range(300)])
    assert window is not None
    assert window.seen == [297 * SECOND, 298 * SECOND, 299 * SECOND]
