"""What a client may ask of deployments, work pools and queues."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from headrace.base.errors import UsageError
from headrace.clients.asking import Asking, given, page
from headrace.clients.runs import select
from headrace.schema.deployment import Deployment, DeploymentFlowRunCreate, DeploymentSort, DeploymentUpdate
from headrace.schema.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    WorkerFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from headrace.schema.run import FlowRun
from headrace.schema.schedule import DeploymentSchedule, DeploymentScheduleCreate, DeploymentScheduleUpdate, Schedule
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.schema.work_pool import (
    Worker,
    WorkPool,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
    WorkQueueCreate,
    WorkQueueUpdate,
)


class Places(Asking):
    """Deployments with their schedules, work pools with their queues and workers."""

    def read_deployment(self, deployment_id: UUID) -> Deployment:
        """Return the deployment. Raises `ObjectNotFound`."""
        return self._office.read_deployment(deployment_id)

    def read_deployment_by_name(self, name: str) -> Deployment:
        """Return the deployment called `flow/deployment`. Raises `ObjectNotFound`, and `UsageError` for another name."""
        flow_name, slash, deployment = name.partition("/")
        if not slash:
            raise UsageError(f"A deployment is named with its flow, flow/deployment, not {name!r}.")
        return self._office.read_deployment_by_name(flow_name, deployment)

    def read_deployments(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        sort: DeploymentSort = DeploymentSort.NAME_ASC,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Deployment]:
        """Return deployments that all the filters name."""
        wanted = select(flow_filter, flow_run_filter, None, deployment_filter, work_pool_filter, work_queue_filter)
        return self._office.list_deployments(wanted, sort, page(limit, offset))

    def count_deployments(
        self, *, flow_filter: FlowFilter | None = None, deployment_filter: DeploymentFilter | None = None
    ) -> int:
        """Count deployments that all the filters name."""
        return self._office.count_deployments(select(flow_filter, None, None, deployment_filter))

    def update_deployment(self, deployment_id: UUID, deployment: DeploymentUpdate) -> None:
        """Change what the update names. Raises `ObjectNotFound`."""
        self._office.update_deployment(deployment_id, deployment)

    def pause_deployment(self, deployment_id: UUID) -> None:
        """Let its schedules rest. Raises `ObjectNotFound`."""
        self._office.pause_deployment(deployment_id)

    def resume_deployment(self, deployment_id: UUID) -> None:
        """Let its schedules make runs again. Raises `ObjectNotFound`."""
        self._office.resume_deployment(deployment_id)

    def delete_deployment(self, deployment_id: UUID) -> None:
        """Delete the deployment with its schedules. Raises `ObjectNotFound`."""
        self._office.delete_deployment(deployment_id)

    def create_flow_run_from_deployment(
        self,
        deployment_id: UUID,
        *,
        parameters: dict[str, Any] | None = None,
        name: str | None = None,
        tags: list[str] | None = None,
        scheduled_time: datetime | None = None,
        idempotency_key: str | None = None,
        parent_task_run_id: UUID | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> FlowRun:
        """Have a run made, due at once or at a time, and return it; it is not waited for. Raises as `run_deployment`."""
        told = given(
            parameters=parameters,
            name=name,
            tags=tags,
            idempotency_key=idempotency_key,
            parent_task_run_id=parent_task_run_id,
            work_queue_name=work_queue_name,
            job_variables=job_variables,
        )
        if scheduled_time is not None:
            told["state"] = StateCreate(
                type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=scheduled_time)
            )
        return self._office.run_deployment(deployment_id, DeploymentFlowRunCreate(**told))

    def create_deployment_schedules(
        self, deployment_id: UUID, schedules: list[tuple[Schedule, bool]]
    ) -> list[DeploymentSchedule]:
        """Add schedules, each active or not, and return them. Raises `ObjectNotFound`."""
        wanted = [DeploymentScheduleCreate(schedule=schedule, active=active) for schedule, active in schedules]
        return self._office.create_deployment_schedules(deployment_id, wanted)

    def read_deployment_schedules(self, deployment_id: UUID) -> list[DeploymentSchedule]:
        """Return the schedules of a deployment. Raises `ObjectNotFound`."""
        return list(self._office.read_deployment(deployment_id).schedules)

    def update_deployment_schedule(
        self, deployment_id: UUID, schedule_id: UUID, active: bool | None = None, schedule: Schedule | None = None
    ) -> None:
        """Change a schedule, or whether it makes runs. Raises `ObjectNotFound`."""
        changed = DeploymentScheduleUpdate(**given(active=active, schedule=schedule))
        self._office.update_deployment_schedule(deployment_id, schedule_id, changed)

    def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        """Delete a schedule. Raises `ObjectNotFound`."""
        self._office.delete_deployment_schedule(deployment_id, schedule_id)

    def create_work_pool(self, work_pool: WorkPoolCreate) -> WorkPool:
        """Create a work pool and return it. Raises `ObjectAlreadyExists`."""
        return self._office.create_work_pool(work_pool)

    def read_work_pool(self, work_pool_name: str) -> WorkPool:
        """Return the pool of that name. Raises `ObjectNotFound`."""
        return self._office.read_work_pool(work_pool_name)

    def read_work_pools(
        self, limit: int | None = None, offset: int = 0, work_pool_filter: WorkPoolFilter | None = None
    ) -> list[WorkPool]:
        """Return pools by name."""
        return self._office.list_work_pools(work_pool_filter, page(limit, offset))

    def update_work_pool(self, work_pool_name: str, work_pool: WorkPoolUpdate) -> None:
        """Change what the update names. Raises `ObjectNotFound`."""
        self._office.update_work_pool(work_pool_name, work_pool)

    def delete_work_pool(self, work_pool_name: str) -> None:
        """Delete the pool with its queues. Raises `ObjectNotFound`."""
        self._office.delete_work_pool(work_pool_name)

    def read_workers_for_work_pool(
        self,
        work_pool_name: str,
        worker_filter: WorkerFilter | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Worker]:
        """Return the workers of a pool, those that showed themselves last first. Raises `ObjectNotFound`."""
        return self._office.list_workers(work_pool_name, worker_filter, page(limit, offset))

    def create_work_queue(
        self,
        name: str,
        description: str | None = None,
        is_paused: bool | None = None,
        concurrency_limit: int | None = None,
        priority: int | None = None,
        work_pool_name: str = "default",
    ) -> WorkQueue:
        """Create a queue of a pool and return it. Raises `ObjectAlreadyExists`, and `ObjectNotFound` without the pool."""
        told = given(
            description=description, is_paused=is_paused, concurrency_limit=concurrency_limit, priority=priority
        )
        return self._office.create_work_queue(work_pool_name, WorkQueueCreate(name=name, **told))

    def read_work_queue(self, id: UUID) -> WorkQueue:  # noqa: A002 - the field's own name for it
        """Return the queue. Raises `ObjectNotFound`."""
        return self._office.read_work_queue(id)

    def read_work_queue_by_name(self, name: str, work_pool_name: str = "default") -> WorkQueue:
        """Return the queue of that name in a pool. Raises `ObjectNotFound`."""
        return self._office.read_work_queue_by_name(work_pool_name, name)

    def read_work_queues(
        self,
        work_pool_name: str | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[WorkQueue]:
        """Return queues of a pool or of all, those of the first priority first."""
        return self._office.list_work_queues(work_pool_name, work_queue_filter, page(limit, offset))

    def update_work_queue(self, id: UUID, work_queue: WorkQueueUpdate) -> None:  # noqa: A002 - as above
        """Change what the update names. Raises `ObjectNotFound`."""
        self._office.update_work_queue(id, work_queue)

    def delete_work_queue_by_id(self, id: UUID) -> None:  # noqa: A002 - as above
        """Delete the queue. Raises `ObjectNotFound`."""
        self._office.delete_work_queue(id)
