"""Counts for whoever watches a server: each is found by an index, and costs no more as the history grows."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text

from headrace.schema.state import TERMINAL, StateType
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.hints import by_index
from headrace.storage.pool_rows import MISSED_BEATS

ALIVE = tuple(str(each) for each in StateType if each not in TERMINAL)
SECOND = 1_000_000


class Waiting(NamedTuple):
    """How many runs of a queue are due, and how long the first of them has waited, in microseconds."""

    pool: str
    queue: str
    runs: int
    longest: int


def count_alive(connection: Connection, workspace_id: UUID) -> dict[str, int]:
    """How many flow runs are in each type of state that is no end."""
    run = t.flow_runs.c
    query = select(run.state_type, func.count()).where(run.workspace_id == workspace_id, run.state_type.in_(ALIVE))
    return {row[0]: row[1] for row in connection.select(query.group_by(run.state_type))}


def count_ended(connection: Connection, workspace_id: UUID, since: int) -> dict[str, int]:
    """How many flow runs have ended since an instant, by their type of state."""
    run = t.flow_runs.c
    query = select(run.state_type, func.count()).where(run.workspace_id == workspace_id, run.end_time >= since)
    # An index that has the states in order would be read from end to end.
    query = by_index(query.group_by(run.state_type), t.flow_runs, "ix_flow_runs_end_time")
    return {row[0]: row[1] for row in connection.select(query)}


def count_waiting(connection: Connection, workspace_id: UUID, now: int) -> list[Waiting]:
    """The runs that are due and that nobody has taken, by queue; those of no pool under empty names."""
    run, queue, pool = t.flow_runs.c, t.work_queues.c, t.work_pools.c
    by_queue = (
        select(run.work_queue_id, func.count().label("count"), func.min(run.next_scheduled_start_time).label("first"))
        .where(run.workspace_id == workspace_id, run.next_scheduled_start_time <= now)
        .group_by(run.work_queue_id)
    )
    due = by_index(by_queue, t.flow_runs, "ix_flow_runs_waiting").subquery()
    placed = due.outerjoin(
        t.work_queues, (queue.workspace_id == workspace_id) & (queue.id == due.c.work_queue_id)
    ).outerjoin(t.work_pools, (pool.workspace_id == workspace_id) & (pool.id == queue.work_pool_id))
    query = select(pool.name, queue.name, due.c.count, due.c.first).select_from(placed)
    return [Waiting(row[0] or "", row[1] or "", row[2], now - row[3]) for row in connection.select(query)]


def count_workers(connection: Connection, workspace_id: UUID, now: int) -> dict[tuple[str, bool], int]:
    """How many workers there are, by their pool and by whether they are online."""
    worker, pool = t.workers.c, t.work_pools.c
    online = worker.last_heartbeat_time + MISSED_BEATS * SECOND * worker.heartbeat_interval >= now
    placed = t.workers.join(t.work_pools, (pool.workspace_id == workspace_id) & (pool.id == worker.work_pool_id))
    query = select(pool.name, online, func.count()).select_from(placed).where(worker.workspace_id == workspace_id)
    return {(row[0], bool(row[1])): row[2] for row in connection.select(query.group_by(pool.name, online))}


def measure_size(connection: Connection) -> int:
    """The bytes that the database takes up, as it knows them."""
    if connection.dialect == "sqlite":
        pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        return connection.select(text(pages))[0][0]
    return connection.select(text("SELECT pg_database_size(current_database())"))[0][0]
