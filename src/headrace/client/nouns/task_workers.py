from __future__ import annotations

from headrace.client.nouns.asking import Asking
from headrace.schema.task_worker import TaskWorker, TaskWorkerFilter, TaskWorkerListing


class TaskWorkerCalls(Asking):
    """The verbs on task workers."""

    def list_task_workers(self, task_keys: list[str] | None = None) -> list[TaskWorker]:
        wanted = TaskWorkerListing(task_worker_filter=TaskWorkerFilter(task_keys=task_keys) if task_keys else None)
        return self._list("/task_workers/filter", list[TaskWorker], wanted)
