"""Times on the clocks of a place, and the instants they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import InvalidRequest


def find_zone(name: str | None) -> ZoneInfo:
    """The time zone of an IANA name; UTC without one. Raises `InvalidRequest` for a name that nobody knows."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequest(f"There is no time zone {name!r}: give an IANA name such as 'Europe/Berlin'.") from None


def to_wall(instant: int, zone: ZoneInfo) -> datetime:
    """What the clocks show at an instant, without their zone."""
    return to_datetime(instant).astimezone(zone).replace(tzinfo=None, fold=0)


def to_instant(wall: datetime, zone: ZoneInfo, fold: int = 0) -> int:
    """The instant at which the clocks show a time.

    A time they skip stands for as long after the skip began as it says; a time they show twice for the first of both,
    unless `fold` is 1.
    """
    return to_micros(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC))


def attach_zone(walls: Iterable[datetime], zone: ZoneInfo, repeated: bool = False) -> Iterator[int]:
    """The instants at which the clocks show these times, which are in order; each instant once.

    With `repeated` a time that the clocks show twice stands for both instants.
    """
    last: int | None = None
    second: list[int] = []
    for wall in walls:
        first = to_instant(wall, zone)
        while second and second[0] < first:
            last = second.pop(0)
            yield last
        if last is None or first > last:
            last = first
            yield first
        again = to_instant(wall, zone, fold=1) if repeated else first
        if again > first:
            second.append(again)
    yield from second
