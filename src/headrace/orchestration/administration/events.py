"""The log of events: places in it."""

from __future__ import annotations

from datetime import datetime, timedelta

from headrace.base.clock import to_micros
from headrace.orchestration.administration.office import Office
from headrace.schema.event import Cursor
from headrace.storage import events as queries

LATENESS = timedelta(minutes=1)
"""How much later than it occurred an event may be in the log and be found by its time all the same."""


class EventVerbs(Office):
    """The verbs on the log of events."""

    def find_cursor(self, since: datetime) -> Cursor:
        instant = to_micros(since - LATENESS)
        place = self._desk.read(lambda unit: queries.find_place_before(unit.connection, unit.workspace_id, instant))
        return Cursor() if place is None else Cursor(*place)
