from __future__ import annotations

from datetime import datetime

from headrace.client.nouns.asking import Asking, part
from headrace.schema.event import Cursor, EventStretch, StretchOfEvents
from headrace.schema.filters import LogFilter
from headrace.schema.log import Log, LogCreate, LogSort, LogTail
from headrace.schema.run import Page


class LogCalls(Asking):
    """The verbs on log lines and on places in the event log."""

    def create_logs(self, logs: list[LogCreate]) -> None:
        self._create("/logs/", None, logs)

    def list_logs(
        self, logs: LogFilter | None = None, sort: LogSort = LogSort.TIMESTAMP_ASC, page: Page = Page()
    ) -> list[Log]:
        return self._list("/logs/filter", list[Log], part(page, logs=logs, sort=sort))

    def count_logs(self, logs: LogFilter | None = None) -> int:
        return self._list("/logs/count", int, {"logs": logs})

    def tail_logs(self, logs: LogFilter | None = None, after: int | None = None) -> LogTail:
        return self._list("/logs/tail", LogTail, {"logs": logs, "after": after})

    def find_cursor(self, since: datetime) -> Cursor:
        return self._read("/events/cursor", Cursor, since=since.isoformat())

    def read_event_stretch(self, asked: EventStretch) -> StretchOfEvents:
        return self._list("/events/stretch", StretchOfEvents, asked)
