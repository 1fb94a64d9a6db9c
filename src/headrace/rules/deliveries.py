"""When what could not be delivered is tried again, and when it is given up."""

from __future__ import annotations

SECOND = 1_000_000

FIRST_DELAY = 10 * SECOND
GROWTH = 3
LONGEST_DELAY = 3600 * SECOND
MOST_ATTEMPTS = 8
"""How often delivery is tried: over about two hours and a half."""


def next_try(attempts: int, now: int, chance: float, rest: float | None = None) -> int | None:
    """When to try again what has been tried in vain so often; None when it is given up. In microseconds.

    `chance`, from 0 to 1, spreads over the second half of each delay what would else come back all at once. The other side may
    have asked to be left alone for `rest` seconds.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    delay = min(FIRST_DELAY * GROWTH ** (attempts - 1), LONGEST_DELAY)
    return now + max(int(delay * (1 + chance) / 2), int((rest or 0) * SECOND))
