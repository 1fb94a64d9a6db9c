"""How long to wait before the next try."""

from __future__ import annotations

from collections.abc import Callable, Sequence

RetryDelay = float | Sequence[float] | Callable[[int], Sequence[float]] | None
"""What people write: seconds, seconds for each try, or a function that makes such a list for a number of tries."""

MOST_DELAYS = 50
"""A longer list of delays is a mistake."""

LONGEST_DELAY = 1e9
"""Seconds nobody waits: thirty years. A longer delay is a mistake, and could not be added to a time."""


def plan_delays(delay: RetryDelay, retries: int) -> tuple[float, ...]:
    """The seconds to wait before each further try; the last one is repeated for the tries after it.

    Raises `ValueError` for more than 50 delays, and for one that is negative, endless or no number.
    """
    if delay is None:
        return ()
    if callable(delay):
        delay = delay(retries)
    delays = (float(delay),) if isinstance(delay, (int, float)) else tuple(float(each) for each in delay)
    if len(delays) > MOST_DELAYS:
        raise ValueError(f"{len(delays)} retry delays were given; {MOST_DELAYS} are the most there can be.")
    if any(each < 0 for each in delays):
        raise ValueError("A retry delay cannot be negative.")
    if not all(each <= LONGEST_DELAY for each in delays):
        raise ValueError(f"A retry delay must be a number of seconds, {LONGEST_DELAY:g} at most.")
    return delays


def delay_before(
    attempt: int, delays: Sequence[float], jitter_factor: float | None = None, draw: Callable[[], float] | None = None
) -> float:
    """The seconds to wait before try number `attempt` again, 1 being the first repetition.

    `jitter_factor` stretches each delay by a random share of itself, up to that factor, so that many runs which failed
    together do not come back together. `draw` gives numbers from 0 to 1.
    """
    if not delays:
        return 0.0
    delay = delays[min(attempt, len(delays)) - 1]
    if not jitter_factor:
        return delay
    from random import random  # imported where it is needed: it costs a start two milliseconds

    return delay * (1.0 + jitter_factor * (draw or random)())


def exponential_backoff(factor: float) -> Callable[[int], list[float]]:
    """Delays that double: `factor`, twice, four times, … as a function for `retry_delay_seconds`."""

    def delays(retries: int) -> list[float]:
        return [factor * 2**attempt for attempt in range(min(retries, MOST_DELAYS))]

    return delays
