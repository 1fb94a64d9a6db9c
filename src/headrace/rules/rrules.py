"""iCalendar rules (RFC 5545), worked out on the clocks of the schedule's time zone.

A rule without COUNT is begun anew close to where it is asked, in step with its beginning, so that its age costs nothing.
A rule whose time never comes is followed to the end of the calendar, the year 9999. So that this is not far, rules are
worked out thousands of years ahead, where the calendar is the same, and their times brought back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, HOURLY, MINUTELY, SECONDLY, WEEKLY, YEARLY, rruleset, rrulestr

from headrace.base.errors import InvalidRequest
from headrace.rules.intervals import ANCHOR
from headrace.rules.walls import attach_zone, find_zone, to_wall

LONGEST = 6500
"""The most characters of a rule."""
MOST_STEPS = 200_000
"""The most periods that are gone through, from the beginning of a rule with COUNT to where it is asked."""
UNITS = {
    WEEKLY: timedelta(weeks=1),
    DAILY: timedelta(days=1),
    HOURLY: timedelta(hours=1),
    MINUTELY: timedelta(minutes=1),
}
AGE = 400
"""After so many years the calendar is the same again, weekdays included."""
ENOUGH = 60
"""How many years ahead a rule is followed at least."""

_UTC_TIME = re.compile(r"(\d{8}T\d{6})Z", re.IGNORECASE)
_ZONE = re.compile(r";TZID=([^:;]+)", re.IGNORECASE)
_NAMES_DAYS = re.compile(r"\b(BYMONTHDAY|BYDAY|BYWEEKDAY|BYYEARDAY|BYWEEKNO)=", re.IGNORECASE)


def rrule_instants(text: str, zone: ZoneInfo, after: int) -> Iterator[int]:
    """The instants of a rule later than `after`.

    The text may hold DTSTART, several RRULEs, RDATE and EXDATE, a line each. A TZID names the zone in which it is meant.
    """
    if len(text) > LONGEST:
        raise InvalidRequest(f"A rule has at most {LONGEST} characters; this one has {len(text)}.")
    named = _ZONE.search(text)
    zone = find_zone(named[1]) if named else zone
    walls = _UTC_TIME.sub(lambda time: _in_zone(time[1], zone), _ZONE.sub("", text))
    # A day earlier, because the clocks may have been turned meanwhile.
    begin = to_wall(after, zone) - timedelta(days=1)
    whole, frequent = _read(walls, begin)
    return (instant for instant in attach_zone(whole, zone, frequent) if instant > after)


def _in_zone(time: str, zone: ZoneInfo) -> str:
    """A time in UTC as the clocks of the zone show it."""
    utc = datetime.strptime(f"{time}+0000", "%Y%m%dT%H%M%S%z")
    return utc.astimezone(zone).strftime("%Y%m%dT%H%M%S")


def _read(text: str, begin: datetime) -> tuple[Iterator[datetime], bool]:
    """The times of a rule from `begin` on, and whether it can fire several times a day."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    start = _read_start(lines)
    years = (9999 - ENOUGH - max(start, begin).year) // AGE * AGE
    whole, frequent, says_something = rruleset(), False, False
    for line in lines:
        name, colon, value = line.rpartition(":")
        kind = name.split(";")[0].upper() if colon else "RRULE"
        match kind:
            case "DTSTART":
                continue
            case "RRULE" | "EXRULE":
                rule = _parse(value, start)
                frequent = frequent or _frequency(rule) > DAILY
                (whole.rrule if kind == "RRULE" else whole.exrule)(_begin_anew(rule, value, begin, years))
            case "RDATE" | "EXDATE":
                for each in value.split(","):
                    (whole.rdate if kind == "RDATE" else whole.exdate)(_later(_read_time(each), years))
            case _:
                raise InvalidRequest(f"A rule knows no {kind!r}: {line!r}.")
        says_something = says_something or kind in {"RRULE", "RDATE"}
    if not says_something:
        raise InvalidRequest(f"Rule {text!r} says nothing: it has no RRULE.")
    return (wall.replace(year=wall.year - years) for wall in whole), frequent


def _later(wall: datetime, years: int) -> datetime:
    return wall.replace(year=min(wall.year + years, 9996 + wall.year % 4))


def _read_start(lines: list[str]) -> datetime:
    starts = [line.rpartition(":")[2] for line in lines if line.upper().startswith("DTSTART")]
    return _read_time(starts[0]) if starts else ANCHOR


def _read_time(text: str) -> datetime:
    form = "%Y%m%dT%H%M%S" if "T" in text.upper() else "%Y%m%d"
    try:
        time = datetime.strptime(text.strip().upper(), form)  # noqa: DTZ007 - on the clocks of the schedule's zone
    except ValueError:
        raise InvalidRequest(f"A time in a rule is written like 20260131T093000, not {text!r}.") from None
    if not 1900 <= time.year < 3000:
        raise InvalidRequest(f"A time in a rule lies between the years 1900 and 2999, not in {time.year}.")
    return time


def _parse(text: str, start: datetime) -> Any:
    try:
        rule: Any = rrulestr(text, dtstart=start)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise InvalidRequest(f"Rule {text!r} cannot be read: {_sentence(error)}.") from None
    if _frequency(rule) == SECONDLY:
        raise InvalidRequest(f"Rule {text!r} fires every second: the shortest is MINUTELY.")
    if _interval(rule) < 1:
        raise InvalidRequest(f"Rule {text!r} has an INTERVAL below 1.")
    if "BYEASTER" in text.upper():
        raise InvalidRequest(f"Rule {text!r} names Easter, which is no part of iCalendar.")
    if "BYSETPOS" in text.upper() and _frequency(rule) > DAILY:
        raise InvalidRequest(f"Rule {text!r} has BYSETPOS, which means something only from DAILY on.")
    return rule


def _begin_anew(rule: Any, text: str, begin: datetime, years: int) -> Any:
    """The rule `years` later, from shortly before `begin` on."""
    start: datetime = rule._dtstart
    until: datetime | None = rule._until
    changed: dict[str, Any] = {"dtstart": start}
    if rule._count is not None:
        _refuse_long(rule, text, start, begin)
    elif start < begin:
        changed |= _moved(rule, text, start, begin)
    changed["dtstart"] = _later(changed["dtstart"], years)
    if until is not None:
        changed["until"] = _later(until, years)
    return rule.replace(**changed)


def _refuse_long(rule: Any, text: str, start: datetime, begin: datetime) -> None:
    """COUNT counts from the beginning, so a rule that has it cannot be begun anew."""
    unit = UNITS.get(_frequency(rule), timedelta(days=28)) * _interval(rule)
    if (begin - start) / unit > MOST_STEPS or rule._count > MOST_STEPS:
        raise InvalidRequest(f"Rule {text!r} has to be counted from too far back: use UNTIL, or begin later.")


def _moved(rule: Any, text: str, start: datetime, begin: datetime) -> dict[str, Any]:
    """What to change so that the rule begins in the period but one before `begin`, in step with its beginning."""
    frequency, interval = _frequency(rule), _interval(rule)
    if frequency in UNITS:
        step = UNITS[frequency] * interval
        return {"dtstart": start + max(0, (begin - start) // step - 1) * step}
    months = interval * (12 if frequency == YEARLY else 1)
    passed = (begin.year - start.year) * 12 + begin.month - start.month
    moved = start.year * 12 + start.month - 1 + max(0, passed // months - 1) * months
    if moved <= start.year * 12 + start.month - 1:
        return {}
    changed: dict[str, Any] = {"dtstart": start.replace(year=moved // 12, month=moved % 12 + 1, day=1)}
    if not _NAMES_DAYS.search(text):
        # The day that the rule takes from its beginning, which not every month has.
        changed["bymonthday"] = start.day
        if frequency == YEARLY and "BYMONTH=" not in text.upper():
            changed["bymonth"] = start.month
    return changed


def _sentence(error: Exception) -> str:
    """What the library says, where it says something to people."""
    return str(error) if isinstance(error, ValueError) and "unpack" not in str(error) else "it is no iCalendar rule"


def _frequency(rule: Any) -> int:
    return rule._freq


def _interval(rule: Any) -> int:
    return rule._interval
