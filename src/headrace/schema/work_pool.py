"""Work pools, the queues within them, and the workers that serve them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, field

from headrace.schema.flow import Name
from headrace.schema.run import FlowRun
from headrace.schema.wire import Request, Stored, Wire

DEFAULT_QUEUE = "default"
"""The queue that every pool has from its creation."""

Limit = Annotated[int, Meta(ge=0)]
Priority = Annotated[int, Meta(gt=0)]


class ServiceStatus(StrEnum):
    """Whether a pool or queue is served: its workers are online, or somebody has lately asked it for runs."""

    READY = "READY"
    NOT_READY = "NOT_READY"
    PAUSED = "PAUSED"


class WorkerStatus(StrEnum):
    """Whether a worker has shown itself lately."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


class StorageConfiguration(Wire, kw_only=True):
    """Where code and results of a pool's runs are kept."""

    bundle_upload_step: dict[str, Any] | None = None
    bundle_execution_step: dict[str, Any] | None = None
    default_result_storage_block_id: UUID | None = None


class WorkPoolCreate(Request, kw_only=True):
    """Asks for a work pool. `type` says what its workers start: processes, containers and so on."""

    name: Name
    description: str | None = None
    type: str = "process"
    base_job_template: dict[str, Any] = field(default_factory=dict[str, Any])
    is_paused: bool = False
    concurrency_limit: Limit | None = None
    storage_configuration: StorageConfiguration = field(default_factory=StorageConfiguration)


class WorkPoolUpdate(Request, kw_only=True):
    """Changes a work pool; fields that are not sent stay as they are, and so does what cannot be null."""

    description: str | UnsetType | None = UNSET
    is_paused: bool | UnsetType | None = UNSET
    base_job_template: dict[str, Any] | UnsetType | None = UNSET
    concurrency_limit: Limit | UnsetType | None = UNSET
    storage_configuration: StorageConfiguration | UnsetType | None = UNSET


class WorkPool(Stored, kw_only=True):
    """A work pool. `active_slots` is how many of its runs are pending, running or being cancelled."""

    name: str
    type: str
    description: str | None = None
    base_job_template: dict[str, Any] = field(default_factory=dict[str, Any])
    is_paused: bool = False
    concurrency_limit: int | None = None
    status: ServiceStatus | None = None
    default_queue_id: UUID | None = None
    storage_configuration: StorageConfiguration = field(default_factory=StorageConfiguration)
    active_slots: int | None = None


class WorkQueueCreate(Request, kw_only=True):
    """Asks for a queue. Without a priority it comes after the queues there are; 1 comes first."""

    name: Name
    description: str | None = ""
    is_paused: bool = False
    concurrency_limit: Limit | None = None
    priority: Priority | None = None
    filter: dict[str, Any] | None = None


class WorkQueueUpdate(Request, kw_only=True):
    """Changes a queue; fields that are not sent stay as they are, and so does what cannot be null."""

    name: Name | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    is_paused: bool | UnsetType = UNSET
    concurrency_limit: Limit | UnsetType | None = UNSET
    priority: Priority | UnsetType | None = UNSET
    last_polled: datetime | UnsetType | None = UNSET
    filter: dict[str, Any] | UnsetType | None = UNSET


class WorkQueue(Stored, kw_only=True):
    """A queue of a work pool."""

    name: str
    work_pool_id: UUID | None = None
    work_pool_name: str | None = None
    description: str | None = ""
    is_paused: bool = False
    concurrency_limit: int | None = None
    priority: int = 1
    last_polled: datetime | None = None
    status: ServiceStatus | None = None
    active_slots: int | None = None


class WorkerBeat(Request, kw_only=True):
    """Shows that a worker is there. It is taken for gone when nothing comes for three intervals."""

    work_pool_name: str
    name: Annotated[str, Meta(min_length=1)]
    heartbeat_interval_seconds: Annotated[float, Meta(gt=0)] | None = None


class Worker(Stored, kw_only=True):
    """A worker of a pool."""

    name: str
    work_pool_id: UUID
    last_heartbeat_time: datetime | None = None
    heartbeat_interval_seconds: int | None = None
    status: WorkerStatus = WorkerStatus.OFFLINE


class PlacedRun(Wire, kw_only=True):
    """A run that is due, and the pool and queue that it waits in."""

    work_pool_id: UUID
    work_queue_id: UUID
    flow_run: FlowRun
