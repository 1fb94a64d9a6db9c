from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, step
from headrace.schema.occupancy import PoolOccupancy, QueueHealth, QueueOccupancy


class OccupancyCalls(Asking):
    """The verbs on places in work pools and queues."""

    def read_work_pool_occupancy(
        self, name: str, page: int = 1, limit: int | None = None, runs: int = 10
    ) -> PoolOccupancy:
        asked = {"page": page, "limit": limit, "flow_run_limit": runs}
        return self._list(f"/work_pools/{step(name)}/concurrency_status", PoolOccupancy, asked)

    def read_work_queue_occupancy(self, queue_id: UUID, page: int = 1, limit: int | None = None) -> QueueOccupancy:
        path = f"/work_queues/{queue_id}/concurrency_status"
        return self._list(path, QueueOccupancy, {"page": page, "limit": limit})

    def read_work_queue_health(self, queue_id: UUID) -> QueueHealth:
        return self._read(f"/work_queues/{queue_id}/status", QueueHealth)
