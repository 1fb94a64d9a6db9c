"""Who takes up places in work pools and queues, and whether queues are well."""

from __future__ import annotations

from uuid import UUID

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.orchestration.administration.office import LARGEST_PAGE, Office, checked
from headrace.orchestration.places import count_active, list_queues, load_pool
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import LATE
from headrace.schema.occupancy import HealthPolicy, PoolOccupancy, QueueHealth, QueueInPool, QueueOccupancy
from headrace.schema.run import Page
from headrace.storage import compiled
from headrace.storage import occupancy as queries
from headrace.storage.pool_rows import QueueRow, was_polled
from headrace.storage.rows import to_instant


class OccupancyVerbs(Office):
    """The verbs on places in work pools and queues."""

    def read_work_pool_occupancy(
        self, name: str, page: int = 1, limit: int | None = None, runs: int = 10
    ) -> PoolOccupancy:
        part = _cut(page, limit)
        checked(Page(runs))

        def read(unit: Unit) -> PoolOccupancy:
            pool = load_pool(unit, name)
            queues = sorted(list_queues(unit, pool), key=_order)
            shown = queues[part.offset : part.offset + part.limit]
            active = count_active(unit)
            busy = [queue.id for queue in shown if runs and queue.id in active]
            first = {
                queue_id: queries.list_active(unit.connection, unit.workspace_id, queue_id, Page(runs))
                for queue_id in busy
            }
            return PoolOccupancy(
                active_slots=sum(active.get(queue.id, 0) for queue in queues),
                concurrency_limit=pool.concurrency_limit,
                queues=[
                    QueueInPool(
                        queue_id=queue.id,
                        queue_name=queue.name,
                        active_slots=active.get(queue.id, 0),
                        concurrency_limit=queue.concurrency_limit,
                        flow_runs=[queries.to_active_run(row, unit.now) for row in first.get(queue.id, ())],
                        flow_run_count=active.get(queue.id, 0),
                    )
                    for queue in shown
                ],
                count=len(queues),
                limit=part.limit,
                pages=_count_pages(len(queues), part.limit),
                page=page,
            )

        return self._read_runs(read)

    def read_work_queue_occupancy(self, queue_id: UUID, page: int = 1, limit: int | None = None) -> QueueOccupancy:
        part = _cut(page, limit)

        def read(unit: Unit) -> QueueOccupancy:
            queue = _load(unit, queue_id)
            active = count_active(unit).get(queue_id, 0)
            rows = queries.list_active(unit.connection, unit.workspace_id, queue_id, part)
            return QueueOccupancy(
                active_slots=active,
                concurrency_limit=queue.concurrency_limit,
                flow_runs=[queries.to_active_run(row, unit.now) for row in rows],
                count=active,
                limit=part.limit,
                pages=_count_pages(active, part.limit),
                page=page,
            )

        return self._read_runs(read)

    def read_work_queue_health(self, queue_id: UUID) -> QueueHealth:
        def read(unit: Unit) -> QueueHealth:
            queue = _load(unit, queue_id)
            policy = HealthPolicy()
            late = queries.count_late(unit.connection, unit.workspace_id, queue_id, LATE)
            return QueueHealth(
                healthy=late <= (policy.maximum_late_runs or 0) and was_polled(queue.last_polled, unit.now),
                late_runs_count=late,
                last_polled=to_instant(queue.last_polled),
                health_check_policy=policy,
            )

        return self._read_runs(read)


def _cut(page: int, limit: int | None) -> Page:
    """The part of a list that a page is. Raises `InvalidRequest` for one that there cannot be."""
    if page < 1:
        raise InvalidRequest(f"Pages are counted from 1; {page} was asked for.")
    size = LARGEST_PAGE if limit is None else limit
    return checked(Page(size, (page - 1) * size))


def _count_pages(count: int, limit: int) -> int:
    return -(-count // limit) if limit else 0


def _load(unit: Unit, queue_id: UUID) -> QueueRow:
    rows = unit.fetch(compiled.find_queues, ids=[queue_id])
    if not rows:
        raise ObjectNotFound(f"There is no work queue with id {queue_id}.")
    return QueueRow._make(rows[0])


def _order(queue: QueueRow) -> tuple[int, UUID]:
    return queue.priority, queue.id
