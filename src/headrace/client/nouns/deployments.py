from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, part, select, step
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


class DeploymentCalls(Asking):
    """The verbs on deployments and their schedules."""

    def create_deployment(self, deployment: DeploymentCreate) -> Deployment:
        return self._create("/deployments/", Deployment, deployment)

    def read_deployment(self, deployment_id: UUID) -> Deployment:
        return self._read(f"/deployments/{deployment_id}", Deployment)

    def read_deployment_by_name(self, flow_name: str, name: str) -> Deployment:
        return self._read(f"/deployments/name/{step(flow_name)}/{step(name)}", Deployment)

    def list_deployments(
        self,
        selection: RunSelection | None = None,
        sort: DeploymentSort = DeploymentSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Deployment]:
        return self._list("/deployments/filter", list[Deployment], select(selection, **part(page, sort=sort)))

    def count_deployments(self, selection: RunSelection | None = None) -> int:
        return self._list("/deployments/count", int, select(selection))

    def count_deployments_by_flow(self, flow_ids: list[UUID]) -> dict[UUID, int]:
        return self._list("/ui/flows/count-deployments", dict[UUID, int], {"flow_ids": flow_ids})

    def update_deployment(self, deployment_id: UUID, update: DeploymentUpdate) -> None:
        self._update(f"/deployments/{deployment_id}", update)

    def pause_deployment(self, deployment_id: UUID) -> None:
        self._ask("POST", f"/deployments/{deployment_id}/pause_deployment", None, {}, repeatable=True)

    def resume_deployment(self, deployment_id: UUID) -> None:
        self._ask("POST", f"/deployments/{deployment_id}/resume_deployment", None, {}, repeatable=True)

    def delete_deployment(self, deployment_id: UUID) -> None:
        self._delete(f"/deployments/{deployment_id}")

    def run_deployment(self, deployment_id: UUID, run: DeploymentFlowRunCreate) -> FlowRun:
        return self._create(f"/deployments/{deployment_id}/create_flow_run", FlowRun, run)

    def schedule_deployment(self, deployment_id: UUID, span: ScheduleSpan) -> int:
        return self._ask("POST", f"/deployments/{deployment_id}/schedule", int, span, repeatable=True)

    def create_deployment_schedules(
        self, deployment_id: UUID, wanted: list[DeploymentScheduleCreate]
    ) -> list[DeploymentSchedule]:
        return self._create(f"/deployments/{deployment_id}/schedules", list[DeploymentSchedule], wanted)

    def update_deployment_schedule(
        self, deployment_id: UUID, schedule_id: UUID, update: DeploymentScheduleUpdate
    ) -> None:
        self._update(f"/deployments/{deployment_id}/schedules/{schedule_id}", update)

    def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        self._delete(f"/deployments/{deployment_id}/schedules/{schedule_id}")
