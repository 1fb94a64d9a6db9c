"""Who takes up the places in work pools and queues, and whether a queue is well. The contract's shapes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from headrace.schema.state import StateType
from headrace.schema.wire import Wire


class ActiveRun(Wire, kw_only=True):
    """A run that takes up a place: it is pending, running or being cancelled. `time_in_current_state` is in seconds."""

    id: UUID
    name: str
    state_type: StateType | None = None
    state_name: str | None = None
    start_time: datetime | None = None
    state_timestamp: datetime | None = None
    time_in_current_state: float | None = None


class QueueOccupancy(Wire, kw_only=True):
    """A page of the runs that take up places in a queue, those that came first before the others."""

    active_slots: int
    concurrency_limit: int | None = None
    flow_runs: list[ActiveRun]
    count: int
    limit: int
    pages: int
    page: int


class QueueInPool(Wire, kw_only=True):
    """How far a queue of a pool is taken, with some of the runs that take it. `flow_run_count` is how many do."""

    queue_id: UUID
    queue_name: str
    active_slots: int
    concurrency_limit: int | None = None
    flow_runs: list[ActiveRun]
    flow_run_count: int | None = None


class PoolOccupancy(Wire, kw_only=True):
    """How far a pool is taken, and a page of its queues, those of the first priority before the others."""

    active_slots: int
    concurrency_limit: int | None = None
    queues: list[QueueInPool]
    count: int
    limit: int
    pages: int
    page: int


class HealthPolicy(Wire, kw_only=True):
    """When a queue is well: no more runs are late than this, and somebody has asked for runs within so many seconds."""

    maximum_late_runs: int | None = 0
    maximum_seconds_since_last_polled: int | None = 60


class QueueHealth(Wire, kw_only=True):
    """Whether a queue is well, and what that is judged by."""

    healthy: bool
    late_runs_count: int = 0
    last_polled: datetime | None = None
    health_check_policy: HealthPolicy
