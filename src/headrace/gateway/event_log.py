"""The verb of administration on the log of events as a history."""

from __future__ import annotations

from typing import Protocol

from headrace.schema.event import EventStretch, StretchOfEvents


class EventLog(Protocol):
    """What may be asked about the log; raises what all verbs of administration do."""

    def read_event_stretch(self, asked: EventStretch) -> StretchOfEvents:
        """Return events of a time, in the order in which they were recorded or the other way round.

        The stretch begins a minute before the time and ends a minute after it, and a few more events may be at its ends:
        events come into the log about when they occur. One that came much later, or that says of itself that it occurred
        long ago, is where it came.
        """
        ...
