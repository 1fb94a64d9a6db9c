"""Rows of work pools, queues and workers, and the wire types they become. Imports no SQLAlchemy (`storage.rows`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

import msgspec

from headrace.base.clock import to_datetime
from headrace.schema.wire import decode_json
from headrace.schema.work_pool import (
    ServiceStatus,
    StorageConfiguration,
    Worker,
    WorkerStatus,
    WorkPool,
    WorkQueue,
)
from headrace.storage.rows import to_instant

POLLED_LATELY = 60_000_000
"""For how long somebody who asked for runs is taken to be there, in microseconds."""
MISSED_BEATS = 3
"""How many intervals a worker may be silent before it is taken for gone."""


class PoolRow(NamedTuple):
    """A row of work_pools."""

    id: UUID
    name: str
    type: str
    description: str | None
    base_job_template: str
    is_paused: bool
    concurrency_limit: int | None
    default_queue_id: UUID
    storage_configuration: str
    created: int
    updated: int


class QueueRow(NamedTuple):
    """A row of work_queues."""

    id: UUID
    work_pool_id: UUID
    name: str
    description: str | None
    is_paused: bool
    concurrency_limit: int | None
    priority: int
    last_polled: int | None
    created: int
    updated: int


class WorkerRow(NamedTuple):
    """A row of workers. `heartbeat_interval` is in seconds."""

    id: UUID
    work_pool_id: UUID
    name: str
    last_heartbeat_time: int
    heartbeat_interval: float
    created: int
    updated: int


class PlaceRow(NamedTuple):
    """What a queue and its pool are called, and when somebody last asked the queue for runs."""

    work_queue_id: UUID
    work_queue_name: str
    last_polled: int | None
    work_pool_id: UUID
    work_pool_name: str


_decode_storage = msgspec.json.Decoder(StorageConfiguration).decode


def to_work_pool(row: PoolRow, active: int, has_workers: bool) -> WorkPool:
    """The pool of a row, with how many of its runs are active and whether a worker of it is online."""
    served = ServiceStatus.READY if has_workers else ServiceStatus.NOT_READY
    return WorkPool(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        name=row.name,
        type=row.type,
        description=row.description,
        base_job_template=decode_json(row.base_job_template),
        is_paused=row.is_paused,
        concurrency_limit=row.concurrency_limit,
        status=ServiceStatus.PAUSED if row.is_paused else served,
        default_queue_id=row.default_queue_id,
        storage_configuration=_decode_storage(row.storage_configuration),
        active_slots=active,
    )


def to_work_queue(row: QueueRow, pools: Mapping[UUID, str], active: Mapping[UUID, int], now: int) -> WorkQueue:
    """The queue of a row, given the names of pools and how many runs of each queue are active."""
    served = ServiceStatus.READY if was_polled(row.last_polled, now) else ServiceStatus.NOT_READY
    return WorkQueue(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        name=row.name,
        work_pool_id=row.work_pool_id,
        work_pool_name=pools.get(row.work_pool_id),
        description=row.description,
        is_paused=row.is_paused,
        concurrency_limit=row.concurrency_limit,
        priority=row.priority,
        last_polled=to_instant(row.last_polled),
        status=ServiceStatus.PAUSED if row.is_paused else served,
        active_slots=active.get(row.id, 0),
    )


def to_worker(row: WorkerRow, now: int) -> Worker:
    """The worker of a row, as it is at the instant `now`."""
    silence = now - row.last_heartbeat_time
    is_there = silence <= MISSED_BEATS * row.heartbeat_interval * 1_000_000
    return Worker(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        name=row.name,
        work_pool_id=row.work_pool_id,
        last_heartbeat_time=to_datetime(row.last_heartbeat_time),
        heartbeat_interval_seconds=round(row.heartbeat_interval),
        status=WorkerStatus.ONLINE if is_there else WorkerStatus.OFFLINE,
    )


def was_polled(last_polled: int | None, now: int) -> bool:
    """Whether somebody has asked lately."""
    return last_polled is not None and now - last_polled <= POLLED_LATELY
