"""Who is alive. A beat is judged by how long the looker itself has seen it stand still, never by anybody's wall clock.

A lock needs no judge: the kernel or the database frees it when its holder dies, so a free lock is a dead holder.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

PATIENCE = 3
"""How many intervals a beat may stand still: one lost beat, or two, kill nobody."""


class Pulse(NamedTuple, Generic[K]):
    """What a lease shows to whoever looks: a counter that its holder moves at least every `interval` seconds."""

    key: K
    counter: int
    interval: float


class Watch(Generic[K]):
    """Sees which pulses stand still, knowing only what it has watched itself.

    After it was made, and after a look that comes more than `gap` seconds after the one before (an outage, a suspended
    machine, a blocked loop), it begins anew: nobody is judged by time in which the watch was not watching.
    """

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._looked: float | None = None
        self._still: dict[K, tuple[int, float]] = {}

    def forget(self) -> None:
        """Begin anew: it could not see for a while, and cannot tell who has moved meanwhile."""
        self._looked = None

    def look(self, pulses: Iterable[Pulse[K]], now: float) -> list[K]:
        """The keys whose holders are dead; `now` is in seconds on a clock that never steps back."""
        before = {} if self._looked is None or now - self._looked > self._gap else self._still
        self._looked = now
        self._still = {}
        dead: list[K] = []
        for pulse in pulses:
            counter, since = before.get(pulse.key, (pulse.counter, now))
            if counter != pulse.counter:
                since = now
            self._still[pulse.key] = (pulse.counter, since)
            if now - since > PATIENCE * pulse.interval:
                dead.append(pulse.key)
        return dead
