"""Who is alive: the leases of attempts."""

from __future__ import annotations

from sqlalchemy import Executable, Insert, delete, literal_column, select, update

from headrace.storage import tables as t
from headrace.storage.dialect import Dialect
from headrace.storage.statements.registry import has, insert_into, insertion, new, own, statement


@statement
def find_workspaces(_: Dialect) -> Executable:
    """All workspaces, for those who look after every one."""
    return select(t.workspaces.c.id).order_by(t.workspaces.c.id)


@insertion
def take_leases(dialect: Dialect) -> Insert:
    """Take leases, whoever held them before."""
    insert = insert_into(dialect, t.leases)
    kept = {"workspace_id", "flow_run_id"}
    changed = {column.name: insert.excluded[column.name] for column in t.leases.c if column.name not in kept}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "flow_run_id"], set_=changed)


@statement
def find_lease(_: Dialect) -> Executable:
    """The lease on a flow run."""
    return select(t.leases.c.epoch).where(*has(t.leases, "flow_run_id"))


@statement
def release_lease(_: Dialect) -> Executable:
    """End the lease on a flow run."""
    return delete(t.leases).where(*has(t.leases, "flow_run_id"))


@statement
def beat_lease(_: Dialect) -> Executable:
    """Show that an attempt is alive."""
    counted = {"beats": t.leases.c.beats + 1, "suspect_since": None, **new(t.leases, "updated")}
    return update(t.leases).where(*has(t.leases, "flow_run_id", "epoch")).values(counted)


@statement
def find_locks(_: Dialect) -> Executable:
    """The attempts that show by a lock that they are alive."""
    lease = t.leases.c
    query = select(lease.flow_run_id, lease.epoch, lease.presence_name, lease.suspect_since)
    return query.where(own(t.leases), lease.presence_kind == literal_column("'lock'")).order_by(lease.flow_run_id)


@statement
def find_pulses(_: Dialect) -> Executable:
    """The attempts that show by beats that they are alive."""
    lease = t.leases.c
    query = select(lease.flow_run_id, lease.epoch, lease.beats, lease.presence_interval)
    return query.where(own(t.leases), lease.presence_kind == literal_column("'beat'")).order_by(lease.flow_run_id)


@statement
def suspect_lease(_: Dialect) -> Executable:
    """Note since when a lease's lock was found free."""
    changed = new(t.leases, "suspect_since")
    return update(t.leases).where(*has(t.leases, "flow_run_id", "epoch")).values(changed)
