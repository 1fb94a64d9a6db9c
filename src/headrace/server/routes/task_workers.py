from __future__ import annotations

from litestar import post
from litestar.params import JSONBody

from headrace.schema.task_worker import TaskWorker, TaskWorkerListing
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office


@post("/api/task_workers/filter", status_code=200, **needs(Permission.READ))
def list_task_workers(data: JSONBody[TaskWorkerListing], administration: Office) -> list[TaskWorker]:
    wanted = data.task_worker_filter
    return administration.list_task_workers(wanted.task_keys if wanted is not None else None)


routes = [list_task_workers]
