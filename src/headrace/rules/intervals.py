"""Intervals: every so often, counted from an anchor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from headrace.base.clock import to_micros
from headrace.base.errors import InvalidRequest
from headrace.rules.walls import to_instant, to_wall

SECOND = 1_000_000
DAY = 86_400 * SECOND
SHORTEST = SECOND
LONGEST = 100 * 366 * DAY
"""The shortest and the longest interval, in microseconds."""

ANCHOR = datetime(2020, 1, 1)  # noqa: DTZ001 - midnight in the schedule's own zone
"""From where intervals are counted that have no anchor: the same for all, so that deploying anew shifts nothing."""

LAST = to_micros(datetime(9990, 1, 1, tzinfo=UTC))
"""Later than this there is nothing: calendars end with the year 9999."""


def interval_instants(seconds: float, anchor: datetime | None, zone: ZoneInfo, after: int) -> Iterator[int]:
    """The instants later than `after`, every so many seconds from the anchor, and before it backwards.

    Whole days are days of the calendar, so that a daily run keeps its time of day when the clocks change. All else is
    counted in time that passes.
    """
    step = round(seconds * SECOND)
    if not SHORTEST <= step <= LONGEST:
        raise InvalidRequest(f"An interval is at least one second and at most a hundred years, not {seconds:g} s.")
    begin = ANCHOR if anchor is None else anchor
    if not 1900 <= begin.year < 3000:
        raise InvalidRequest(f"An interval is counted from the years 1900 to 2999, not from {begin.year}.")
    start = to_instant(begin, zone) if begin.tzinfo is None else to_micros(begin)
    if step % DAY == 0:
        return _by_days(to_wall(start, zone), step // DAY, zone, after)
    return _by_time(start, step, after)


def _by_time(start: int, step: int, after: int) -> Iterator[int]:
    instant = start + ((after - start) // step + 1) * step
    while instant < LAST:
        yield instant
        instant += step


def _by_days(start: datetime, days: int, zone: ZoneInfo, after: int) -> Iterator[int]:
    """The clocks may be turned back or forth between the anchor and now, so a day is searched on either side."""
    number = (to_wall(after, zone) - start) // timedelta(days=days) - 1
    last = after
    while last < LAST:
        try:
            instant = to_instant(start + timedelta(days=days * number), zone)
        except OverflowError:
            return
        if instant > last:
            last = instant
            yield instant
        number += 1
