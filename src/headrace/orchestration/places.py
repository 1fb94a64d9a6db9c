"""Where runs go: pools and queues by name and by id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.unit import Unit
from headrace.schema.run import FlowRun
from headrace.schema.work_pool import WorkerBeat
from headrace.storage import compiled
from headrace.storage.pool_rows import PlaceRow, PoolRow, QueueRow

USUAL_BEAT = 30.0
"""Seconds between two signs of a worker that does not say."""


class Place(NamedTuple):
    """A queue of a pool; nowhere, for runs that no worker is to start."""

    work_pool_id: UUID | None = None
    work_queue_id: UUID | None = None


def find_place(unit: Unit, pool_name: str | None, queue_name: str | None) -> Place:
    """The queue of that name in the pool of that name, or the pool's default queue. Raises `ObjectNotFound`."""
    if pool_name is None:
        if queue_name is not None:
            raise InvalidRequest(f"A queue belongs to a work pool: name the pool of {queue_name!r} as well.")
        return Place()
    pool = load_pool(unit, pool_name)
    if queue_name is None:
        return Place(pool.id, pool.default_queue_id)
    return Place(pool.id, load_queue(unit, pool, queue_name).id)


def load_pool(unit: Unit, name: str) -> PoolRow:
    """The pool of a name. Raises `ObjectNotFound`."""
    rows = unit.fetch(compiled.find_pool, name=name)
    if not rows:
        raise ObjectNotFound(f"There is no work pool called {name!r}.")
    return PoolRow._make(rows[0])


def load_queue(unit: Unit, pool: PoolRow, name: str) -> QueueRow:
    """The queue of a name in a pool. Raises `ObjectNotFound`."""
    for queue in list_queues(unit, pool):
        if queue.name == name:
            return queue
    raise ObjectNotFound(f"Work pool {pool.name!r} has no queue called {name!r}.")


def load_queue_by_id(unit: Unit, queue_id: UUID) -> QueueRow:
    """The queue of an id. Raises `ObjectNotFound`."""
    rows = unit.fetch(compiled.find_queues, ids=[queue_id])
    if not rows:
        raise ObjectNotFound(f"There is no work queue with id {queue_id}.")
    return QueueRow._make(rows[0])


def list_queues(unit: Unit, pool: PoolRow) -> list[QueueRow]:
    """The queues of a pool."""
    return [QueueRow._make(row) for row in unit.fetch(compiled.find_queues_of_pool, work_pool_id=pool.id)]


def find_places(unit: Unit, queue_ids: Collection[UUID | None]) -> dict[UUID, PlaceRow]:
    """What queues and their pools are called, by the queue's id; queues that are gone are left out."""
    ids = [each for each in {*queue_ids} if each is not None]
    rows = unit.fetch(compiled.find_places, ids=ids) if ids else []
    return {row[0]: PlaceRow._make(row) for row in rows}


def name_places(unit: Unit, runs: Sequence[FlowRun]) -> None:
    """Say in runs what their pools and queues are called."""
    places = find_places(unit, {run.work_queue_id for run in runs})
    for run in runs:
        place = None if run.work_queue_id is None else places.get(run.work_queue_id)
        if place is not None:
            run.work_queue_name, run.work_pool_name = place.work_queue_name, place.work_pool_name


def count_active(unit: Unit) -> dict[UUID, int]:
    """How many runs of each queue are pending, running or being cancelled."""
    return {row[0]: row[1] for row in unit.fetch(compiled.count_active)}


def is_limited(unit: Unit, queue_id: UUID) -> bool:
    """Whether a queue or its pool has a limit."""
    return any(row[1] is not None or row[4] is not None for row in unit.fetch(compiled.find_place_limits, id=queue_id))


def find_full(unit: Unit, queue_id: UUID) -> str | None:
    """Which of a queue and its pool executes as many runs as it may, if one does. A pool where anything is limited is held."""
    for queue_name, queue_limit, pool_id, pool_name, pool_limit in unit.fetch(compiled.find_place_limits, id=queue_id):
        if queue_limit is None and pool_limit is None:
            return None
        (pool,) = unit.fetch(compiled.lock_pools, ids=[pool_id]) or [None]
        active = count_active(unit)
        if queue_limit is not None and active.get(queue_id, 0) >= queue_limit:
            return f"Work queue {queue_name!r}"
        together = sum(active.get(queue.id, 0) for queue in list_queues(unit, PoolRow._make(pool))) if pool else 0
        if pool_limit is not None and together >= pool_limit:
            return f"Work pool {pool_name!r}"
    return None


def beat_worker(unit: Unit, beat: WorkerBeat) -> None:
    """Note that a worker is there. Raises `ObjectNotFound` when its pool is not."""
    pool = load_pool(unit, beat.work_pool_name)
    interval = beat.heartbeat_interval_seconds or USUAL_BEAT
    unit.insert(compiled.beat_workers, [(uuid7(), pool.id, beat.name, unit.now, interval, unit.now, unit.now)])
