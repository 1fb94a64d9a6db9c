"""What clocks on a wall show, minute by minute: an oracle that knows of time zones only how to read a clock.

It shares nothing with `headrace.rules`: it walks through the minutes around each change of clocks and looks.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Change(NamedTuple):
    """The first instant at which clocks show another offset, what they showed the minute before, and what they show then."""

    instant: datetime
    before: datetime
    after: datetime

    @property
    def is_gap(self) -> bool:
        return self.after - self.before > MINUTE

    def middle(self) -> time:
        """A time of day that was passed over, or that came twice."""
        first, last = (self.before + MINUTE, self.after) if self.is_gap else (self.after, self.before + MINUTE)
        return (first + (last - first) / 2).replace(second=0, microsecond=0).time()


def show(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clock shows, without saying where it hangs."""
    return instant.astimezone(zone).replace(tzinfo=None)


@cache
def list_changes(name: str, first: datetime, last: datetime) -> tuple[Change, ...]:
    """Every change of a zone's clocks between two instants."""
    zone, found, instant = ZoneInfo(name), list[Change](), first
    while instant < last:
        if instant.astimezone(zone).utcoffset() != (instant + HOUR).astimezone(zone).utcoffset():
            minute = instant
            while minute.astimezone(zone).utcoffset() == instant.astimezone(zone).utcoffset():
                minute += MINUTE
            found.append(Change(minute, show(minute - MINUTE, zone), show(minute, zone)))
        instant += HOUR
    return tuple(found)


class Days:
    """At which instants a time of day came, on each day."""

    def __init__(self, name: str, first: datetime, last: datetime) -> None:
        self._zone = ZoneInfo(name)
        self._first, self._last = first, last
        changes = list_changes(name, first - 3 * DAY, last + 3 * DAY)
        self._odd = {day for change in changes for day in _around(change)}

    def each(self, wanted: time, *, shifted: bool) -> Iterator[datetime]:
        """The instant of each day: the first of two; of a time that was passed over, the first minute after it, or, `shifted`,
        as long after the change as it would have been.
        """
        day = show(self._first, self._zone).date() - DAY
        while (instant := self._of(day, wanted, shifted)) <= self._last:
            if instant > self._first:
                yield instant
            day += DAY

    def _of(self, day: date, wanted: time, shifted: bool) -> datetime:
        wall = datetime.combine(day, wanted)
        if day not in self._odd:
            # No clock changes near: any instant of the day tells the offset.
            noon = datetime.combine(day, time(12), UTC)
            return wall.replace(tzinfo=UTC) - (show(noon, self._zone) - noon.replace(tzinfo=None))
        instant = wall.replace(tzinfo=UTC) - 15 * HOUR
        while show(instant, self._zone) < wall:
            instant += MINUTE
        if shifted and show(instant, self._zone) > wall:
            before = instant - MINUTE
            return before + (wall - show(before, self._zone))
        return instant


def list_shown(name: str, first: datetime, last: datetime, minutes: int) -> Iterator[datetime]:
    """The instants at which the clock shows a multiple of so many minutes past the hour, after `first` and up to `last`."""
    zone, instant = ZoneInfo(name), first + MINUTE
    while instant <= last:
        if not show(instant, zone).minute % minutes:
            yield instant
        instant += MINUTE


def _around(change: Change) -> Iterator[date]:
    for days in range(-1, 2):
        yield change.after.date() + days * DAY
