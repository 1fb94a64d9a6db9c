import pytest

from headrace.rules.retries import MOST_DELAYS, RetryDelay, delay_before, exponential_backoff, plan_delays


@pytest.mark.parametrize(
    ("delay", "planned"),
    [
        (None, ()),
        (0, (0.0,)),
        (2.5, (2.5,)),
        ([1, 2, 4], (1.0, 2.0, 4.0)),
        (exponential_backoff(10), (10.0, 20.0, 40.0)),
    ],
)
def test_delays_are_planned_from_all_people_write(delay: RetryDelay, planned: tuple[float, ...]) -> None:
    assert plan_delays(delay, retries=3) == planned


@pytest.mark.parametrize("delay", [-1, [1, -2], [0.1] * (MOST_DELAYS + 1)])
def test_impossible_delays_are_refused(delay: RetryDelay) -> None:
    with pytest.raises(ValueError, match="retry delay"):
        plan_delays(delay, retries=3)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1.0), (2, 5.0), (3, 5.0), (9, 5.0)])
def test_the_last_delay_is_repeated(attempt: int, seconds: float) -> None:
    assert delay_before(attempt, (1.0, 5.0)) == seconds


def test_without_delays_nobody_waits() -> None:
    assert delay_before(1, ()) == 0.0


@pytest.mark.parametrize(("drawn", "seconds"), [(0.0, 10.0), (0.5, 12.5), (1.0, 15.0)])
def test_jitter_stretches_a_delay_by_up_to_its_factor(drawn: float, seconds: float) -> None:
    assert delay_before(1, (10.0,), jitter_factor=0.5, draw=lambda: drawn) == seconds


def test_doubling_stops_at_the_most_delays_there_can_be() -> None:
    assert len(exponential_backoff(0.001)(1000)) == MOST_DELAYS
