"""Deployments: made, looked at, changed, run, deleted."""

from __future__ import annotations

from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.orchestration import deployments, schedules
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.unit import Unit
from headrace.rules.occurrences import plan_span
from headrace.schema.deployment import (
    Deployment,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentSort,
    DeploymentUpdate,
)
from headrace.schema.filters import RunSelection
from headrace.schema.run import FlowRun, Page
from headrace.schema.schedule import (
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    ScheduleSpan,
)
from headrace.storage import deployments as queries
from headrace.storage.deployment_rows import ScheduleRow, to_deployment_schedule, to_schedule
from headrace.storage.schedules import list_schedules


class DeploymentVerbs(Office):
    """The verbs on deployments and their schedules."""

    def create_deployment(self, deployment: DeploymentCreate) -> Deployment:
        return self._desk.write(lambda unit: deployments.create_deployment(unit, deployment))

    def read_deployment(self, deployment_id: UUID) -> Deployment:
        def read(unit: Unit) -> Deployment:
            return deployments.show(unit, [deployments.load_deployment(unit, deployment_id)])[0]

        return self._desk.read(read)

    def read_deployment_by_name(self, flow_name: str, name: str) -> Deployment:
        def read(unit: Unit) -> Deployment | None:
            row = queries.find_deployment_by_name(unit.connection, unit.workspace_id, flow_name, name)
            return None if row is None else deployments.show(unit, [row])[0]

        found = self._desk.read(read)
        if found is None:
            raise ObjectNotFound(f"There is no deployment called {f'{flow_name}/{name}'!r}.")
        return found

    def list_deployments(
        self,
        selection: RunSelection | None = None,
        sort: DeploymentSort = DeploymentSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Deployment]:
        wanted, part = selection or RunSelection(), checked(page)

        def list_them(unit: Unit) -> list[Deployment]:
            rows = queries.list_deployments(unit.connection, unit.workspace_id, wanted, sort, part)
            return deployments.show(unit, rows)

        return self._desk.read(list_them)

    def count_deployments(self, selection: RunSelection | None = None) -> int:
        wanted = selection or RunSelection()
        return self._desk.read(lambda unit: queries.count_deployments(unit.connection, unit.workspace_id, wanted))

    def count_deployments_by_flow(self, flow_ids: list[UUID]) -> dict[UUID, int]:
        checked(Page(len(flow_ids)))
        counts = self._desk.read(lambda unit: queries.count_by_flow(unit.connection, unit.workspace_id, flow_ids))
        return {flow_id: counts.get(flow_id, 0) for flow_id in flow_ids}

    def update_deployment(self, deployment_id: UUID, update: DeploymentUpdate) -> None:
        self._desk.write(lambda unit: deployments.update_deployment(unit, deployment_id, update))

    def pause_deployment(self, deployment_id: UUID) -> None:
        self.update_deployment(deployment_id, DeploymentUpdate(paused=True))

    def resume_deployment(self, deployment_id: UUID) -> None:
        self.update_deployment(deployment_id, DeploymentUpdate(paused=False))

    def delete_deployment(self, deployment_id: UUID) -> None:
        self._desk.write(lambda unit: deployments.delete_deployment(unit, deployment_id))

    def run_deployment(self, deployment_id: UUID, run: DeploymentFlowRunCreate) -> FlowRun:
        return self._desk.write(lambda unit: deployments.run_deployment(unit, deployment_id, run))

    def schedule_deployment(self, deployment_id: UUID, span: ScheduleSpan) -> int:
        def find(unit: Unit) -> list[ScheduleRow]:
            row = deployments.load_deployment(unit, deployment_id)
            return [] if row.paused else list_schedules(unit.connection, unit.workspace_id, [deployment_id])

        # Outside of a transaction: working out a rule may take a while.
        planned = [
            (row, plan_span(span, to_schedule(row), row.max_scheduled_runs))
            for row in self._desk.read(find)
            if row.active
        ]
        return self._desk.write(lambda unit: deployments.make_scheduled_runs(unit, deployment_id, planned))

    def create_deployment_schedules(
        self, deployment_id: UUID, wanted: list[DeploymentScheduleCreate]
    ) -> list[DeploymentSchedule]:
        def create(unit: Unit) -> list[DeploymentSchedule]:
            row = deployments.load_deployment(unit, deployment_id, held=True)
            return [to_deployment_schedule(made) for made in schedules.add_schedules(unit, row, wanted)]

        return self._desk.write(create)

    def update_deployment_schedule(
        self, deployment_id: UUID, schedule_id: UUID, update: DeploymentScheduleUpdate
    ) -> None:
        def change(unit: Unit) -> None:
            row = deployments.load_deployment(unit, deployment_id, held=True)
            schedules.update_schedule(unit, row, schedule_id, update)

        self._desk.write(change)

    def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        def delete(unit: Unit) -> None:
            row = deployments.load_deployment(unit, deployment_id, held=True)
            schedules.delete_schedule(unit, row, schedule_id)

        self._desk.write(delete)
