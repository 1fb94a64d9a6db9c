"""Slots: the limits, the leases on them, and the line before them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Executable, Insert, Select, bindparam, delete, func, literal_column, select, update

from headrace.storage import tables as t
from headrace.storage.dialect import Dialect
from headrace.storage.rows import NEVER, LimitRow
from headrace.storage.statements.registry import has, insert_into, insertion, new, own, select_columns, statement


def _active_limits(dialect: Dialect) -> Select[*tuple[Any, ...]]:
    """The active limits of some names."""
    limit = t.concurrency_limits.c
    query = select_columns(t.concurrency_limits, LimitRow._fields)
    active = [own(t.concurrency_limits), dialect.among(limit.name, "names"), limit.active.is_(True)]
    return query.where(*active).order_by(limit.name)


@statement
def find_limits(dialect: Dialect) -> Executable:
    """The active limits of some names."""
    return _active_limits(dialect)


@statement
def lock_limits(dialect: Dialect) -> Executable:
    """The same, held: whoever takes slots holds the limits' rows, so that counting and taking are one step."""
    return _active_limits(dialect).with_for_update()


@statement
def find_deployment_limits(dialect: Dialect) -> Executable:
    """The active limits of some deployments, each after its deployment and the options of that."""
    deployment, limit = t.deployments.c, t.concurrency_limits.c
    joined = t.deployments.join(
        t.concurrency_limits,
        (limit.workspace_id == deployment.workspace_id) & (limit.id == deployment.global_concurrency_limit_id),
    )
    columns = [limit[name] for name in LimitRow._fields]
    query = select(deployment.id, deployment.concurrency_options, *columns).select_from(joined)
    return query.where(own(t.deployments), dialect.among(deployment.id, "deployment_ids"), limit.active.is_(True))


@statement
def lock_leased_limits(dialect: Dialect) -> Executable:
    """The active limits that some leases are on, held."""
    hold = t.slot_holds.c
    leased = select(hold.limit_id).where(own(t.slot_holds), dialect.among(hold.lease_id, "lease_ids"))
    return _lock(leased)


@statement
def lock_awaited_limits(_: Dialect) -> Executable:
    """The active limits that a request waits before, held."""
    return _lock(select(t.slot_waiters.c.limit_id).where(*has(t.slot_waiters, "request_id")))


def _lock(limit_ids: Select[Any]) -> Executable:
    limit = t.concurrency_limits.c
    query = select_columns(t.concurrency_limits, LimitRow._fields)
    active = [own(t.concurrency_limits), limit.id.in_(limit_ids), limit.active.is_(True)]
    return query.where(*active).order_by(limit.name).with_for_update()


@statement
def count_slots(dialect: Dialect) -> Executable:
    """How many slots of some limits live leases hold, and when the first of those leases ends."""
    hold, lease = t.slot_holds.c, t.slot_leases.c
    joined = t.slot_holds.join(t.slot_leases, (lease.workspace_id == hold.workspace_id) & (lease.id == hold.lease_id))
    query = select(hold.limit_id, func.sum(hold.occupied), func.min(lease.expires)).select_from(joined)
    alive = [own(t.slot_holds), dialect.among(hold.limit_id, "limit_ids"), lease.expires > bindparam("now")]
    return query.where(*alive).group_by(hold.limit_id)


@statement
def lock_limits_waited_for(_: Dialect) -> Executable:
    """The active limits before which somebody waits who does not ask again, held."""
    return _lock(select(t.slot_waiters.c.limit_id).where(own(t.slot_waiters), _is_patient()))


@statement
def find_anybody_patient(_: Dialect) -> Executable:
    """Somebody who waits to be called."""
    return select(t.slot_waiters.c.request_id).where(own(t.slot_waiters), _is_patient()).limit(literal_column("1"))


@statement
def find_patient(dialect: Dialect) -> Executable:
    """Those of some requests that wait to be called."""
    waiter = t.slot_waiters.c
    return select(waiter.request_id).where(own(t.slot_waiters), dialect.among(waiter.request_id, "ids"), _is_patient())


@statement
def call_patient(dialect: Dialect) -> Executable:
    """Note that requests that wait to be called have been: from now on they wait like those who ask."""
    waiter = t.slot_waiters.c
    patient = [own(t.slot_waiters), dialect.among(waiter.request_id, "ids"), _is_patient()]
    return update(t.slot_waiters).where(*patient).values(new(t.slot_waiters, "asked"))


def _is_patient() -> Any:
    return t.slot_waiters.c.asked == literal_column(str(NEVER))


@statement
def set_level(_: Dialect) -> Executable:
    """Say how much of a fading limit is in use."""
    changed = new(t.concurrency_limits, "level", "level_since")
    return update(t.concurrency_limits).where(*has(t.concurrency_limits, "id")).values(changed)


@insertion
def insert_slot_leases(dialect: Dialect) -> Insert:
    """Grant leases on slots; a request that has one gets no second."""
    return insert_into(dialect, t.slot_leases).on_conflict_do_nothing()


@insertion
def insert_slot_holds(dialect: Dialect) -> Insert:
    """Say what leases hold."""
    return insert_into(dialect, t.slot_holds)


@statement
def find_slot_lease(_: Dialect) -> Executable:
    """The lease that a request got."""
    lease = t.slot_leases.c
    return select(lease.id, lease.names, lease.expires).where(*has(t.slot_leases, "request_id"))


@statement
def find_anonymous_slot_leases(_: Dialect) -> Executable:
    """The live leases of nobody known that are on exactly some limits, oldest first."""
    lease, hold = t.slot_leases.c, t.slot_holds.c
    of_nobody = [*has(t.slot_leases, "names"), lease.holder_id.is_(None), lease.expires > bindparam("now")]
    joined = t.slot_leases.join(t.slot_holds, (hold.workspace_id == lease.workspace_id) & (hold.lease_id == lease.id))
    query = select(lease.id, func.max(hold.occupied)).select_from(joined).where(*of_nobody)
    return query.group_by(lease.id).order_by(lease.id)


@statement
def set_slot_lease(_: Dialect) -> Executable:
    """Say when a lease runs out that is somebody's."""
    return update(t.slot_leases).where(*has(t.slot_leases, "id")).values(new(t.slot_leases, "expires", "updated"))


@statement
def find_ended_slot_leases(_: Dialect) -> Executable:
    """Leases that have run out, a few at a time."""
    lease = t.slot_leases.c
    return select(lease.id).where(own(t.slot_leases), lease.expires <= bindparam("now")).limit(100)


@statement
def renew_slot_lease(_: Dialect) -> Executable:
    """Let a lease that has not run out last longer."""
    alive = [*has(t.slot_leases, "id"), t.slot_leases.c.expires > bindparam("now")]
    return update(t.slot_leases).where(*alive).values(new(t.slot_leases, "expires", "updated"))


@statement
def end_slot_lease(_: Dialect) -> Executable:
    """End a lease that has not run out."""
    alive = [*has(t.slot_leases, "id"), t.slot_leases.c.expires > bindparam("now")]
    return delete(t.slot_leases).where(*alive)


@statement
def delete_slot_leases(dialect: Dialect) -> Executable:
    """Forget leases."""
    return delete(t.slot_leases).where(own(t.slot_leases), dialect.among(t.slot_leases.c.id, "ids"))


@statement
def delete_slot_holds(dialect: Dialect) -> Executable:
    """Forget what leases held."""
    return delete(t.slot_holds).where(own(t.slot_holds), dialect.among(t.slot_holds.c.lease_id, "ids"))


@insertion
def stand_in_line(dialect: Dialect) -> Insert:
    """Take places in lines, or show that one still stands there."""
    insert = insert_into(dialect, t.slot_waiters, without=("sequence",))
    return insert.on_conflict_do_update(
        index_elements=["workspace_id", "request_id", "limit_id"], set_={"asked": insert.excluded.asked}
    )


@statement
def find_line(dialect: Dialect) -> Executable:
    """All that those wait for who wait before some limits and have asked lately, in the order of coming."""
    waiter, limit = t.slot_waiters.c, t.concurrency_limits.c
    there = [own(t.slot_waiters), dialect.among(waiter.limit_id, "limit_ids"), waiter.asked > bindparam("since")]
    wanted = t.slot_waiters.join(
        t.concurrency_limits, (limit.workspace_id == waiter.workspace_id) & (limit.id == waiter.limit_id)
    )
    return (
        select(waiter.request_id, limit.name, waiter.occupy)
        .select_from(wanted)
        .where(own(t.slot_waiters), waiter.request_id.in_(select(waiter.request_id).where(*there)))
        .order_by(waiter.sequence)
    )


@statement
def leave_line(_: Dialect) -> Executable:
    """Give up a request's places."""
    return delete(t.slot_waiters).where(*has(t.slot_waiters, "request_id"))


@statement
def clear_line(dialect: Dialect) -> Executable:
    """Give up the places of those who have not asked for a while."""
    waiter = t.slot_waiters.c
    gone = [own(t.slot_waiters), dialect.among(waiter.limit_id, "limit_ids"), waiter.asked <= bindparam("since")]
    return delete(t.slot_waiters).where(*gone)
