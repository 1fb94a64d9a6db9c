"""Measures: what whoever watches a server is told of runs, queues, workers, loops and the database."""

from __future__ import annotations

from msgspec import Struct

from headrace.orchestration.administration.loops import to_loop_status
from headrace.orchestration.desk import Desk
from headrace.orchestration.unit import Unit
from headrace.schema.loop import LoopStatus
from headrace.storage import loops, measures
from headrace.storage.measures import Waiting

HOUR = 3_600_000_000


class Measures(Struct, frozen=True, kw_only=True):
    """What was counted. `ended` are the flow runs of the last hour; `took` is in seconds, `size` in bytes."""

    alive: dict[str, int]
    ended: dict[str, int]
    waiting: list[Waiting]
    workers: dict[tuple[str, bool], int]
    loops: list[LoopStatus]
    size: int
    took: float


def measure(desk: Desk) -> Measures:
    """Count, in one view of the database. Raises `Unavailable`."""
    begin = desk.clock.monotonic()

    def count(unit: Unit) -> Measures:
        connection, own, now = unit.connection, unit.workspace_id, unit.now
        return Measures(
            alive=measures.count_alive(connection, own),
            ended=measures.count_ended(connection, own, now - HOUR),
            waiting=measures.count_waiting(connection, own, now),
            workers=measures.count_workers(connection, own, now),
            loops=[to_loop_status(row) for row in loops.list_loops(connection)],
            size=measures.measure_size(connection),
            took=desk.clock.monotonic() - begin,
        )

    return desk.read(count)
