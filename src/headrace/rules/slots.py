"""Who gets a slot: first come, first served, and never more than the limit.

What is in use is counted from the leases that live, so nothing can leak. Slots of a limit with a decay are not given
back: they fade, which makes the limit a rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

TAG_LIMIT = "tag:"
"""With what the name of a limit begins that is on the task runs of a tag; the tag follows."""

SOONEST, LATEST = 0.05, 10.0
"""The bounds, in seconds, of the advice when to ask again."""


class Limit(NamedTuple):
    """A limit as it stands: `used` slots of `slots`. `next_free`: in how many seconds a lease on it ends, if known."""

    slots: int
    used: float
    decay: float = 0.0
    next_free: float | None = None


class Wish(NamedTuple):
    """What somebody asks for: `occupy` slots of every limit named."""

    names: Sequence[str]
    occupy: int


class Place(NamedTuple):
    """A place in line: `position` from 1, and in how many seconds to ask again."""

    position: int
    retry_after: float


def faded(level: float, elapsed: float, decay: float) -> float:
    """What is left of `level` used slots after `elapsed` seconds in which `decay` slots a second came back."""
    return max(0.0, level - max(0.0, elapsed) * decay)


def decide_slots(wish: Wish, limits: Mapping[str, Limit], ahead: Iterable[Wish]) -> Place | None:
    """None when the wish is granted now; otherwise its place in line.

    `limits` holds the active limits; a name without one is free. `ahead` are the wishes that came earlier and wait, in
    order. One that could be granted now has its slots kept for it. One that could not holds up whoever comes after it
    only on the limits that are full for it: waiting for one limit, it does not block another that has room, so two
    holders who each need the other's limit cannot stop everybody.
    """
    free = {name: limit.slots - limit.used for name, limit in limits.items()}
    position = 1
    for earlier in ahead:
        if set(earlier.names) & set(wish.names):
            position += 1
        _serve(earlier, free)
    full = _full(wish, free)
    if not full:
        return None
    waits = [_advice(limits[name], wish.occupy) for name in full]
    return Place(position, min(LATEST, max(SOONEST, *waits)))


def find_served(line: Mapping[UUID, Wish], limits: Mapping[str, Limit]) -> list[UUID]:
    """Who of those who wait may be granted slots now, were all of them to ask in the order of their coming."""
    free = {name: limit.slots - limit.used for name, limit in limits.items()}
    return [request_id for request_id, wish in line.items() if _serve(wish, free)]


def _serve(wish: Wish, free: dict[str, float]) -> bool:
    """Set slots aside for a wish that can be granted; keep everything that is full for one that cannot."""
    full = _full(wish, free)
    for name in full:
        free[name] = 0
    if not full:
        for name in free.keys() & set(wish.names):
            free[name] -= wish.occupy
    return not full


def _full(wish: Wish, free: Mapping[str, float]) -> list[str]:
    """The limits that have no room for the wish. Fractions come from fading, so a hair's breadth is room."""
    return [name for name in wish.names if name in free and free[name] < wish.occupy - 1e-9]


def _advice(limit: Limit, occupy: int) -> float:
    """In how many seconds the limit may have room, as far as one can know."""
    if limit.decay > 0:
        return (limit.used + occupy - limit.slots) / limit.decay
    return LATEST if limit.next_free is None else limit.next_free
