"""The verbs of administration on what takes up places in work pools and queues."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from headrace.schema.occupancy import PoolOccupancy, QueueHealth, QueueOccupancy


class Occupancy(Protocol):
    """What may be asked about places; raises what all verbs of administration do."""

    def read_work_pool_occupancy(
        self, name: str, page: int = 1, limit: int | None = None, runs: int = 10
    ) -> PoolOccupancy:
        """Return how far the pool is taken: page `page` of its queues, `limit` of them, each with at most `runs` runs."""
        ...

    def read_work_queue_occupancy(self, queue_id: UUID, page: int = 1, limit: int | None = None) -> QueueOccupancy:
        """Return how far the queue is taken, and page `page` of the runs that take it, `limit` of them."""
        ...

    def read_work_queue_health(self, queue_id: UUID) -> QueueHealth:
        """Return whether runs of the queue are late, and whether somebody asks for them."""
        ...
