"""A clock that moves only when told, for the whole process."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from headrace.base import clock
from headrace.base.clock import FrozenClock

__all__ = ["FrozenClock", "frozen_clock"]


@contextmanager
def frozen_clock(now: int | None = None) -> Generator[FrozenClock]:
    """Hold the clock of this process still within the block and give it to the test, which moves it by `advance`.

    `now` is in microseconds since the epoch; by default the clock stops where it is.
    """
    frozen = FrozenClock(clock.micros() if now is None else now, clock.monotonic())
    before = clock.micros, clock.monotonic
    clock.micros, clock.monotonic = frozen.micros, frozen.monotonic
    try:
        yield frozen
    finally:
        clock.micros, clock.monotonic = before
