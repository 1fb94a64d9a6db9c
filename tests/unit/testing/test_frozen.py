from contextlib import suppress

from headrace.base import clock
from headrace.states import Scheduled
from headrace.testing import frozen_clock


def test_the_clock_stands_still_and_moves_when_told() -> None:
    with frozen_clock(1_700_000_000_000_000) as frozen:
        assert clock.micros() == clock.micros() == 1_700_000_000_000_000
        began = clock.monotonic()
        frozen.advance(90)
        assert clock.micros() == 1_700_000_090_000_000
        assert clock.monotonic() == began + 90
        assert Scheduled().state_details.scheduled_time == clock.to_datetime(1_700_000_090_000_000)


def test_it_stops_where_it_is_and_goes_on_afterwards() -> None:
    before = clock.micros, clock.monotonic
    with suppress(LookupError), frozen_clock() as frozen:
        assert clock.micros() == frozen.now
        raise LookupError
    assert (clock.micros, clock.monotonic) == before
