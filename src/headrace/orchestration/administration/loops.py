"""Background loops: who has them, and how their looks go."""

from __future__ import annotations

from headrace.base.clock import to_datetime
from headrace.orchestration.administration.office import Office
from headrace.schema.loop import LoopStatus
from headrace.storage import loops as queries
from headrace.storage.loops import LoopRow
from headrace.storage.rows import to_instant


class LoopVerbs(Office):
    """The verbs on background loops."""

    def list_loops(self) -> list[LoopStatus]:
        return [to_loop_status(row) for row in self._desk.read(lambda unit: queries.list_loops(unit.connection))]


def to_loop_status(row: LoopRow) -> LoopStatus:
    """What people are told of a loop."""
    return LoopStatus(
        name=row.name,
        interval=row.interval,
        place=row.place,
        last_seen=to_datetime(row.updated),
        last_look=to_instant(row.looked),
        took=row.took,
        lag=row.lag,
        done=row.done,
        error=row.error,
    )
