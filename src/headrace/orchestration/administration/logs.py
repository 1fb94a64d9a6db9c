"""Log lines: kept for clients that have no journal, and read."""

from __future__ import annotations

from headrace.base.clock import to_micros
from headrace.base.ids import uuid7
from headrace.orchestration.administration.office import LARGEST_PAGE, Office, checked
from headrace.orchestration.records import store_logs
from headrace.orchestration.unit import Unit
from headrace.schema.fact import LogFact
from headrace.schema.filters import LogFilter
from headrace.schema.log import Log, LogCreate, LogSort, LogTail
from headrace.schema.run import Page
from headrace.storage import logs as queries
from headrace.storage.rows import to_log


class LogVerbs(Office):
    """The verbs on log lines."""

    def create_logs(self, logs: list[LogCreate]) -> None:
        lines = [
            LogFact(
                uuid7(), log.name, log.level, log.message, to_micros(log.timestamp), log.flow_run_id, log.task_run_id
            )
            for log in logs
        ]
        self._desk.write(lambda unit: store_logs(unit, lines))

    def list_logs(
        self, logs: LogFilter | None = None, sort: LogSort = LogSort.TIMESTAMP_ASC, page: Page = Page()
    ) -> list[Log]:
        wanted = checked(page)
        rows = self._desk.read(lambda unit: queries.list_logs(unit.connection, unit.workspace_id, logs, sort, wanted))
        return [to_log(row) for row in rows]

    def count_logs(self, logs: LogFilter | None = None) -> int:
        return self._desk.read(lambda unit: queries.count_logs(unit.connection, unit.workspace_id, logs))

    def tail_logs(self, logs: LogFilter | None = None, after: int | None = None) -> LogTail:
        def tail(unit: Unit) -> LogTail:
            end = queries.find_end(unit.connection)
            if after is None or after >= end:
                return LogTail(logs=[], place=end)
            rows = queries.tail_logs(unit.connection, unit.workspace_id, logs, after, LARGEST_PAGE)
            place = rows[-1][0] if len(rows) == LARGEST_PAGE else end
            return LogTail(logs=[to_log(row) for _, row in rows], place=place)

        return self._desk.read(tail)
