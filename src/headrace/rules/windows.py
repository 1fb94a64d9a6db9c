"""How one event trigger gets on, for one value of its labels: what it has seen, and what time makes of it.

All instants are when events occurred, in microseconds. Events come almost in that order: one that is a little late finds
those that followed it already there.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import Struct, field, structs

from headrace.schema.action import read_seconds
from headrace.schema.trigger import EventTrigger, Posture

SECOND = 1_000_000
HOLD = 15 * 60 * SECOND
"""How long an event that is expected is remembered before the one that it has to follow is seen."""
KEEP = 7 * 86_400 * SECOND
"""How long what was missed is waited for, so that it can be said to be over."""
MOST_OPENINGS = 100
"""How many events that others have to follow are remembered at once."""

Mood = Literal["Triggered", "Resolved"]
"""What a trigger says: that it has fired, or that what it fired for is over."""


class Window(Struct, omit_defaults=True):
    """Where an event trigger stands.

    `openings` are the events of `after`, `seen` those that were expected. At `due` time itself changes it. `missed` says
    that it fired because something did not happen, which still has not.
    """

    openings: list[int] = field(default_factory=list[int])
    seen: list[int] = field(default_factory=list[int])
    due: int | None = None
    missed: bool = False


class Step(NamedTuple):
    """Where a trigger stands after something happened (None: nothing is remembered), and what it says."""

    window: Window | None
    says: tuple[Mood, ...] = ()


def begin(trigger: EventTrigger, now: int) -> Window | None:
    """Where a trigger stands when it is made: one that waits for something, after nothing and for nothing in particular,
    begins at once.
    """
    if trigger.posture == Posture.Proactive and not trigger.after and not trigger.for_each:
        return Window(openings=[now], due=now + _span(trigger))
    return None


def take(trigger: EventTrigger, window: Window | None, at: int, *, expected: bool, opens: bool) -> Step:
    """What an event makes of it that is `expected`, or that `opens` the time in which others are, or both."""
    window = window or Window()
    if trigger.posture == Posture.Proactive:
        return _wait(trigger, window, at, expected=expected, opens=opens)
    if not trigger.after:
        return _count(trigger, window, at)
    if expected and (window.openings or not opens):  # what is both opens first
        window = structs.replace(window, seen=_remember(trigger, window, at))
    if opens:
        window = structs.replace(window, openings=[*window.openings, at][-MOST_OPENINGS:])
    return _follow(trigger, window, at)


def pass_time(trigger: EventTrigger, window: Window, now: int) -> Step:
    """What it makes of it that its time has come."""
    if trigger.posture == Posture.Reactive or not window.openings:
        return Step(None)
    for_good = bool(trigger.after or trigger.for_each)
    return Step(Window(due=now + KEEP if for_good else None, missed=True), ("Triggered",))


def _count(trigger: EventTrigger, window: Window, at: int) -> Step:
    """An event that is expected, of a trigger that follows nothing."""
    seen = _remember(trigger, window, at)
    recent = _within(trigger, seen, max(seen))
    if len(recent) >= trigger.threshold:
        return Step(None, ("Triggered",))
    return Step(Window(seen=recent, due=max(seen) + (_span(trigger) or KEEP)))


def _follow(trigger: EventTrigger, window: Window, at: int) -> Step:
    """Whether enough of what was expected followed something that opened the time for it."""
    last = max([at, *window.openings, *window.seen])
    openings = _within(trigger, window.openings, last)
    seen = _within(trigger, window.seen, last)
    if openings and sum(each >= min(openings) for each in seen) >= trigger.threshold:
        return Step(None, ("Triggered",))
    lasts = (_span(trigger) or KEEP) if openings else HOLD
    return Step(Window(openings=openings, seen=seen, due=last + lasts))


def _wait(trigger: EventTrigger, window: Window, at: int, *, expected: bool, opens: bool) -> Step:
    """An event of a trigger that fires when too few come."""
    says: tuple[Mood, ...] = ()
    if window.openings and window.due is not None and at > window.due:
        # The time had run out before, and nobody has looked at the clock since.
        missed, says = pass_time(trigger, window, window.due)
        assert missed is not None
        window = missed
    waits = bool(window.openings) or window.missed
    if not trigger.after and not waits:
        return _open(trigger, window, at, says)
    if expected and (waits or not opens):
        window = structs.replace(window, seen=_remember(trigger, window, at))
        if not waits:
            return Step(structs.replace(window, due=at + HOLD), says)
        if _is_met(trigger, window):
            says = (*says, "Resolved") if window.missed else says
            if not (opens or not trigger.after):
                return Step(None, says)
            # What ends one time of waiting begins the next.
            return _open(trigger, Window(), at, says)
    if opens and not window.openings:
        return _open(trigger, window, at, says)
    return Step(window, says)


def _is_met(trigger: EventTrigger, window: Window) -> bool:
    """Whether what was waited for has come."""
    begun = window.openings[0] if window.openings else max(window.seen) - _span(trigger)
    return sum(each >= begun for each in window.seen) >= trigger.threshold


def _open(trigger: EventTrigger, window: Window, at: int, says: tuple[Mood, ...]) -> Step:
    """Begin to wait, unless what is waited for was seen already."""
    seen = [each for each in window.seen if each > at]
    if len(seen) >= trigger.threshold:
        return Step(None, (*says, "Resolved") if window.missed else says)
    return Step(Window(openings=[at], seen=seen, due=at + _span(trigger), missed=window.missed), says)


def _within(trigger: EventTrigger, instants: list[int], last: int) -> list[int]:
    """Those of the instants that are no longer ago than the trigger looks back; without a limit, all."""
    span = _span(trigger)
    return [each for each in instants if not span or each >= last - span]


def _remember(trigger: EventTrigger, window: Window, at: int) -> list[int]:
    return sorted([*window.seen, at])[-trigger.threshold :]


def _span(trigger: EventTrigger) -> int:
    return round(read_seconds(trigger.within, "within") * SECOND)
