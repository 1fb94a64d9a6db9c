"""Events of the past counted: by day, by stretch of time, by name, by resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from headrace.base.clock import now, to_datetime, to_micros
from headrace.base.errors import InvalidRequest
from headrace.gateway.administration import Administration
from headrace.schema.event import LoggedEvent
from headrace.schema.event_query import Countable, EventCount, EventCounting
from headrace.schema.wire_event import ID, NAME, EventFilter, OccurredFilter
from headrace.server.events.derivation import PREFIXES
from headrace.server.events.history import STRETCH, History

WINDOW = 7 * 86_400_000_000
"""For how long back events are counted, unless the filter says since when, in microseconds."""

EARLIEST = 0
"""Before this instant, in microseconds, nothing is counted."""

MOST_STRETCHES = 500
"""How many stretches of time a window may have, and of how many names or resources the counts are told."""

MOST_NAMED = 100_000
"""How many rows of the log are counted by their names and times."""

MOST_LOOKED_AT = 10_000
"""How many are, where more has to be known of each."""


class Sighting(NamedTuple):
    """What is counted of an event: under what, what that is called, when."""

    value: str
    label: str
    occurred: datetime


def count_events(administration: Administration, countable: Countable, asked: EventCounting) -> list[EventCount]:
    """The counts. Raises `InvalidRequest` for a window in which there is too much to count."""
    since, until = find_window(asked.filter.occurred)
    wanted = EventFilter(
        **{name: getattr(asked.filter, name) for name in asked.filter.__struct_fields__ if name != "occurred"},
        occurred=OccurredFilter(since=since, until=until),
    )
    seen = see(History(administration, wanted), countable)
    if countable in {Countable.EVENT, Countable.RESOURCE}:
        return count_by_value(seen)
    width = timedelta(days=1)
    if countable is Countable.TIME:
        width = timedelta(seconds=asked.time_unit.seconds) * min(asked.time_interval, 1e6)
    return count_by_time([each.occurred for each in seen], since, until, width)


def find_window(occurred: OccurredFilter) -> tuple[datetime, datetime]:
    """From when until when is counted: until now and for a week, unless the filter says otherwise."""
    until = to_micros(occurred.until or now())
    since = until - WINDOW if occurred.since is None else to_micros(occurred.since)
    if since > until:
        raise InvalidRequest(
            "The window to count in ends before it begins: occurred.since is later than occurred.until."
        )
    return to_datetime(max(since, EARLIEST)), to_datetime(max(until, EARLIEST))


def see(history: History, countable: Countable) -> Iterator[Sighting]:
    """What is counted, of every event that the filter chooses."""
    looks = history.needs_looking or countable is Countable.RESOURCE
    most = MOST_LOOKED_AT if looks else MOST_NAMED
    left = None
    for rows, place in history.read_all(most // STRETCH):
        left = place
        if looks:
            for event in history.tell(rows):
                name = event.resource.get(ID, "")
                by_name = Sighting(event.event, event.event, event.occurred)
                by_resource = Sighting(name, event.resource.get(NAME, name), event.occurred)
                yield by_resource if countable is Countable.RESOURCE else by_name
        else:
            for row in history.preselect(rows):
                yield from name_events(row)
    if left is not None:
        raise InvalidRequest(
            f"There are more than {most} entries of the log in this window: narrow occurred.since and occurred.until."
        )


def name_events(row: LoggedEvent) -> Iterator[Sighting]:
    """The events of a row by their names."""
    if row.kind == "custom":
        name = str((row.body or {}).get("event"))
        yield Sighting(name, name, row.occurred)
        return
    for state in row.states:
        name = f"{PREFIXES[row.kind]}{state.name or state.type.capitalize()}"
        yield Sighting(name, name, state.timestamp or row.occurred)


def count_by_value(seen: Iterable[Sighting]) -> list[EventCount]:
    """The counts of what was seen most often, the largest first."""
    counts: dict[str, EventCount] = {}
    for value, label, occurred in seen:
        count = counts.get(value)
        if count is None:
            counts[value] = EventCount(value=value, label=label, count=1, start_time=occurred, end_time=occurred)
        else:
            count.count += 1
            count.start_time = min(count.start_time, occurred)
            count.end_time = max(count.end_time, occurred)
    return sorted(counts.values(), key=lambda count: (-count.count, count.value))[:MOST_STRETCHES]


def count_by_time(instants: Iterable[datetime], since: datetime, until: datetime, width: timedelta) -> list[EventCount]:
    """The counts of stretches of time from the beginning of the window on, those without any included."""
    stretches = -(-(until - since) // width) or 1
    if stretches > MOST_STRETCHES:
        raise InvalidRequest(
            f"A window has at most {MOST_STRETCHES} stretches of time; {stretches} were asked for: make them longer."
        )
    numbers = [0] * stretches
    for instant in instants:
        numbers[min((instant - since) // width, stretches - 1)] += 1
    counts: list[EventCount] = []
    for number, count in enumerate(numbers):
        start = since + number * width
        end = min(until, until if number == stretches - 1 else start + width)
        told = start.isoformat()
        counts.append(EventCount(value=told, label=told, count=count, start_time=start, end_time=end))
    return counts
