"""Work pools, queues and workers, as those who execute meet them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Insert,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from headrace.storage import tables as t
from headrace.storage.dialect import Dialect
from headrace.storage.pool_rows import PoolRow, QueueRow
from headrace.storage.statements.registry import has, insert_into, insertion, new, own, select_columns, statement


@statement
def find_pool(_: Dialect) -> Executable:
    """The pool of a name."""
    return select_columns(t.work_pools, PoolRow._fields).where(*has(t.work_pools, "name"))


@statement
def lock_pools(dialect: Dialect) -> Executable:
    """Pools with some ids, held."""
    found = [own(t.work_pools), dialect.among(t.work_pools.c.id, "ids")]
    return select_columns(t.work_pools, PoolRow._fields).where(*found).order_by(t.work_pools.c.id).with_for_update()


@statement
def find_queues_of_pool(_: Dialect) -> Executable:
    """The queues of a pool."""
    return select_columns(t.work_queues, QueueRow._fields).where(*has(t.work_queues, "work_pool_id"))


@statement
def find_queues(dialect: Dialect) -> Executable:
    """Queues with some ids."""
    found = [own(t.work_queues), dialect.among(t.work_queues.c.id, "ids")]
    return select_columns(t.work_queues, QueueRow._fields).where(*found)


@statement
def find_places(dialect: Dialect) -> Executable:
    """What queues with some ids and their pools are called."""
    queue, pool = t.work_queues.c, t.work_pools.c
    joined = t.work_queues.join(
        t.work_pools, (pool.workspace_id == queue.workspace_id) & (pool.id == queue.work_pool_id)
    )
    query = select(queue.id, queue.name, queue.last_polled, pool.id, pool.name).select_from(joined)
    return query.where(own(t.work_queues), dialect.among(queue.id, "ids"))


@statement
def find_place_limits(_: Dialect) -> Executable:
    """The limits of a queue and of its pool: names, limits, and the pool's id."""
    queue, pool = t.work_queues.c, t.work_pools.c
    joined = t.work_queues.join(
        t.work_pools, (pool.workspace_id == queue.workspace_id) & (pool.id == queue.work_pool_id)
    )
    query = select(queue.name, queue.concurrency_limit, pool.id, pool.name, pool.concurrency_limit)
    return query.select_from(joined).where(*has(t.work_queues, "id"))


@statement
def count_active(_: Dialect) -> Executable:
    """How many runs of each queue take up a place; the index `ix_flow_runs_active` holds just these."""
    run = t.flow_runs.c
    active = text(
        "flow_runs.work_queue_id IS NOT NULL AND flow_runs.state_type IN ('PENDING', 'RUNNING', 'CANCELLING')"
    )
    return (
        select(run.work_queue_id, func.count(literal_column("1")))
        .where(own(t.flow_runs), active)
        .group_by(run.work_queue_id)
    )


@statement
def poll_queues(dialect: Dialect) -> Executable:
    """Note that somebody asks queues for runs, unless that was noted a moment ago."""
    queue = t.work_queues.c
    found = [own(t.work_queues), dialect.among(queue.id, "ids"), _is_older(queue.last_polled)]
    return update(t.work_queues).where(*found).values(new(t.work_queues, "last_polled"))


@statement
def poll_deployments(dialect: Dialect) -> Executable:
    """Note that somebody asks for runs of deployments, unless that was noted a moment ago."""
    deployment = t.deployments.c
    found = [own(t.deployments), dialect.among(deployment.id, "ids"), _is_older(deployment.last_polled)]
    return update(t.deployments).where(*found).values(new(t.deployments, "last_polled"))


@insertion
def beat_workers(dialect: Dialect) -> Insert:
    """Show that workers are there."""
    insert = insert_into(dialect, t.workers)
    changed = {name: insert.excluded[name] for name in ("last_heartbeat_time", "heartbeat_interval", "updated")}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "work_pool_id", "name"], set_=changed)


def _is_older(polled: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(polled.is_(None), polled < bindparam("before", type_=BigInteger))
