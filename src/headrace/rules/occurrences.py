"""When a schedule's runs are due: the instants of intervals, cron strings and iCalendar rules, across changes of clocks.

Each kind has a room of its own; here is what they have in common. All are pure: `after` is given, nobody asks what time
it is. A schedule that means nothing raises `InvalidRequest`, in one line that names what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile

from headrace.base.clock import to_micros
from headrace.base.errors import InvalidRequest
from headrace.rules.cron import cron_instants
from headrace.rules.intervals import LAST, interval_instants
from headrace.rules.rrules import rrule_instants
from headrace.rules.walls import find_zone
from headrace.schema.schedule import CatchUp, Schedule, ScheduleSpan

DAY = 86_400_000_000
HORIZON = 100 * DAY
"""How far ahead runs are made."""
SOON = 3_600_000_000
"""For how long ahead runs are always made, unless they are too many."""
FEWEST = 3
MOST = 100
"""How many runs are made ahead: at least the fewest, at most the most."""
OUTAGE = 60_000_000
"""For how long nobody must have looked before slots count as missed, in microseconds: less is a restart."""
MOST_MISSED = 10_000
"""How many slots of one schedule are made up for at most, after nobody looked for a while."""


def occurrences(schedule: Schedule, after: int) -> Iterator[int]:
    """The instants of a schedule later than `after`, in order, in microseconds since the epoch.

    None comes twice. The times of day of cron strings, iCalendar rules and intervals of whole days are those of the
    clocks in the schedule's time zone.
    """
    _check_kind(schedule)
    if after >= LAST:
        return iter(())
    zone = find_zone(schedule.timezone)
    if schedule.interval is not None:
        return interval_instants(schedule.interval, schedule.anchor_date, zone, after)
    if schedule.cron is not None:
        return cron_instants(schedule.cron, schedule.day_or, zone, after)
    assert schedule.rrule is not None
    return rrule_instants(schedule.rrule, zone, after)


def first_occurrences(schedule: Schedule, after: int, count: int) -> list[int]:
    """The next `count` instants, fewer if there are no more."""
    return [*islice(occurrences(schedule, after), count)]


def check_schedule(schedule: Schedule, now: int) -> None:
    """Raise `InvalidRequest` for a schedule that means nothing, or whose time never comes and never came."""
    if next(occurrences(schedule, now), None) is None and next(occurrences(schedule, 0), None) is None:
        raise InvalidRequest(f"The time of {schedule.cron or schedule.rrule!r} never comes.")


def plan_ahead(
    schedule: Schedule, now: int, most: int | None = None, since: int | None = None
) -> tuple[list[int], int | None]:
    """The instants for which runs are to be there by now, and when to look again; never, after the last.

    They reach an hour ahead, and are at least three; but never more than `most` and than a hundred, nor later than
    a hundred days from now. What has passed `since` an instant, at most a minute ago, is among them: a schedule that is
    changed loses no slot while nobody looks.
    """
    begin = now if since is None else min(max(since, now - OUTAGE), now)
    passed = [*takewhile(lambda instant: instant <= now, occurrences(schedule, begin))]
    limit = min(most or MOST, MOST)
    planned: list[int] = []
    ahead = takewhile(lambda instant: instant <= now + HORIZON, occurrences(schedule, now))
    for instant in islice(ahead, limit):
        if len(planned) >= FEWEST and instant > now + SOON:
            break
        planned.append(instant)
    if planned:
        return passed + planned, planned[(len(planned) - 1) // 2]
    return passed, None if next(occurrences(schedule, now), None) is None else now + DAY


def missed_slots(
    schedule: Schedule, since: int, now: int, catchup: CatchUp, most: int = MOST_MISSED
) -> tuple[list[int], bool]:
    """The slots after `since` and up to now for which runs are to be made, oldest first, and whether there were more.

    All of them, at most so many; or the latest; or none.
    """
    if catchup == "none":
        return [], False
    count = most if catchup == "all" else 1
    span = 60_000_000
    # From near to far: a schedule of every minute has passed half a million times in a year.
    while True:
        after = max(since, now - span)
        found = [*takewhile(lambda instant: instant <= now, occurrences(schedule, after))]
        if len(found) > count or after == since:
            return found[-count:], catchup == "all" and len(found) > count
        span *= 8


def plan_span(span: ScheduleSpan, schedule: Schedule, most: int | None = None) -> list[int]:
    """The instants of a schedule in a span: at least `min_runs`, then as far as `min_time` reaches from its start."""
    start, end = max(to_micros(span.start_time), 0), to_micros(span.end_time)
    reach = start + round(span.min_time * 1_000_000)
    planned: list[int] = []
    for instant in islice(occurrences(schedule, start - 1), min(span.max_runs, most or MOST, MOST)):
        if instant > end or (len(planned) >= span.min_runs and instant > reach):
            break
        planned.append(instant)
    return planned


def _check_kind(schedule: Schedule) -> None:
    given = [name for name in ("interval", "cron", "rrule") if getattr(schedule, name) is not None]
    if len(given) != 1:
        said = " and ".join(given) or "none of them"
        raise InvalidRequest(f"A schedule has one of interval, cron and rrule; this one has {said}.")
