"""Chains: all that follows from one firing of an automation, and when it has gone on for long enough.

What an automation does makes others fire, and itself as well, and each firing is told by several events. So it is not enough
that a chain is only so long: it branches. It ends by three counts, each of which holds whatever the others say.
"""

from __future__ import annotations

from typing import Literal, NamedTuple
from uuid import UUID

from headrace.schema.run import DEPTH, FIRING
from headrace.schema.wire import Labels
from headrace.schema.wire_event import Resource, WireEvent

DEEPEST = 10
"""How many automations may follow one from another. What the last of them did makes none fire any more."""
MOST_RECURRENCES = 10
"""How often an automation may fire, in one chain, because of what it did itself, whatever lies between."""
MOST_FIRINGS = 1_000
"""How often automations may fire in one chain, whatever it branches into."""


class Cause(NamedTuple):
    """What automations led to something: how many, one after another, and the last of their firings."""

    depth: int = 0
    firing: UUID | None = None


UNCAUSED = Cause()
"""What no automation led to."""


class Cut(NamedTuple):
    """Why a chain ends here: which count it has come to, and a line for people."""

    kind: Literal["depth", "recurrence", "size"]
    reason: str


def cause_of(event: WireEvent) -> Cause:
    """What led to an event, as far as its resources tell: the deepest."""
    deepest = UNCAUSED
    for resource in (event.resource, *event.related):
        deepest = deeper(deepest, _read_cause(resource))
    return deepest


def deeper(one: Cause, other: Cause) -> Cause:
    """The cause that more automations led to; the first if there is nothing between them."""
    return other if other.depth > one.depth else one


def find_cut(depth: int, recurrences: int, firings: int) -> Cut | None:
    """Why there is no further firing `depth` deep, in a chain with so many `firings`; None if there is one.

    `recurrences` are those of the same automation because of what it did itself; 0 for a firing that is none.
    """
    if depth > DEEPEST:
        return Cut("depth", f"{DEEPEST} automations have fired one because of another, which is as many as may.")
    if recurrences >= MOST_RECURRENCES:
        return Cut(
            "recurrence",
            f"It has fired because of what it did itself {recurrences} times, which is as often as it may.",
        )
    if firings >= MOST_FIRINGS:
        return Cut("size", f"One firing has led to {firings} of them in all, which is as many as may be.")
    return None


def pick_cause(labels: Labels | None) -> Labels:
    """Those of a run's labels that say what led to it."""
    return {name: value for name, value in (labels or {}).items() if name in {DEPTH, FIRING}}


def _read_cause(resource: Resource) -> Cause:
    """What a resource says of what led to it. Anybody may have written it."""
    told = resource.get(DEPTH, "")
    if not told.isdecimal() or len(told) >= 10:
        return UNCAUSED
    try:
        firing = UUID(resource.get(FIRING, ""))
    except ValueError:
        firing = None
    return Cause(min(int(told), DEEPEST + 1), firing)
