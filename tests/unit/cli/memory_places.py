"""The part of the memory that holds deployments with their schedules, and work pools with their queues."""

from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, Struct

from headrace.base.errors import InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.schema.deployment import Deployment, DeploymentFlowRunCreate, DeploymentSort, DeploymentUpdate
from headrace.schema.filters import RunSelection, WorkerFilter, WorkPoolFilter, WorkQueueFilter
from headrace.schema.flow import Flow
from headrace.schema.run import FlowRun, Page
from headrace.schema.schedule import DeploymentSchedule, DeploymentScheduleCreate, DeploymentScheduleUpdate
from headrace.schema.state import State, StateType
from headrace.schema.variable import Variable, VariableCreate, VariableFilter, VariableSort, VariableUpdate
from headrace.schema.webhook import Webhook, WebhookCreate, WebhookFilter, WebhookUpdate
from headrace.schema.work_pool import (
    ServiceStatus,
    Worker,
    WorkPool,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
    WorkQueueCreate,
    WorkQueueUpdate,
)

Thing = TypeVar("Thing")


class VariableMemory:
    """Variables, by the verbs that the command line uses."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: dict[str, Variable] = {}

    def create_variable(self, variable: VariableCreate) -> Variable:
        if variable.name in self.variables:
            raise ObjectAlreadyExists(f"There is a variable called {variable.name!r} already.")
        made = Variable(id=uuid4(), name=variable.name, value=variable.value, tags=variable.tags)
        self.variables[made.name] = made
        return made

    def read_variable_by_name(self, name: str) -> Variable:
        if name not in self.variables:
            raise ObjectNotFound(f"There is no variable called {name!r}.")
        return self.variables[name]

    def list_variables(
        self,
        variables: VariableFilter | None = None,
        sort: VariableSort = VariableSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Variable]:
        return _cut([self.variables[name] for name in sorted(self.variables)], page)

    def update_variable(self, variable_id: UUID, update: VariableUpdate) -> None:
        (there,) = [each for each in self.variables.values() if each.id == variable_id]
        self.variables[there.name] = _change(there, update)

    def delete_variable(self, variable_id: UUID) -> None:
        (there,) = [each for each in self.variables.values() if each.id == variable_id]
        del self.variables[there.name]


class WebhookMemory:
    """Webhooks, by the verbs that the command line uses."""

    def __init__(self) -> None:
        super().__init__()
        self.webhooks: dict[UUID, Webhook] = {}

    def create_webhook(self, webhook: WebhookCreate) -> Webhook:
        told = {name: getattr(webhook, name) for name in webhook.__struct_fields__}
        made = Webhook(id=uuid4(), slug=f"slug-{len(self.webhooks)}", **told)
        self.webhooks[made.id] = made
        return made

    def read_webhook(self, webhook_id: UUID) -> Webhook:
        if webhook_id not in self.webhooks:
            raise ObjectNotFound(f"There is no webhook with id {webhook_id}.")
        return self.webhooks[webhook_id]

    def list_webhooks(self, webhooks: WebhookFilter | None = None, page: Page = Page()) -> list[Webhook]:
        wanted = webhooks.name.any_ if webhooks is not None and webhooks.name is not None else None
        found = sorted(self.webhooks.values(), key=lambda each: each.name)
        return _cut([each for each in found if wanted is None or each.name in wanted], page)

    def update_webhook(self, webhook_id: UUID, update: WebhookUpdate) -> None:
        self.webhooks[webhook_id] = _change(self.webhooks[webhook_id], update)

    def rotate_webhook(self, webhook_id: UUID) -> Webhook:
        self.webhooks[webhook_id] = msgspec.structs.replace(self.webhooks[webhook_id], slug="another")
        return self.webhooks[webhook_id]

    def delete_webhook(self, webhook_id: UUID) -> None:
        del self.webhooks[webhook_id]


class PoolMemory:
    """Work pools, queues and workers, by the verbs that the command line uses."""

    def __init__(self) -> None:
        super().__init__()
        self.pools: dict[str, WorkPool] = {}
        self.queues: dict[UUID, WorkQueue] = {}
        self.workers: dict[str, list[Worker]] = {}

    def create_work_pool(self, pool: WorkPoolCreate) -> WorkPool:
        if pool.name in self.pools:
            raise ObjectAlreadyExists(f"There is a work pool called {pool.name!r} already.")
        told = {name: getattr(pool, name) for name in pool.__struct_fields__}
        status = ServiceStatus.PAUSED if pool.is_paused else ServiceStatus.NOT_READY
        made = self.pools[pool.name] = WorkPool(id=uuid4(), status=status, **told)
        self.create_work_queue(pool.name, WorkQueueCreate(name="default", priority=1))
        return made

    def read_work_pool(self, name: str) -> WorkPool:
        if name not in self.pools:
            raise ObjectNotFound(f"There is no work pool called {name!r}.")
        return self.pools[name]

    def list_work_pools(self, wanted: WorkPoolFilter | None = None, page: Page = Page()) -> list[WorkPool]:
        return _cut([self.pools[name] for name in sorted(self.pools)], page)

    def update_work_pool(self, name: str, update: WorkPoolUpdate) -> None:
        self.pools[name] = _change(self.read_work_pool(name), update)

    def delete_work_pool(self, name: str) -> None:
        del self.pools[name]

    def create_work_queue(self, pool_name: str, queue: WorkQueueCreate) -> WorkQueue:
        pool = self.read_work_pool(pool_name)
        there = [each for each in self.queues.values() if each.work_pool_name == pool_name]
        if any(each.name == queue.name for each in there):
            raise ObjectAlreadyExists(f"Work pool {pool_name!r} has a queue called {queue.name!r} already.")
        made = WorkQueue(
            id=uuid4(),
            name=queue.name,
            work_pool_id=pool.id,
            work_pool_name=pool_name,
            description=queue.description,
            is_paused=queue.is_paused,
            concurrency_limit=queue.concurrency_limit,
            priority=queue.priority or len(there) + 1,
            status=ServiceStatus.NOT_READY,
        )
        self.queues[made.id] = made
        return made

    def read_work_queue(self, queue_id: UUID) -> WorkQueue:
        if queue_id not in self.queues:
            raise ObjectNotFound(f"There is no work queue with id {queue_id}.")
        return self.queues[queue_id]

    def list_work_queues(
        self, pool_name: str | None = None, wanted: WorkQueueFilter | None = None, page: Page = Page()
    ) -> list[WorkQueue]:
        if pool_name is not None:
            self.read_work_pool(pool_name)
        names = wanted.name.any_ if wanted is not None and wanted.name is not None else None
        beginnings = wanted.name.startswith_ if wanted is not None and wanted.name is not None else None
        found = [
            queue
            for queue in self.queues.values()
            if pool_name in {None, queue.work_pool_name}
            and (names is None or queue.name in names)
            and (beginnings is None or queue.name.startswith(tuple(beginnings)))
        ]
        return _cut(sorted(found, key=lambda queue: queue.priority), page)

    def update_work_queue(self, queue_id: UUID, update: WorkQueueUpdate) -> None:
        self.queues[queue_id] = _change(self.read_work_queue(queue_id), update)

    def delete_work_queue(self, queue_id: UUID) -> None:
        if self.queues[queue_id].name == "default":
            raise InvalidRequest("It is the default queue: it stays.")
        del self.queues[queue_id]

    def list_workers(self, pool_name: str, wanted: WorkerFilter | None = None, page: Page = Page()) -> list[Worker]:
        return _cut(self.workers.get(pool_name, []), page)


class DeploymentMemory:
    """Deployments and their schedules, by the verbs that the command line uses."""

    flows: dict[UUID, Flow]
    flow_runs: dict[UUID, FlowRun]
    states: dict[UUID, list[State]]

    def __init__(self) -> None:
        super().__init__()
        self.deployments: dict[UUID, Deployment] = {}
        self.asked: list[DeploymentFlowRunCreate] = []

    def add_deployment(self, deployment: Deployment) -> Deployment:
        self.deployments[deployment.id] = deployment
        return deployment

    def read_deployment(self, deployment_id: UUID) -> Deployment:
        if deployment_id not in self.deployments:
            raise ObjectNotFound(f"There is no deployment with id {deployment_id}.")
        return self.deployments[deployment_id]

    def read_deployment_by_name(self, flow_name: str, name: str) -> Deployment:
        for each in self.deployments.values():
            if (self.flows[each.flow_id].name, each.name) == (flow_name, name):
                return each
        raise ObjectNotFound(f"There is no deployment called {f'{flow_name}/{name}'!r}.")

    def list_deployments(
        self,
        selection: RunSelection | None = None,
        sort: DeploymentSort = DeploymentSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Deployment]:
        selection = selection or RunSelection()
        flows = selection.flows.name.any_ if selection.flows is not None and selection.flows.name is not None else None
        wanted = selection.deployments
        names = wanted.name.any_ if wanted is not None and wanted.name is not None else None
        found = [
            each
            for each in self.deployments.values()
            if (flows is None or self.flows[each.flow_id].name in flows) and (names is None or each.name in names)
        ]
        if sort is DeploymentSort.CREATED_DESC:
            found.sort(key=lambda each: (each.created and each.created.timestamp()) or 0, reverse=True)
        else:
            found.sort(key=lambda each: each.name)
        return _cut(found, page)

    def update_deployment(self, deployment_id: UUID, update: DeploymentUpdate) -> None:
        known = self.read_deployment(deployment_id)
        schedules = update.schedules
        changed = _change(known, msgspec.structs.replace(update, schedules=UNSET))
        if isinstance(schedules, list):
            changed.schedules = [_make_schedule(each) for each in schedules]
        self.deployments[deployment_id] = changed

    def pause_deployment(self, deployment_id: UUID) -> None:
        self.update_deployment(deployment_id, DeploymentUpdate(paused=True))

    def resume_deployment(self, deployment_id: UUID) -> None:
        self.update_deployment(deployment_id, DeploymentUpdate(paused=False))

    def delete_deployment(self, deployment_id: UUID) -> None:
        del self.deployments[deployment_id]

    def run_deployment(self, deployment_id: UUID, run: DeploymentFlowRunCreate) -> FlowRun:
        self.asked.append(run)
        deployment = self.read_deployment(deployment_id)
        scheduled = run.state.state_details.scheduled_time if run.state is not None else None
        made = FlowRun(
            id=uuid4(),
            flow_id=deployment.flow_id,
            deployment_id=deployment_id,
            name=run.name or "new-run",
            next_scheduled_start_time=scheduled,
            work_pool_name=deployment.work_pool_name,
            work_queue_name=deployment.work_queue_name,
            state=State(type=StateType.SCHEDULED, id=uuid4()),
            state_type=StateType.SCHEDULED,
            state_name="Scheduled",
        )
        self.flow_runs[made.id] = made
        self.states[made.id] = []
        return made

    def create_deployment_schedules(
        self, deployment_id: UUID, wanted: list[DeploymentScheduleCreate]
    ) -> list[DeploymentSchedule]:
        made = [_make_schedule(each) for each in wanted]
        self.read_deployment(deployment_id).schedules += made
        return made

    def update_deployment_schedule(
        self, deployment_id: UUID, schedule_id: UUID, update: DeploymentScheduleUpdate
    ) -> None:
        deployment = self.read_deployment(deployment_id)
        deployment.schedules = [
            _change(each, update) if each.id == schedule_id else each for each in deployment.schedules
        ]

    def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        deployment = self.read_deployment(deployment_id)
        deployment.schedules = [each for each in deployment.schedules if each.id != schedule_id]


KEPT = ("schedule", "active", "parameters", "slug", "catchup", "max_lateness", "overlap")


def _make_schedule(asked: DeploymentScheduleCreate | DeploymentScheduleUpdate) -> DeploymentSchedule:
    told: dict[str, Any] = {name: getattr(asked, name) for name in KEPT}
    return DeploymentSchedule(id=uuid4(), **{name: value for name, value in told.items() if value is not UNSET})


def _change(thing: Any, update: Struct) -> Any:
    told = {name: value for name in update.__struct_fields__ if (value := getattr(update, name)) is not UNSET}
    told.pop("replaces", None)
    return msgspec.structs.replace(thing, **told)


def _cut(things: list[Thing], page: Page) -> list[Thing]:
    assert page.limit <= 200, "the contract's lists end at 200"
    return things[page.offset : page.offset + page.limit]
