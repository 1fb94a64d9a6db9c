"""Who is served, and of whom something else was told last: wide queries that give only what has changed."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, update

from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.pages import Query
from headrace.storage.pool_rows import MISSED_BEATS, POLLED_LATELY

_told, _pool, _queue = t.told_statuses.c, t.work_pools.c, t.work_queues.c
_worker, _deployment = t.workers.c, t.deployments.c

READY, NOT_READY, PAUSED, ONLINE, OFFLINE = "READY", "NOT_READY", "PAUSED", "ONLINE", "OFFLINE"


class Change(NamedTuple):
    """Something whose status is not what was told of it. `before` is what was told, None if nothing was.

    A queue's and a worker's pool and a deployment's flow, pool and queue are those it belongs to.
    """

    kind: str
    subject_id: UUID
    name: str
    status: str
    before: str | None
    flow_id: UUID | None = None
    work_pool_id: UUID | None = None
    work_queue_id: UUID | None = None


def find_changes(connection: Connection, workspace_id: UUID, now: int, limit: int) -> list[Change]:
    """What has become another status since it was told, at most so many of each kind."""
    found: list[Change] = []
    for kind, query, silent in (
        ("work-pool", _pools(workspace_id, now), NOT_READY),
        ("work-queue", _queues(workspace_id, now), NOT_READY),
        ("deployment", _deployments(workspace_id, now), NOT_READY),
        ("worker", _workers(workspace_id, now), OFFLINE),
    ):
        status = query.subquery()
        told = and_(_told.workspace_id == workspace_id, _told.kind == kind, _told.subject_id == status.c.subject_id)
        changed = (
            select(status, _told.status.label("before"))
            .select_from(status.outerjoin(t.told_statuses, told))
            .where(status.c.status != func.coalesce(_told.status, silent))
            .limit(limit)
        )
        found += [
            Change(kind=kind, **dict(zip(changed.selected_columns.keys(), row, strict=True)))
            for row in connection.select(changed)
        ]
    return found


def tell(connection: Connection, workspace_id: UUID, change: Change, now: int) -> bool:
    """Note that a change is told; False when somebody else has done so."""
    if change.before is None:
        insert = DIALECTS[connection.dialect].insert(t.told_statuses).on_conflict_do_nothing()
        row = {"kind": change.kind, "subject_id": change.subject_id, "status": change.status, "since": now}
        return bool(connection.change(insert.values(workspace_id=workspace_id, **row)))
    as_told = [
        _told.workspace_id == workspace_id,
        _told.kind == change.kind,
        _told.subject_id == change.subject_id,
        _told.status == change.before,
    ]
    return bool(connection.change(update(t.told_statuses).where(*as_told).values(status=change.status, since=now)))


def _pools(workspace_id: UUID, now: int) -> Query:
    served = exists().where(_worker.workspace_id == workspace_id, _worker.work_pool_id == _pool.id, _is_online(now))
    status = case((_pool.is_paused, literal(PAUSED)), (served, literal(READY)), else_=literal(NOT_READY))
    query = select(_pool.id.label("subject_id"), _pool.name, status.label("status"))
    return query.where(_pool.workspace_id == workspace_id)


def _queues(workspace_id: UUID, now: int) -> Query:
    polled = _queue.last_polled >= now - POLLED_LATELY
    status = case((_queue.is_paused, literal(PAUSED)), (polled, literal(READY)), else_=literal(NOT_READY))
    query = select(_queue.id.label("subject_id"), _queue.name, status.label("status"), _queue.work_pool_id)
    return query.where(_queue.workspace_id == workspace_id)


def _deployments(workspace_id: UUID, now: int) -> Query:
    since = now - POLLED_LATELY
    polled = or_(_deployment.last_polled >= since, _queue.last_polled >= since)
    query = select(
        _deployment.id.label("subject_id"),
        _deployment.name,
        case((polled, literal(READY)), else_=literal(NOT_READY)).label("status"),
        _deployment.flow_id,
        _deployment.work_pool_id,
        _deployment.work_queue_id,
    )
    its_queue = and_(_queue.workspace_id == workspace_id, _queue.id == _deployment.work_queue_id)
    placed = t.deployments.outerjoin(t.work_queues, its_queue)
    return query.select_from(placed).where(_deployment.workspace_id == workspace_id)


def _workers(workspace_id: UUID, now: int) -> Query:
    status = case((_is_online(now), literal(ONLINE)), else_=literal(OFFLINE))
    query = select(_worker.id.label("subject_id"), _worker.name, status.label("status"), _worker.work_pool_id)
    return query.where(_worker.workspace_id == workspace_id)


def _is_online(now: int) -> ColumnElement[bool]:
    return _worker.last_heartbeat_time + MISSED_BEATS * 1_000_000 * _worker.heartbeat_interval >= now
