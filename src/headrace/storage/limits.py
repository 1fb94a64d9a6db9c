"""Wide queries on concurrency limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update

from headrace.base.ids import uuid7
from headrace.schema.run import Page
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.pages import Order, Query, fetch_page
from headrace.storage.rows import LimitRow
from headrace.storage.texts import storable_json

_limit = t.concurrency_limits.c


def find_limit(connection: Connection, workspace_id: UUID, name: str) -> LimitRow | None:
    """The limit of a name, or with that text as its id."""
    named = find_limits(connection, workspace_id, [name])
    if named:
        return named[0]
    try:
        with_id = _limit.id == UUID(name)
    except ValueError:
        return None
    rows = connection.select(_limits(workspace_id).where(with_id))
    return LimitRow._make(rows[0]) if rows else None


def find_limits(connection: Connection, workspace_id: UUID, names: Sequence[str]) -> list[LimitRow]:
    """The limits of some names, by name."""
    query = _limits(workspace_id).where(_limit.name.in_(names)).order_by(_limit.name)
    return [LimitRow._make(row) for row in connection.select(query)]


def find_limits_by_id(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> list[LimitRow]:
    """The limits with some ids."""
    return [LimitRow._make(row) for row in connection.select(_limits(workspace_id).where(_limit.id.in_(ids)))]


def insert_lease(
    connection: Connection, workspace_id: UUID, limit: LimitRow, flow_run_id: UUID, expires: int, now: int
) -> None:
    """Let a flow run hold a slot of a limit, unless it holds slots under its own name already."""
    lease = {
        "id": uuid7(),
        "request_id": flow_run_id,
        "holder_type": "flow_run",
        "holder_id": flow_run_id,
        "names": storable_json([limit.name]),
        "expires": expires,
        "created": now,
        "updated": now,
    }
    insert = DIALECTS[connection.dialect].insert(t.slot_leases).on_conflict_do_nothing()
    if connection.change(insert.values(workspace_id=workspace_id, **lease)):
        held = {"limit_id": limit.id, "lease_id": lease["id"], "occupied": 1}
        connection.change(t.slot_holds.insert().values(workspace_id=workspace_id, **held))


def list_limits(connection: Connection, workspace_id: UUID, prefix: str, page: Page) -> list[LimitRow]:
    """Limits by name, those whose name begins with the prefix."""
    query = _limits(workspace_id)
    if prefix:
        query = query.where(_limit.name.startswith(prefix, autoescape=True))
    return [LimitRow._make(row) for row in fetch_page(connection, query, Order(_limit.name, _limit.id), page)]


def list_holders(
    connection: Connection, workspace_id: UUID, limit_id: UUID, now: int
) -> list[tuple[UUID, UUID | None]]:
    """The live leases on a limit, oldest first, each with who holds it."""
    hold, lease = t.slot_holds.c, t.slot_leases.c
    joined = t.slot_holds.join(t.slot_leases, (lease.workspace_id == hold.workspace_id) & (lease.id == hold.lease_id))
    query = (
        select(lease.id, lease.holder_id)
        .select_from(joined)
        .where(hold.workspace_id == workspace_id, hold.limit_id == limit_id, lease.expires > now)
        .order_by(lease.id)
    )
    return [(row[0], row[1]) for row in connection.select(query)]


def end_leases(connection: Connection, workspace_id: UUID, lease_ids: Sequence[UUID]) -> None:
    """End leases, whatever they are on."""
    hold, lease = t.slot_holds.c, t.slot_leases.c
    connection.change(delete(t.slot_holds).where(hold.workspace_id == workspace_id, hold.lease_id.in_(lease_ids)))
    connection.change(delete(t.slot_leases).where(lease.workspace_id == workspace_id, lease.id.in_(lease_ids)))


def _limits(workspace_id: UUID) -> Query:
    return select(*(_limit[each] for each in LimitRow._fields)).where(_limit.workspace_id == workspace_id)


def insert_limit(connection: Connection, workspace_id: UUID, row: LimitRow) -> bool:
    """Keep a limit; False when there is one of that name."""
    insert = DIALECTS[connection.dialect].insert(t.concurrency_limits).on_conflict_do_nothing()
    return bool(connection.change(insert.values(workspace_id=workspace_id, **row._asdict())))


def change_limit(connection: Connection, workspace_id: UUID, limit_id: UUID, changed: dict[str, Any]) -> None:
    """Set columns of a limit."""
    own = (_limit.workspace_id == workspace_id) & (_limit.id == limit_id)
    connection.change(update(t.concurrency_limits).where(own).values(changed))


def delete_limit(connection: Connection, workspace_id: UUID, limit_id: UUID) -> None:
    """Delete a limit, its line, and the leases that held nothing else."""
    hold, waiter, lease = t.slot_holds.c, t.slot_waiters.c, t.slot_leases.c
    own = (hold.workspace_id == workspace_id) & (hold.limit_id == limit_id)
    leases = [row[0] for row in connection.select(select(hold.lease_id).where(own))]
    connection.change(delete(t.slot_holds).where(own))
    held = select(hold.lease_id).where(hold.workspace_id == workspace_id)
    ended = [lease.workspace_id == workspace_id, lease.id.in_(leases), lease.id.not_in(held)]
    connection.change(delete(t.slot_leases).where(*ended))
    connection.change(delete(t.slot_waiters).where(waiter.workspace_id == workspace_id, waiter.limit_id == limit_id))
    connection.change(delete(t.concurrency_limits).where(_limit.workspace_id == workspace_id, _limit.id == limit_id))


def count_slots(connection: Connection, workspace_id: UUID, now: int) -> dict[UUID, int]:
    """How many slots of each limit live leases hold."""
    hold, lease = t.slot_holds.c, t.slot_leases.c
    joined = t.slot_holds.join(t.slot_leases, (lease.workspace_id == hold.workspace_id) & (lease.id == hold.lease_id))
    query = select(hold.limit_id, func.sum(hold.occupied)).select_from(joined)
    query = query.where(hold.workspace_id == workspace_id, lease.expires > now).group_by(hold.limit_id)
    return {limit_id: int(used) for limit_id, used in connection.select(query)}
