"""Wide queries on work pools, queues and workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, func, literal, select, update

from headrace.schema.filters import TimeFilter, WorkerFilter, WorkPoolFilter, WorkQueueFilter
from headrace.schema.run import Page
from headrace.schema.work_pool import WorkerStatus
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.hints import by_index
from headrace.storage.pages import Order, Query, fetch_page
from headrace.storage.pool_rows import MISSED_BEATS, PoolRow, QueueRow, WorkerRow
from headrace.storage.selections import WORK_POOL, WORK_QUEUE

_pool, _queue, _worker = t.work_pools.c, t.work_queues.c, t.workers.c

Rows = PoolRow | QueueRow | WorkerRow


def find_pools(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> list[PoolRow]:
    """The pools with some ids."""
    query = _of(t.work_pools, PoolRow, workspace_id).where(_pool.id.in_(ids))
    return [PoolRow._make(row) for row in connection.select(query)]


def list_pools(connection: Connection, workspace_id: UUID, wanted: WorkPoolFilter | None, page: Page) -> list[PoolRow]:
    """The pools that a filter names, by name."""
    named = compile_filter(wanted, WORK_POOL, DIALECTS[connection.dialect])
    query = _of(t.work_pools, PoolRow, workspace_id).where(named)
    return [PoolRow._make(row) for row in fetch_page(connection, query, Order(_pool.name, _pool.id), page)]


def count_pools(connection: Connection, workspace_id: UUID, wanted: WorkPoolFilter | None) -> int:
    """How many pools a filter names."""
    named = compile_filter(wanted, WORK_POOL, DIALECTS[connection.dialect])
    return connection.select(select(func.count()).where(_pool.workspace_id == workspace_id, named))[0][0]


def list_queues(
    connection: Connection, workspace_id: UUID, pool_id: UUID | None, wanted: WorkQueueFilter | None, page: Page
) -> list[QueueRow]:
    """The queues that a filter names, of a pool or of all; those that come first by priority first."""
    named = compile_filter(wanted, WORK_QUEUE, DIALECTS[connection.dialect])
    query = _of(t.work_queues, QueueRow, workspace_id).where(named)
    if pool_id is not None:
        query = query.where(_queue.work_pool_id == pool_id)
    return [QueueRow._make(row) for row in fetch_page(connection, query, Order(_queue.priority, _queue.id), page)]


def list_workers(
    connection: Connection,
    workspace_id: UUID,
    pool_ids: Sequence[UUID],
    wanted: WorkerFilter | None,
    page: Page,
    now: int,
) -> list[WorkerRow]:
    """The workers of pools that a filter names, those that showed themselves last first."""
    query = _of(t.workers, WorkerRow, workspace_id).where(_worker.work_pool_id.in_(pool_ids))
    query = query.where(*_worker_conditions(connection, wanted or WorkerFilter(), now))
    order = Order(_worker.last_heartbeat_time, _worker.id, descending=True)
    return [WorkerRow._make(row) for row in fetch_page(connection, query, order, page)]


def find_next_run(connection: Connection, workspace_id: UUID, queue_ids: Sequence[UUID], before: int) -> UUID | None:
    """The run that is the first to start of those which wait in some queues and are due before an instant, if any are."""
    run = t.flow_runs.c
    waiting = [run.workspace_id == workspace_id, run.next_scheduled_start_time <= before]
    query = select(run.id).where(*waiting, run.work_queue_id.in_(queue_ids))
    # Not by its queue: that would be all the runs it ever had.
    query = by_index(query, t.flow_runs, "ix_flow_runs_next_scheduled_start_time")
    rows = connection.select(query.order_by(run.next_scheduled_start_time, run.id).limit(1))
    return rows[0][0] if rows else None


def find_served_pools(connection: Connection, workspace_id: UUID, pool_ids: Sequence[UUID], now: int) -> set[UUID]:
    """Those of the pools that have a worker online."""
    query = select(_worker.work_pool_id).distinct()
    query = query.where(_worker.workspace_id == workspace_id, _worker.work_pool_id.in_(pool_ids), _is_online(now))
    return {row[0] for row in connection.select(query)}


def count_online_workers(connection: Connection, workspace_id: UUID, pool_id: UUID, now: int) -> int:
    """How many workers of a pool are online."""
    online = [_worker.workspace_id == workspace_id, _worker.work_pool_id == pool_id, _is_online(now)]
    return connection.select(select(func.count()).where(*online))[0][0]


def insert_row(connection: Connection, workspace_id: UUID, table: Table, row: Rows) -> bool:
    """Keep a pool or a queue; False when there is one of that name."""
    insert = DIALECTS[connection.dialect].insert(table).on_conflict_do_nothing()
    return bool(connection.change(insert.values(workspace_id=workspace_id, **row._asdict())))


def change_row(connection: Connection, workspace_id: UUID, table: Table, row_id: UUID, changed: dict[str, Any]) -> int:
    """Set columns of a pool or a queue; how many there were."""
    own = (table.c.workspace_id == workspace_id) & (table.c.id == row_id)
    return connection.change(update(table).where(own).values(changed))


def delete_pool(connection: Connection, workspace_id: UUID, pool_id: UUID) -> None:
    """Delete a pool with its queues and workers; what ran there, or was to, has no place any more."""
    for table in (t.workers, t.work_queues):
        own = (table.c.workspace_id == workspace_id) & (table.c.work_pool_id == pool_id)
        connection.change(delete(table).where(own))
    connection.change(delete(t.work_pools).where(_pool.workspace_id == workspace_id, _pool.id == pool_id))


def delete_queue(connection: Connection, workspace_id: UUID, queue_id: UUID) -> None:
    """Delete a queue."""
    connection.change(delete(t.work_queues).where(_queue.workspace_id == workspace_id, _queue.id == queue_id))


def delete_worker(connection: Connection, workspace_id: UUID, pool_id: UUID, name: str) -> int:
    """Forget a worker; how many there were."""
    own = [_worker.workspace_id == workspace_id, _worker.work_pool_id == pool_id, _worker.name == name]
    return connection.change(delete(t.workers).where(*own))


def move_work(
    connection: Connection, workspace_id: UUID, queue_ids: Sequence[UUID], pool_id: UUID | None, queue_id: UUID | None
) -> None:
    """Move deployments and the runs that nobody has started from queues to another, or to none."""
    place = {"work_pool_id": pool_id, "work_queue_id": queue_id}
    for table in (t.deployments, t.flow_runs):
        moved = [table.c.workspace_id == workspace_id, table.c.work_queue_id.in_(queue_ids)]
        if table is t.flow_runs:
            moved.append(table.c.next_scheduled_start_time.is_not(None))
        connection.change(update(table).where(*moved).values(place))


def _of(table: Table, row: type[Rows], workspace_id: UUID) -> Query:
    return select(*(table.c[name] for name in row._fields)).where(table.c.workspace_id == workspace_id)


def _is_online(now: int) -> ColumnElement[bool]:
    return _worker.last_heartbeat_time + MISSED_BEATS * 1_000_000 * _worker.heartbeat_interval >= literal(now)


def _worker_conditions(connection: Connection, wanted: WorkerFilter, now: int) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.last_heartbeat_time is not None:
        time: TimeFilter = wanted.last_heartbeat_time
        conditions.append(compile_filter(time, _worker.last_heartbeat_time, DIALECTS[connection.dialect]))
    if wanted.status is not None:
        given = set(WorkerStatus) if wanted.status.any_ is None else set(wanted.status.any_)
        given -= set(wanted.status.not_any_ or ())
        online = _is_online(now)
        allowed = {WorkerStatus.ONLINE: online, WorkerStatus.OFFLINE: ~online}
        conditions.append(literal(len(given) == 2) if len(given) != 1 else allowed[given.pop()])
    return conditions
