"""Questions about the events of the past, and their answers. The contract's shapes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field

from headrace.schema.wire import Request, Wire
from headrace.schema.wire_event import EventFilter, WireEvent

LONGEST_PAGE = 50


class EventListing(Request, kw_only=True):
    """Asks for events, newest first unless the filter says otherwise."""

    filter: EventFilter | None = None
    limit: Annotated[int, Meta(ge=0, le=LONGEST_PAGE)] = LONGEST_PAGE


class WireEventPage(Wire, kw_only=True):
    """Some events, and the address of those that follow; null after the last.

    A page may be short, even empty, and be followed by others. `total` is how many there are in all, as far as the first
    page looked.
    """

    events: list[WireEvent]
    total: int
    next_page: str | None


class Countable(StrEnum):
    """By what events are counted: days, stretches of time, names of events, resources."""

    DAY = "day"
    TIME = "time"
    EVENT = "event"
    RESOURCE = "resource"


class TimeUnit(StrEnum):
    """Units of stretches of time."""

    WEEK = "week"
    DAY = "day"
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"

    @property
    def seconds(self) -> int:
        """How long it is."""
        return _SECONDS[self]


_SECONDS = {
    TimeUnit.WEEK: 604_800,
    TimeUnit.DAY: 86_400,
    TimeUnit.HOUR: 3_600,
    TimeUnit.MINUTE: 60,
    TimeUnit.SECOND: 1,
}


class EventCounting(Request, kw_only=True):
    """Asks how many events there are. `time_interval` is how many units long a stretch of time is."""

    filter: EventFilter = field(default_factory=EventFilter)
    time_unit: TimeUnit = TimeUnit.DAY
    time_interval: Annotated[float, Meta(ge=0.01)] = 1.0


class EventCount(Wire, kw_only=True):
    """How many events are of one kind, and between which instants they occurred or, by time, were looked for."""

    value: str
    label: str
    count: int
    start_time: datetime
    end_time: datetime
