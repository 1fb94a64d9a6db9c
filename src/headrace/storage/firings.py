"""Queries on how far automations have read the log, what their triggers remember, what fired and what is to be done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, delete, exists, func, or_, select, update

from headrace.schema.event import Cursor
from headrace.storage import compiled
from headrace.storage import tables as t
from headrace.storage.automation_rows import ActionRow, BucketRow, FiringRow
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS

_cursor, _bucket = t.automation_cursors.c, t.automation_buckets.c
_firing, _action = t.automation_firings.c, t.automation_actions.c


class Spot(NamedTuple):
    """Where something is remembered."""

    automation_id: UUID
    trigger_id: UUID
    key: str


CUT = "Cut:"
"""How the key begins of what was kept from firing."""


class ChainCount(NamedTuple):
    """How many firings a chain has, and how many of those are of one automation because of what it did itself."""

    firings: int
    recurring: int


MOST_TERMS = 100
"""How many places are asked for in one statement."""


def find_cursor(connection: Connection, workspace_id: UUID) -> Cursor | None:
    """How far the log has been read; None where nobody has begun."""
    rows = connection.fetch(compiled.find_automation_cursor, {"workspace_id": workspace_id})
    return Cursor(*rows[0]) if rows else None


def hold_cursor(connection: Connection, workspace_id: UUID) -> Cursor | None:
    """How far the log has been read. Whoever holds it keeps others from reading on."""
    query = select(_cursor.xid, _cursor.id).where(_cursor.workspace_id == workspace_id)
    rows = connection.select(query.with_for_update())
    return Cursor(*rows[0]) if rows else None


def begin_cursor(connection: Connection, workspace_id: UUID, cursor: Cursor, now: int) -> None:
    """Begin to read the log at a place, unless somebody has begun."""
    insert = DIALECTS[connection.dialect].insert(t.automation_cursors).on_conflict_do_nothing()
    row = {"workspace_id": workspace_id, "xid": cursor.transaction, "id": cursor.sequence, "updated": now}
    connection.change(insert.values(row))


def move_cursor(connection: Connection, workspace_id: UUID, cursor: Cursor, now: int) -> None:
    """Say how far the log has been read."""
    told = {"xid": cursor.transaction, "id": cursor.sequence, "updated": now}
    connection.change(update(t.automation_cursors).where(_cursor.workspace_id == workspace_id).values(told))


def find_buckets(connection: Connection, workspace_id: UUID, spots: Collection[Spot]) -> list[BucketRow]:
    """What is remembered at some spots."""
    asked = sorted(spots)
    found: list[BucketRow] = []
    for start in range(0, len(asked), MOST_TERMS):
        places_of = [
            and_(_bucket.automation_id == automation, _bucket.trigger_id == trigger, _bucket.key == key)
            for automation, trigger, key in asked[start : start + MOST_TERMS]
        ]
        query = select(*(_bucket[name] for name in BucketRow._fields))
        rows = connection.select(query.where(_bucket.workspace_id == workspace_id, or_(*places_of)))
        found += [BucketRow._make(row) for row in rows]
    return found


def find_due_buckets(connection: Connection, workspace_id: UUID, now: int, limit: int) -> list[BucketRow]:
    """What is remembered of which the time has come, that which has waited longest first."""
    query = select(*(_bucket[name] for name in BucketRow._fields))
    query = query.where(_bucket.workspace_id == workspace_id, _bucket.due <= now)
    return [BucketRow._make(row) for row in connection.select(query.order_by(_bucket.due).limit(limit))]


def put_bucket(connection: Connection, workspace_id: UUID, row: BucketRow) -> None:
    """Remember something at a place."""
    insert = DIALECTS[connection.dialect].insert(t.automation_buckets)
    told = {
        "labels": row.labels,
        "state": row.state,
        "depth": row.depth,
        "cause": row.cause,
        "due": row.due,
        "updated": row.updated,
    }
    key = ["workspace_id", "automation_id", "trigger_id", "key"]
    values = insert.values(workspace_id=workspace_id, **row._asdict())
    connection.change(values.on_conflict_do_update(index_elements=key, set_=told))


def drop_bucket(connection: Connection, workspace_id: UUID, spot: Spot) -> None:
    """Forget what is remembered at a spot."""
    automation, trigger, key = spot
    own = [_bucket.automation_id == automation, _bucket.trigger_id == trigger, _bucket.key == key]
    connection.change(delete(t.automation_buckets).where(_bucket.workspace_id == workspace_id, *own))


def insert_firing(connection: Connection, workspace_id: UUID, row: FiringRow) -> bool:
    """Keep that an automation fired; False when that was known."""
    insert = DIALECTS[connection.dialect].insert(t.automation_firings).on_conflict_do_nothing()
    return bool(connection.change(insert.values(workspace_id=workspace_id, **row._asdict())))


def insert_actions(connection: Connection, workspace_id: UUID, rows: Sequence[ActionRow]) -> None:
    """Keep what is to be done."""
    insert = DIALECTS[connection.dialect].insert(t.automation_actions)
    for row in rows:
        connection.change(insert.values(workspace_id=workspace_id, **row._asdict()))


def find_firing(connection: Connection, workspace_id: UUID, firing_id: UUID) -> FiringRow | None:
    """The firing with an id."""
    query = select(*(_firing[name] for name in FiringRow._fields))
    rows = connection.select(query.where(_firing.workspace_id == workspace_id, _firing.id == firing_id))
    return FiringRow._make(rows[0]) if rows else None


def count_chain(connection: Connection, workspace_id: UUID, chain: UUID, automation_id: UUID) -> ChainCount:
    """How many firings a chain has, without what was kept from firing."""
    own = and_(_firing.automation_id == automation_id, _firing.recurring)
    query = select(func.count(), func.count(case((own, 1))))
    of_chain = [_firing.workspace_id == workspace_id, _firing.chain == chain, _firing.key.not_like(f"{CUT}%")]
    rows = connection.select(query.where(*of_chain))
    return ChainCount._make(rows[0])


def find_due_actions(connection: Connection, workspace_id: UUID, now: int, limit: int) -> list[ActionRow]:
    """What is to be done by now, in the order in which it was fired."""
    asked = {"workspace_id": workspace_id, "now": now, "limit": limit}
    return [ActionRow._make(row) for row in connection.fetch(compiled.find_due_actions, asked)]


def settle_action(connection: Connection, workspace_id: UUID, row: ActionRow, failure: str | None, now: int) -> bool:
    """Say that an action was performed, or failed; False when somebody else has performed it."""
    own = [_action.firing_id == row.firing_id, _action.number == row.number, _action.due == row.due]
    told: dict[str, Any] = {"due": None, "failure": failure, "updated": now}
    settled = update(t.automation_actions).where(_action.workspace_id == workspace_id, *own).values(told)
    return bool(connection.change(settled))


def find_old(connection: Connection, workspace_id: UUID, before: int, limit: int) -> list[UUID]:
    """Firings that are older, and of which nothing is left to do."""
    waiting = exists().where(
        _action.workspace_id == workspace_id, _action.firing_id == _firing.id, _action.due.is_not(None)
    )
    query = select(_firing.id).where(_firing.workspace_id == workspace_id, _firing.created < before, ~waiting)
    return [row[0] for row in connection.select(query.order_by(_firing.created).limit(limit))]


def delete_firings(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> None:
    """Forget firings, with what was done about them."""
    connection.change(
        delete(t.automation_actions).where(_action.workspace_id == workspace_id, _action.firing_id.in_(ids))
    )
    connection.change(delete(t.automation_firings).where(_firing.workspace_id == workspace_id, _firing.id.in_(ids)))
