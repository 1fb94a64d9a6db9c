"""Cron strings: five fields, or a name for a common one; changes of clocks as Debian's cron meets them.

A job at fixed times whose time the clocks skip runs right after the skip, and one whose time they show twice runs once.
A job that runs every so many minutes, or every hour, goes on at its pace through both.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import InvalidRequest

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
RARELY = 60
"""In so many years every day of the year has been every day of the week; what has not come by then never comes."""

FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")


def cron_instants(text: str, day_or: bool, zone: ZoneInfo, after: int) -> Iterator[int]:
    """The instants later than `after` at which the cron string fires.

    One that names days of the month and days of the week means either, or with `day_or` False both at once.
    """
    fields = _split(text)
    start = to_datetime(after).astimezone(zone)
    days, weekdays = fields[2], fields[4]
    if day_or or days.startswith("*") or weekdays.startswith("*"):
        return _fire(_read(text, fields, start), start.year)
    _read(text, fields, start)
    of_month = _read(text, [*fields[:4], "*"], start)
    of_week = _read(text, ["0", "0", "*", "*", weekdays], start).weekdays
    return _fire(of_month, start.year, of_week)


def _split(text: str) -> list[str]:
    fields = ALIASES.get(text.strip().lower(), text).split()
    if len(fields) == 1 and fields[0].startswith("@"):
        raise InvalidRequest(f"Cron has no {fields[0]!r}: it knows {', '.join(sorted(ALIASES))}.")
    if len(fields) != len(FIELDS):
        raise InvalidRequest(f"A cron string has five fields ({', '.join(FIELDS)}); {text!r} has {len(fields)}.")
    # `?` says in other crons that the other of the two fields of days decides.
    return [*fields[:2], _any(fields[2]), fields[3], _any(fields[4])]


def _any(field: str) -> str:
    return "*" if field == "?" else field


def _read(text: str, fields: list[str], start: datetime) -> CronSim:
    try:
        return CronSim(" ".join(fields), start)
    except (CronSimError, ValueError) as error:
        wrong = [name for number, name in enumerate(FIELDS) if not _can_be_read(fields, number)]
        where = f"its {' and '.join(wrong)}" if wrong else "its days, which no month has"
        raise InvalidRequest(f"Cron {text!r} is wrong in {where}.") from error


def _can_be_read(fields: list[str], number: int) -> bool:
    alone = ["*"] * len(fields)
    alone[number] = fields[number]
    try:
        CronSim(" ".join(alone), datetime(2020, 1, 1))  # noqa: DTZ001 - only read, never fired
    except (CronSimError, ValueError):
        return False
    return True


def _is_weekday(moment: datetime, wanted: set[int | tuple[int, int]]) -> bool:
    """Whether a day is one of those weekdays: 0 and 7 are Sunday, a pair is the n-th of the month or the last."""
    weekday = moment.isoweekday() % 7
    number = (moment.day - 1) // 7 + 1
    is_last = (moment.day + 7) > _days_in_month(moment)
    for each in wanted:
        day, which = each if isinstance(each, tuple) else (each, None)
        if day % 7 == weekday and (which is None or which == number or (which == CronSim.LAST and is_last)):
            return True
    return False


def _days_in_month(moment: datetime) -> int:
    return monthrange(moment.year, moment.month)[1]


def _fire(moments: Iterator[datetime], year: int, weekdays: set[int | tuple[int, int]] | None = None) -> Iterator[int]:
    """The instants of the moments that are on such weekdays; each once, although the clocks may show two moments alike."""
    last: int | None = None
    for moment in takewhile(lambda moment: moment.year <= year + RARELY, _until_the_end(moments)):
        instant = to_micros(moment)
        if (last is None or instant > last) and (weekdays is None or _is_weekday(moment, weekdays)):
            last = instant
            yield instant


def _until_the_end(moments: Iterator[datetime]) -> Iterator[datetime]:
    """The moments up to where calendars end."""
    with suppress(OverflowError):
        yield from moments
