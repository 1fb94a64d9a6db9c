"""Work pools with their queues and workers: made, looked at, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct

from headrace.base.clock import to_micros
from headrace.base.errors import InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.places import count_active, list_queues, load_pool, load_queue, load_queue_by_id
from headrace.orchestration.room import change_pool, change_queue, tell_of_room
from headrace.orchestration.unit import Unit
from headrace.schema.filters import WorkerFilter, WorkPoolFilter, WorkQueueFilter
from headrace.schema.job_template import TEMPLATES
from headrace.schema.run import Page
from headrace.schema.work_pool import (
    DEFAULT_QUEUE,
    Worker,
    WorkPool,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
    WorkQueueCreate,
    WorkQueueUpdate,
)
from headrace.storage import tables
from headrace.storage import work_pools as queries
from headrace.storage.pool_rows import PoolRow, QueueRow, to_work_pool, to_work_queue, to_worker
from headrace.storage.texts import storable, storable_json

NULLABLE = frozenset({"description", "concurrency_limit", "last_polled"})
"""What may be null; null for anything else changes nothing."""


class WorkPoolVerbs(Office):
    """The verbs on work pools, queues and workers."""

    def create_work_pool(self, pool: WorkPoolCreate) -> WorkPool:
        def create(unit: Unit) -> WorkPool | None:
            queue_id = uuid7()
            row = PoolRow(
                id=uuid7(),
                name=storable(pool.name),
                type=storable(pool.type),
                description=pool.description and storable(pool.description),
                base_job_template=storable_json(pool.base_job_template or TEMPLATES.get(pool.type, {})),
                is_paused=pool.is_paused,
                concurrency_limit=pool.concurrency_limit,
                default_queue_id=queue_id,
                storage_configuration=storable_json(pool.storage_configuration),
                created=unit.now,
                updated=unit.now,
            )
            if not queries.insert_row(unit.connection, unit.workspace_id, tables.work_pools, row):
                return None
            described = WorkQueueCreate(name=DEFAULT_QUEUE, description="The work pool's default queue.", priority=1)
            _insert_queue(unit, row, described, queue_id)
            return _show_pools(unit, [row])[0]

        made = self._desk.write(create)
        if made is None:
            raise ObjectAlreadyExists(f"There is a work pool called {pool.name!r} already.")
        return made

    def read_work_pool(self, name: str) -> WorkPool:
        return self._desk.read(lambda unit: _show_pools(unit, [load_pool(unit, name)])[0])

    def list_work_pools(self, wanted: WorkPoolFilter | None = None, page: Page = Page()) -> list[WorkPool]:
        part = checked(page)

        def list_them(unit: Unit) -> list[WorkPool]:
            return _show_pools(unit, queries.list_pools(unit.connection, unit.workspace_id, wanted, part))

        return self._desk.read(list_them)

    def count_work_pools(self, wanted: WorkPoolFilter | None = None) -> int:
        return self._desk.read(lambda unit: queries.count_pools(unit.connection, unit.workspace_id, wanted))

    def update_work_pool(self, name: str, update: WorkPoolUpdate) -> None:
        def change(unit: Unit) -> None:
            changed = _told(update, unit.now)
            for column in ("base_job_template", "storage_configuration"):
                if column in changed:
                    changed[column] = storable_json(changed[column])
            row = load_pool(unit, name)
            change_pool(unit, row, changed)

        self._desk.write(change)

    def delete_work_pool(self, name: str) -> None:
        def delete(unit: Unit) -> None:
            row = load_pool(unit, name)
            queues = [queue.id for queue in list_queues(unit, row)]
            queries.move_work(unit.connection, unit.workspace_id, queues, None, None)
            queries.delete_pool(unit.connection, unit.workspace_id, row.id)

        self._desk.write(delete)

    def create_work_queue(self, pool_name: str, queue: WorkQueueCreate) -> WorkQueue:
        def create(unit: Unit) -> WorkQueue | None:
            pool = load_pool(unit, pool_name)
            row = _insert_queue(unit, pool, queue, uuid7())
            return None if row is None else _show_queues(unit, [row])[0]

        made = self._desk.write(create)
        if made is None:
            raise ObjectAlreadyExists(f"Work pool {pool_name!r} has a queue called {queue.name!r} already.")
        return made

    def read_work_queue(self, queue_id: UUID) -> WorkQueue:
        return self._desk.read(lambda unit: _show_queues(unit, [load_queue_by_id(unit, queue_id)])[0])

    def read_work_queue_by_name(self, pool_name: str, name: str) -> WorkQueue:
        def read(unit: Unit) -> WorkQueue:
            return _show_queues(unit, [load_queue(unit, load_pool(unit, pool_name), name)])[0]

        return self._desk.read(read)

    def list_work_queues(
        self, pool_name: str | None = None, wanted: WorkQueueFilter | None = None, page: Page = Page()
    ) -> list[WorkQueue]:
        part = checked(page)

        def list_them(unit: Unit) -> list[WorkQueue]:
            pool_id = None if pool_name is None else load_pool(unit, pool_name).id
            return _show_queues(unit, queries.list_queues(unit.connection, unit.workspace_id, pool_id, wanted, part))

        return self._desk.read(list_them)

    def update_work_queue(self, queue_id: UUID, update: WorkQueueUpdate) -> None:
        def change(unit: Unit) -> None:
            row = load_queue_by_id(unit, queue_id)
            changed = _told(update, unit.now)
            changed.pop("filter", None)
            if changed.get("last_polled") is not None:
                changed["last_polled"] = to_micros(changed["last_polled"])
            named = changed.get("name", row.name)
            pool = queries.find_pools(unit.connection, unit.workspace_id, [row.work_pool_id])[0]
            if named != row.name and any(queue.name == named for queue in list_queues(unit, pool)):
                raise ObjectAlreadyExists(f"Work pool {pool.name!r} has a queue called {named!r} already.")
            change_queue(unit, row, changed)

        self._desk.write(change)

    def delete_work_queue(self, queue_id: UUID) -> None:
        def delete(unit: Unit) -> None:
            row = load_queue_by_id(unit, queue_id)
            pool = queries.find_pools(unit.connection, unit.workspace_id, [row.work_pool_id])[0]
            if pool.default_queue_id == queue_id:
                raise InvalidRequest(f"{row.name!r} is the default queue of work pool {pool.name!r}: it stays with it.")
            queries.move_work(unit.connection, unit.workspace_id, [queue_id], pool.id, pool.default_queue_id)
            queries.delete_queue(unit.connection, unit.workspace_id, queue_id)
            tell_of_room(unit, [pool.default_queue_id])

        self._desk.write(delete)

    def list_workers(self, pool_name: str, wanted: WorkerFilter | None = None, page: Page = Page()) -> list[Worker]:
        part = checked(page)

        def list_them(unit: Unit) -> list[Worker]:
            pools = [load_pool(unit, pool_name).id]
            rows = queries.list_workers(unit.connection, unit.workspace_id, pools, wanted, part, unit.now)
            return [to_worker(row, unit.now) for row in rows]

        return self._desk.read(list_them)

    def delete_worker(self, pool_name: str, name: str) -> None:
        def delete(unit: Unit) -> int:
            pool = load_pool(unit, pool_name)
            return queries.delete_worker(unit.connection, unit.workspace_id, pool.id, name)

        if not self._desk.write(delete):
            raise ObjectNotFound(f"Work pool {pool_name!r} has no worker called {name!r}.")


def _show_pools(unit: Unit, rows: Sequence[PoolRow]) -> list[WorkPool]:
    served = queries.find_served_pools(unit.connection, unit.workspace_id, [row.id for row in rows], unit.now)
    active = count_active(unit)
    slots = {row.id: sum(active.get(queue.id, 0) for queue in list_queues(unit, row)) if active else 0 for row in rows}
    return [to_work_pool(row, slots[row.id], row.id in served) for row in rows]


def _show_queues(unit: Unit, rows: Sequence[QueueRow]) -> list[WorkQueue]:
    pools = queries.find_pools(unit.connection, unit.workspace_id, [*{row.work_pool_id for row in rows}])
    names = {pool.id: pool.name for pool in pools}
    active = count_active(unit)
    return [to_work_queue(row, names, active, unit.now) for row in rows]


def _insert_queue(unit: Unit, pool: PoolRow, queue: WorkQueueCreate, queue_id: UUID) -> QueueRow | None:
    priorities = [known.priority for known in list_queues(unit, pool)]
    row = QueueRow(
        id=queue_id,
        work_pool_id=pool.id,
        name=storable(queue.name),
        description=queue.description and storable(queue.description),
        is_paused=queue.is_paused,
        concurrency_limit=queue.concurrency_limit,
        priority=queue.priority or max(priorities, default=0) + 1,
        last_polled=None,
        created=unit.now,
        updated=unit.now,
    )
    return row if queries.insert_row(unit.connection, unit.workspace_id, tables.work_queues, row) else None


def _told(update: Struct, now: int) -> dict[str, Any]:
    """The columns that an update speaks of."""
    told = {name: getattr(update, name) for name in update.__struct_fields__}
    changed = {
        name: storable(value) if isinstance(value, str) else value
        for name, value in told.items()
        if value is not UNSET and (value is not None or name in NULLABLE)
    }
    return changed | {"updated": now}
