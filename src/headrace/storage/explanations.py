"""Wide queries for who holds what, and for why a run is not running."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, literal, select

from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.hints import by_index
from headrace.storage.occupancy import ACTIVE
from headrace.storage.rows import LimitRow

AWAITING_SLOT = "AwaitingConcurrencySlot"


class HolderRow(NamedTuple):
    """A live lease on a limit, or a run that takes up a place: who holds it, since when, and until when."""

    holder_type: str
    holder_id: UUID | None
    occupied: int
    since: int
    expires: int


class LeaseRow(NamedTuple):
    """The lease on a flow run."""

    holder: str | None
    presence_kind: str
    created: int


class WaitRow(NamedTuple):
    """A request that waits in line for a limit, made by a flow run or a task run of it."""

    holder_id: UUID
    limit_id: UUID
    created: int


def list_slot_holders(
    connection: Connection, workspace_id: UUID, limit_id: UUID, now: int, most: int
) -> list[HolderRow]:
    """The first of the live leases on a limit."""
    hold, lease = t.slot_holds.c, t.slot_leases.c
    joined = t.slot_holds.join(t.slot_leases, (lease.workspace_id == hold.workspace_id) & (lease.id == hold.lease_id))
    query = select(lease.holder_type, lease.holder_id, hold.occupied, lease.created, lease.expires)
    live = [hold.workspace_id == workspace_id, hold.limit_id == limit_id, lease.expires > now]
    rows = connection.select(query.select_from(joined).where(*live).order_by(lease.created, lease.id).limit(most))
    return [HolderRow._make(row) for row in rows]


def list_place_holders(
    connection: Connection, workspace_id: UUID, queue_ids: Collection[UUID], never: int, most: int
) -> list[HolderRow]:
    """The first of the runs that take up a place in some queues."""
    run = t.flow_runs.c
    since = func.coalesce(run.start_time, run.state_timestamp)
    query = select(literal("flow_run"), run.id, literal(1), since, literal(never))
    active = [run.workspace_id == workspace_id, run.work_queue_id.in_(queue_ids), ACTIVE]
    query = by_index(query.where(*active), t.flow_runs, "ix_flow_runs_active")
    rows = connection.select(query.order_by(since, run.id).limit(most))
    return [HolderRow._make(row) for row in rows]


def name_runs(connection: Connection, workspace_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """What flow runs and task runs are called."""
    named: dict[UUID, str] = {}
    for run in (t.flow_runs.c, t.task_runs.c):
        query = select(run.id, run.name).where(run.workspace_id == workspace_id, run.id.in_(ids))
        named.update((row[0], row[1]) for row in connection.select(query))
    return named


def find_limits_with_ids(connection: Connection, workspace_id: UUID, ids: Collection[UUID]) -> dict[UUID, LimitRow]:
    """The limits with some ids, by them."""
    limit = t.concurrency_limits.c
    query = select(*(limit[name] for name in LimitRow._fields))
    rows = connection.select(query.where(limit.workspace_id == workspace_id, limit.id.in_(ids)))
    return {row[0]: LimitRow._make(row) for row in rows}


def find_lease(connection: Connection, workspace_id: UUID, flow_run_id: UUID) -> LeaseRow | None:
    """Who holds a run."""
    lease = t.leases.c
    query = select(lease.holder, lease.presence_kind, lease.created)
    rows = connection.select(query.where(lease.workspace_id == workspace_id, lease.flow_run_id == flow_run_id))
    return LeaseRow._make(rows[0]) if rows else None


def find_parent(connection: Connection, workspace_id: UUID, flow_run_id: UUID) -> UUID | None:
    """The flow run that has called a flow run."""
    run = t.flow_runs.c
    query = select(run.parent_flow_run_id).where(run.workspace_id == workspace_id, run.id == flow_run_id)
    rows = connection.select(query)
    return rows[0][0] if rows else None


def last_seen(connection: Connection, workspace_id: UUID, pool_id: UUID) -> int | None:
    """When a worker of a pool has last shown itself."""
    worker = t.workers.c
    query = select(func.max(worker.last_heartbeat_time))
    rows = connection.select(query.where(worker.workspace_id == workspace_id, worker.work_pool_id == pool_id))
    return rows[0][0]


def count_ahead(connection: Connection, workspace_id: UUID, limit_id: UUID, request_id: UUID) -> int | None:
    """How many requests came before one in the line before a limit; None when it does not stand there."""
    waiter = t.slot_waiters.c
    line = [waiter.workspace_id == workspace_id, waiter.limit_id == limit_id]
    rows = connection.select(select(waiter.sequence).where(*line, waiter.request_id == request_id))
    if not rows:
        return None
    return connection.select(select(func.count()).where(*line, waiter.sequence < rows[0][0]))[0][0]


def list_waits(connection: Connection, workspace_id: UUID, holder_ids: Sequence[UUID]) -> list[WaitRow]:
    """What flow runs and task runs wait for in line, in the order of coming."""
    waiter = t.slot_waiters.c
    query = select(waiter.holder_id, waiter.limit_id, waiter.created)
    wanted = [waiter.workspace_id == workspace_id, waiter.holder_id.in_(holder_ids)]
    return [WaitRow._make(row) for row in connection.select(query.where(*wanted).order_by(waiter.sequence))]


def list_tags(connection: Connection, workspace_id: UUID, task_run_id: UUID) -> list[str]:
    """The tags of a task run."""
    tag = t.task_run_tags.c
    query = select(tag.tag).where(tag.workspace_id == workspace_id, tag.run_id == task_run_id).order_by(tag.tag)
    return [row[0] for row in connection.select(query)]


def list_waiting_tasks(
    connection: Connection, workspace_id: UUID, flow_run_id: UUID, most: int
) -> list[tuple[UUID, str, int]]:
    """The first task runs of a flow run that wait for slots: id, name, since when."""
    run = t.task_runs.c
    query = select(run.id, run.name, run.state_timestamp)
    waiting = [run.workspace_id == workspace_id, run.flow_run_id == flow_run_id, run.state_name == AWAITING_SLOT]
    rows = connection.select(query.where(*waiting).order_by(run.state_timestamp, run.id).limit(most))
    return [(row[0], row[1], row[2]) for row in rows]
