from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, part, step
from headrace.schema.filters import WorkerFilter, WorkPoolFilter, WorkQueueFilter
from headrace.schema.run import Page
from headrace.schema.work_pool import (
    Worker,
    WorkPool,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
    WorkQueueCreate,
    WorkQueueUpdate,
)


class WorkPoolCalls(Asking):
    """The verbs on work pools, queues and workers."""

    def create_work_pool(self, pool: WorkPoolCreate) -> WorkPool:
        return self._create("/work_pools/", WorkPool, pool)

    def read_work_pool(self, name: str) -> WorkPool:
        return self._read(f"/work_pools/{step(name)}", WorkPool)

    def list_work_pools(self, wanted: WorkPoolFilter | None = None, page: Page = Page()) -> list[WorkPool]:
        return self._list("/work_pools/filter", list[WorkPool], part(page, work_pools=wanted))

    def count_work_pools(self, wanted: WorkPoolFilter | None = None) -> int:
        return self._list("/work_pools/count", int, {"work_pools": wanted})

    def update_work_pool(self, name: str, update: WorkPoolUpdate) -> None:
        self._update(f"/work_pools/{step(name)}", update)

    def delete_work_pool(self, name: str) -> None:
        self._delete(f"/work_pools/{step(name)}")

    def create_work_queue(self, pool_name: str, queue: WorkQueueCreate) -> WorkQueue:
        return self._create(f"/work_pools/{step(pool_name)}/queues", WorkQueue, queue)

    def read_work_queue(self, queue_id: UUID) -> WorkQueue:
        return self._read(f"/work_queues/{queue_id}", WorkQueue)

    def read_work_queue_by_name(self, pool_name: str, name: str) -> WorkQueue:
        return self._read(f"/work_pools/{step(pool_name)}/queues/{step(name)}", WorkQueue)

    def list_work_queues(
        self, pool_name: str | None = None, wanted: WorkQueueFilter | None = None, page: Page = Page()
    ) -> list[WorkQueue]:
        path = "/work_queues/filter" if pool_name is None else f"/work_pools/{step(pool_name)}/queues/filter"
        return self._list(path, list[WorkQueue], part(page, work_queues=wanted))

    def update_work_queue(self, queue_id: UUID, update: WorkQueueUpdate) -> None:
        self._update(f"/work_queues/{queue_id}", update)

    def delete_work_queue(self, queue_id: UUID) -> None:
        self._delete(f"/work_queues/{queue_id}")

    def list_workers(self, pool_name: str, wanted: WorkerFilter | None = None, page: Page = Page()) -> list[Worker]:
        return self._list(f"/work_pools/{step(pool_name)}/workers/filter", list[Worker], part(page, workers=wanted))

    def delete_worker(self, pool_name: str, name: str) -> None:
        self._delete(f"/work_pools/{step(pool_name)}/workers/{step(name)}")
