"""Ten years of schedules in twelve time zones, with the times that were passed over and those that came twice.

What is right is read off the clock, minute by minute (`tests.unit.rules.walls_oracle`).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from itertools import takewhile

import pytest

from headrace.base.clock import to_datetime, to_micros
from headrace.rules.occurrences import occurrences
from headrace.schema.schedule import Schedule
from tests.unit.rules.walls_oracle import DAY, HOUR, Change, Days, list_changes, list_shown

FIRST, LAST = datetime(2014, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)

ZONES = [
    "America/New_York",  # at two in the morning, as most do
    "America/St_Johns",  # half an hour off
    "America/Havana",  # at midnight
    "America/Santiago",  # at midnight, in the south
    "America/Sao_Paulo",  # at midnight, until 2019
    "Europe/Berlin",
    "Atlantic/Azores",  # from midnight to one, and back to the day before
    "Africa/Casablanca",  # twice more in years of Ramadan
    "Asia/Beirut",
    "Asia/Tehran",  # until 2022
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",  # until 2021
]


def list_instants(schedule: Schedule, last: datetime = LAST, first: datetime = FIRST) -> list[datetime]:
    end = to_micros(last)
    return [to_datetime(each) for each in takewhile(lambda each: each <= end, occurrences(schedule, to_micros(first)))]


def find_change(zone: str, *, is_gap: bool) -> Change:
    return next(change for change in list_changes(zone, FIRST, LAST) if change.is_gap is is_gap)


def compare(found: list[datetime], expected: Iterable[datetime]) -> None:
    wanted = [*expected]
    assert len(wanted) > 1000
    differing = [(one, other) for one, other in zip(found, wanted, strict=False) if one != other]
    assert differing[:3] == []
    assert len(found) == len(wanted)


@pytest.mark.parametrize("is_gap", [True, False], ids=["gap", "fold"])
@pytest.mark.parametrize("zone", ZONES)
class TestTimesOfDay:
    def at(self, zone: str, is_gap: bool) -> time:
        return find_change(zone, is_gap=is_gap).middle()

    def test_cron(self, zone: str, is_gap: bool) -> None:
        at = self.at(zone, is_gap)
        schedule = Schedule(cron=f"{at.minute} {at.hour} * * *", timezone=zone)
        compare(list_instants(schedule), Days(zone, FIRST, LAST).each(at, shifted=False))

    def test_interval(self, zone: str, is_gap: bool) -> None:
        at = self.at(zone, is_gap)
        anchor = datetime.combine(FIRST.date() - 30 * DAY, at)
        schedule = Schedule(interval=86_400, anchor_date=anchor, timezone=zone)
        compare(list_instants(schedule), Days(zone, FIRST, LAST).each(at, shifted=True))

    def test_rrule(self, zone: str, is_gap: bool) -> None:
        at = self.at(zone, is_gap)
        schedule = Schedule(
            rrule=f"DTSTART:20131201T000000\nRRULE:FREQ=DAILY;BYHOUR={at.hour};BYMINUTE={at.minute}", timezone=zone
        )
        compare(list_instants(schedule), Days(zone, FIRST, LAST).each(at, shifted=True))


@pytest.mark.parametrize("zone", ZONES)
class TestWhatRepeatsWithinADay:
    """A job of every half hour keeps to its half hours, whatever the clock on the wall does."""

    def test_cron(self, zone: str) -> None:
        for change in list_changes(zone, FIRST, LAST):
            first, last = change.instant - 12 * HOUR, change.instant + 12 * HOUR
            schedule = Schedule(cron="*/30 * * * *", timezone=zone)
            assert list_instants(schedule, last, first) == [*list_shown(zone, first, last, 30)], change

    def test_interval(self, zone: str) -> None:
        schedule = Schedule(interval=6 * 3600, anchor_date=FIRST, timezone=zone)
        count = int((LAST - FIRST) / timedelta(hours=6))
        compare(list_instants(schedule), (FIRST + number * timedelta(hours=6) for number in range(1, count + 1)))

    def test_rrule(self, zone: str) -> None:
        for change in list_changes(zone, FIRST, LAST):
            first, last = change.instant - 12 * HOUR, change.instant + 12 * HOUR
            schedule = Schedule(rrule="DTSTART:20131201T000000\nRRULE:FREQ=MINUTELY;INTERVAL=30", timezone=zone)
            assert list_instants(schedule, last, first) == [*list_shown(zone, first, last, 30)], change


def test_every_zone_has_changes_both_ways() -> None:
    for zone in ZONES:
        assert {change.is_gap for change in list_changes(zone, FIRST, LAST)} == {True, False}, zone
