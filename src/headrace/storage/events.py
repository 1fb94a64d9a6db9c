"""Wide queries on the log of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, func, select, text, union

from headrace.storage import tables as t
from headrace.storage.database import Connection


def find_place_before(connection: Connection, workspace_id: UUID, instant: int) -> tuple[int, int] | None:
    """A cursor after which everything comes that occurred from an instant on, or a little earlier; None: the beginning."""
    event = t.events.c
    place = find_place_at(connection, workspace_id, instant)
    query = select(event.xid, event.id).where(event.workspace_id == workspace_id)
    before = connection.select(query.where(event.id < place).order_by(event.id.desc()).limit(1))
    if not before:
        return None
    after = connection.select(query.where(event.id >= place).order_by(event.id).limit(SAMPLE))
    # Cursors go by transaction: one that is older than that of the place may have written behind it.
    xid, number = min((row[0], row[1]) for row in (*before, *after))
    return (xid, number) if number < place else (xid, number - 1)


SAMPLE = 33
"""How many events in a row tell what time it was in the log: some of them may have come late, or tell of another time."""

SPAN = 20_000
"""How many places of the log are looked at for one question."""


def find_place_at(connection: Connection, workspace_id: UUID, instant: int) -> int:
    """The place in the log before which events occurred before an instant, give or take those that came late.

    Found by halving: the log has no index by time, since it grows in about that order.
    """
    event = t.events.c
    low, high = find_bounds(connection)
    while low < high:
        middle = (low + high) // 2
        query = select(event.occurred).where(event.workspace_id == workspace_id, event.id >= middle, event.id < high)
        times = sorted(row[0] for row in connection.select(query.order_by(event.id).limit(SAMPLE)))
        if times and times[len(times) // 2] < instant:
            low = middle + 1
        else:
            high = middle
    return low


def find_bounds(connection: Connection) -> tuple[int, int]:
    """The first place of the log, and the one after the last."""
    # Each by itself: asked for both at once, SQLite reads the whole log.
    first, last = (select(end(t.events.c.id)).scalar_subquery() for end in (func.min, func.max))
    low, high = connection.select(select(first, last))[0]
    return low or 0, (high or 0) + 1


def _tell_of(workspace_id: UUID, subjects: Sequence[UUID], with_task_runs: bool) -> CompoundSelect[Any]:
    """The places of the events of runs. Each kind on its own, because no index serves an OR of them on PostgreSQL."""
    event, run = t.events.c, t.task_runs.c
    # Written as the index `ix_events_reported` has it, so that it can be used.
    reported = text("events.kind = 'custom' AND events.flow_run_id IS NOT NULL")
    parts = [
        select(event.id).where(event.subject_id.in_(subjects)),
        select(event.id).where(reported, event.flow_run_id.in_(subjects)),
    ]
    if with_task_runs:
        of_them = t.task_runs.join(t.events, event.subject_id == run.id)
        own = [run.workspace_id == workspace_id, run.flow_run_id.in_(subjects)]
        parts.append(select(event.id).select_from(of_them).where(*own))
    return union(*parts)


def read_stretch(
    connection: Connection,
    workspace_id: UUID,
    bounds: tuple[int, int],
    kinds: Sequence[str],
    subjects: Sequence[UUID] | None,
    with_task_runs: bool,
    descending: bool,
    limit: int,
) -> tuple[list[tuple[Any, ...]], tuple[int, int]]:
    """Rows of events between two places, and between which places is left to be looked at."""
    event = t.events.c
    low, high = bounds
    if subjects is None:
        low, high = (max(low, high - SPAN), high) if descending else (low, min(high, low + SPAN))
    query = select(event.xid, event.id, event.kind, event.subject_id, event.flow_run_id, event.occurred, event.body)
    query = query.where(event.workspace_id == workspace_id, event.kind.in_(kinds), event.id >= low, event.id < high)
    if subjects is not None:
        query = query.where(event.id.in_(_tell_of(workspace_id, subjects, with_task_runs)))
    query = query.order_by(event.id.desc() if descending else event.id).limit(limit)
    rows = [tuple(row) for row in connection.select(query)]
    if len(rows) == limit:
        low, high = (rows[-1][1], high) if descending else (low, rows[-1][1] + 1)
    return rows, (bounds[0], low) if descending else (high, bounds[1])
