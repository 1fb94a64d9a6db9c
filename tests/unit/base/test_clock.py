from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from headrace.base import clock

INSTANTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS)
def test_an_instant_survives_as_microseconds(instant: datetime) -> None:
    assert clock.to_datetime(clock.to_micros(instant)) == instant


@given(INSTANTS, st.integers(min_value=-14 * 60, max_value=14 * 60))
def test_the_zone_in_which_an_instant_is_told_does_not_matter(instant: datetime, minutes: int) -> None:
    elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
    assert clock.to_micros(elsewhere) == clock.to_micros(instant)


@given(INSTANTS, INSTANTS)
def test_microseconds_are_in_the_order_of_the_instants(one: datetime, other: datetime) -> None:
    assert (clock.to_micros(one) < clock.to_micros(other)) == (one < other)


def test_a_time_without_a_zone_is_utc() -> None:
    naive = datetime(2026, 3, 1, 12)  # noqa: DTZ001
    assert clock.to_micros(naive) == clock.to_micros(naive.replace(tzinfo=UTC))


def test_the_system_clock_tells_the_time() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.monotonic() <= clock.monotonic()


def test_a_frozen_clock_moves_when_told() -> None:
    frozen = clock.FrozenClock(now=1_000_000, elapsed=5.0)
    assert (frozen.micros(), frozen.monotonic()) == (1_000_000, 5.0)
    frozen.advance(1.5)
    assert (frozen.micros(), frozen.monotonic()) == (2_500_000, 6.5)
