"""Who holds the slots of a limit, whatever it is on: code, tags, the runs of a deployment, a work pool or a queue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.orchestration.deployment_limits import OWN_LIMIT
from headrace.orchestration.deployments import load_deployment
from headrace.orchestration.places import count_active, list_queues, load_pool, load_queue
from headrace.orchestration.slots import to_limit
from headrace.orchestration.unit import Unit
from headrace.rules.slots import TAG_LIMIT
from headrace.schema.explanation import HeldLimit, LimitKind, SlotHolder
from headrace.storage import explanations as queries
from headrace.storage import limits
from headrace.storage.explanations import HolderRow
from headrace.storage.pool_rows import PoolRow, QueueRow
from headrace.storage.rows import NEVER, LimitRow

SHOWN = 50
"""How many holders of a limit are told of."""


def read_held_limit(unit: Unit, kind: LimitKind, name: str) -> HeldLimit:
    """A limit and who holds it. Raises `ObjectNotFound`, and `InvalidRequest` for a name that does not say what it is on.

    A work queue is named `POOL/QUEUE`, a deployment by its id.
    """
    if kind == "pool":
        return tell_pool(unit, load_pool(unit, name))
    if kind == "queue":
        pool_name, slash, queue_name = name.partition("/")
        if not slash:
            raise InvalidRequest(f"A work queue is named POOL/QUEUE, not {name!r}.")
        return tell_queue(unit, load_queue(unit, load_pool(unit, pool_name), queue_name))
    if kind == "deployment":
        return _read_limit_of_deployment(unit, name)
    found = limits.find_limit(unit.connection, unit.workspace_id, f"{TAG_LIMIT}{name}" if kind == "tag" else name)
    if found is None:
        what = "tag" if kind == "tag" else "name"
        raise ObjectNotFound(f"There is no concurrency limit of the {what} {name!r}.")
    return tell_limit(unit, found)


def tell_limit(unit: Unit, row: LimitRow) -> HeldLimit:
    """A limit that slots are held of."""
    used = limits.count_slots(unit.connection, unit.workspace_id, unit.now)
    kind: LimitKind = "global"
    name = row.name
    if row.name.startswith(TAG_LIMIT):
        kind, name = "tag", row.name.removeprefix(TAG_LIMIT)
    elif row.name.startswith(OWN_LIMIT):
        kind, name = "deployment", row.name.removeprefix(OWN_LIMIT)
    holders = queries.list_slot_holders(unit.connection, unit.workspace_id, row.id, unit.now, SHOWN)
    return HeldLimit(
        kind=kind,
        name=name,
        limit=row.slots,
        used=to_limit(row, used, unit.now).active_slots,
        holders=_tell_holders(unit, holders),
    )


def tell_pool(unit: Unit, pool: PoolRow) -> HeldLimit:
    """The limit of a work pool."""
    ids = [queue.id for queue in list_queues(unit, pool)]
    return _tell_place(unit, "pool", pool.name, pool.concurrency_limit, ids)


def tell_queue(unit: Unit, queue: QueueRow) -> HeldLimit:
    """The limit of a work queue."""
    return _tell_place(unit, "queue", queue.name, queue.concurrency_limit, [queue.id])


def _read_limit_of_deployment(unit: Unit, name: str) -> HeldLimit:
    try:
        deployment = load_deployment(unit, UUID(name))
    except ValueError:
        raise InvalidRequest(f"A deployment is named by its id here, not {name!r}.") from None
    limit_id = deployment.global_concurrency_limit_id
    found = queries.find_limits_with_ids(unit.connection, unit.workspace_id, [limit_id]) if limit_id else {}
    if not found:
        raise ObjectNotFound(f"Deployment {deployment.name!r} has no concurrency limit.")
    return tell_limit(unit, next(iter(found.values())))


def _tell_place(unit: Unit, kind: LimitKind, name: str, limit: int | None, queue_ids: Collection[UUID]) -> HeldLimit:
    active = count_active(unit)
    rows = queries.list_place_holders(unit.connection, unit.workspace_id, queue_ids, NEVER, SHOWN)
    used = sum(active.get(queue_id, 0) for queue_id in queue_ids)
    return HeldLimit(kind=kind, name=name, limit=limit, used=used, holders=_tell_holders(unit, rows))


def _tell_holders(unit: Unit, rows: Sequence[HolderRow]) -> list[SlotHolder]:
    ids = [row.holder_id for row in rows if row.holder_id is not None]
    names = queries.name_runs(unit.connection, unit.workspace_id, ids) if ids else {}
    return [
        SlotHolder(
            type=row.holder_type,
            id=row.holder_id,
            name=None if row.holder_id is None else names.get(row.holder_id),
            slots=row.occupied,
            since=to_datetime(row.since),
            until=None if row.expires == NEVER else to_datetime(row.expires),
        )
        for row in rows
    ]
