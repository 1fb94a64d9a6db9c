"""What could not be delivered is tried again, ever more rarely, and at last given up."""

import pytest

from headrace.rules.deliveries import LONGEST_DELAY, MOST_ATTEMPTS, SECOND, next_try


@pytest.mark.parametrize(
    ("attempts", "chance", "rest", "seconds"),
    [
        (1, 1.0, None, 10), (1, 0.0, None, 5), (2, 1.0, None, 30), (3, 0.5, None, 67.5), (7, 1.0, None, 3600),
        (7, 0.0, None, 1800), (1, 1.0, 120.0, 120), (4, 1.0, 5.0, 270),
    ],
)  # fmt: skip
def test_delays_grow(attempts: int, chance: float, rest: float | None, seconds: float) -> None:
    assert next_try(attempts, 7, chance, rest) == 7 + int(seconds * SECOND)


def test_it_is_given_up() -> None:
    assert next_try(MOST_ATTEMPTS, 0, 1.0) is None
    assert next_try(MOST_ATTEMPTS - 1, 0, 1.0) == LONGEST_DELAY
