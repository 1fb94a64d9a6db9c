"""The one place that reads the time.

Instants are stored and journaled as whole microseconds since the epoch (UTC): they compare alike on every
database and cost nothing to make. `datetime` appears where people and the wire see a time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

LATEST = 253_402_300_799_999_999
"""The last instant a `datetime` can say, in microseconds."""


def to_datetime(micros: int) -> datetime:
    """The instant `micros` microseconds after the epoch, as an aware UTC datetime."""
    return EPOCH + timedelta(microseconds=micros)


def to_micros(instant: datetime) -> int:
    """Microseconds since the epoch; a datetime without a zone is taken as UTC, as the contract's clients mean it."""
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - EPOCH) // MICROSECOND


class Clock(Protocol):
    """What tells the time: wall time to record, monotonic time to measure."""

    def micros(self) -> int:
        """Wall time in microseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clock."""

    def micros(self) -> int:
        """Wall time in microseconds since the epoch."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds on a clock that never steps back."""
        return time.monotonic()


class FrozenClock:
    """A clock that moves only when told, for tests.

    `now` is the wall time in microseconds since the epoch, `elapsed` the monotonic time in seconds.
    """

    def __init__(self, now: int = 1_600_000_000_000_000, elapsed: float = 0.0) -> None:
        self.now = now
        self.elapsed = elapsed

    def micros(self) -> int:
        """Wall time in microseconds since the epoch."""
        return self.now

    def monotonic(self) -> float:
        """Seconds on a clock that never steps back."""
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by `seconds`."""
        self.now += int(seconds * 1_000_000)
        self.elapsed += seconds


SYSTEM = SystemClock()
micros = SYSTEM.micros
monotonic = SYSTEM.monotonic


def now() -> datetime:
    """The current wall time as an aware UTC datetime."""
    return to_datetime(micros())
