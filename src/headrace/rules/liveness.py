"""Who is alive. A beat is judged by how long the looker itself has seen it stand still, never by anybody's wall clock.

A lock needs no judge: the kernel or the database frees it when its holder dies, so a free lock is a dead holder.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

PATIENCE = 3
"""How many intervals a beat may stand still: one lost beat, or two, kill nobody."""


class Pulse(NamedTuple):
    """What a lease shows to whoever looks: a counter that its holder moves at least every `interval` seconds."""

    key: UUID
    counter: int
    interval: float


class Watch:
    """Sees which pulses stand still, knowing only what it has watched itself.

    After it was made, and after a look that comes more than `gap` seconds after the one before (an outage, a suspended
    machine, a blocked loop), it begins anew: nobody is judged by time in which the watch was not watching.
    """

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._looked: float | None = None
        self._still: dict[UUID, tuple[int, float]] = {}

    def look(self, pulses: Iterable[Pulse], now: float) -> list[UUID]:
        """The keys whose holders are dead; `now` is in seconds on a clock that never steps back."""
        before = {} if self._looked is None or now - self._looked > self._gap else self._still
        self._looked = now
        self._still = {}
        dead: list[UUID] = []
        for pulse in pulses:
            counter, since = before.get(pulse.key, (pulse.counter, now))
            if counter != pulse.counter:
                since = now
            self._still[pulse.key] = (pulse.counter, since)
            if now - since > PATIENCE * pulse.interval:
                dead.append(pulse.key)
        return dead
