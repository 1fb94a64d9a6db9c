"""The log of events: places in it, and what happened at a time."""

from __future__ import annotations

from datetime import datetime

from headrace.base.clock import to_micros
from headrace.orchestration.administration.office import Office
from headrace.orchestration.events import KINDS, to_event
from headrace.orchestration.unit import Unit
from headrace.schema.event import Cursor, EventStretch, StretchOfEvents
from headrace.storage import events as queries

LATENESS = 60_000_000
"""How much later than it occurred an event may be in the log and be found by its time all the same, in microseconds."""


class EventVerbs(Office):
    """The verbs on the log of events."""

    def find_cursor(self, since: datetime) -> Cursor:
        instant = to_micros(since) - LATENESS
        place = self._desk.read(lambda unit: queries.find_place_before(unit.connection, unit.workspace_id, instant))
        return Cursor() if place is None else Cursor(*place)

    def read_event_stretch(self, asked: EventStretch) -> StretchOfEvents:
        def read(unit: Unit) -> StretchOfEvents:
            bounds = _find_bounds(unit, asked)
            rows, left = queries.read_stretch(
                unit.connection,
                unit.workspace_id,
                bounds,
                asked.kinds or KINDS,
                asked.subjects,
                asked.with_task_runs,
                asked.descending,
                asked.limit,
            )
            place = None if left[0] >= left[1] else left[1] if asked.descending else left[0]
            return StretchOfEvents(events=[to_event(*row) for row in rows], place=place)

        return self._desk.read(read)


def _find_bounds(unit: Unit, asked: EventStretch) -> tuple[int, int]:
    """Between which places of the log a stretch lies that goes on from where the one before it ended."""
    low, high = queries.find_bounds(unit.connection)
    if asked.since is not None:
        low = queries.find_place_at(unit.connection, unit.workspace_id, to_micros(asked.since) - LATENESS)
        low = max(0, low - queries.SAMPLE)
    if asked.until is not None:
        high = queries.find_place_at(unit.connection, unit.workspace_id, to_micros(asked.until) + LATENESS)
        high += queries.SAMPLE
    if asked.place is None:
        return low, high
    return (low, min(high, asked.place)) if asked.descending else (max(low, asked.place), high)
