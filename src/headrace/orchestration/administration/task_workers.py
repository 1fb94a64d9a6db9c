"""Workers of background tasks: who is there."""

from __future__ import annotations

from headrace.orchestration.administration.office import Office
from headrace.orchestration.task_claims import list_task_workers
from headrace.schema.task_worker import TaskWorker


class TaskWorkerVerbs(Office):
    """The verbs on task workers."""

    def list_task_workers(self, task_keys: list[str] | None = None) -> list[TaskWorker]:
        return self._read_runs(lambda unit: list_task_workers(unit, task_keys or []))
