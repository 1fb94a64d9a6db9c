from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from headrace.base import clock
from headrace.schema.deployment import (
    Deployment,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentUpdate,
)
from headrace.schema.filters import RunSelection
from headrace.schema.listing import (
    LONGEST_LIST,
    Deleted,
    DeploymentBulkDelete,
    DeploymentListing,
    DeploymentPaging,
    FlowIds,
    Ids,
    Limit,
    Paginated,
    paginate,
)
from headrace.schema.orchestration import DueRequest
from headrace.schema.run import FlowRun, Page
from headrace.schema.schedule import DeploymentSchedule, DeploymentScheduleCreate, DeploymentScheduleUpdate
from headrace.schema.wire import Request
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office, Runs
from headrace.server.responses import created_or_found, note_arrival

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN


class DueOfDeployments(Request, kw_only=True):
    """Asks for the runs of deployments that are due."""

    deployment_ids: Ids
    scheduled_before: datetime | None = None
    limit: Limit | None = None


@post("/api/deployments/", **needs(EDIT))
def create_deployment(data: JSONBody[DeploymentCreate], administration: Office) -> Response[Deployment]:
    arrival = note_arrival()
    return created_or_found(administration.create_deployment(data), arrival)


@get("/api/deployments/{deployment_id:str}", **needs(READ))
def read_deployment(deployment_id: FromPath[UUID], administration: Office) -> Deployment:
    return administration.read_deployment(deployment_id)


@get("/api/deployments/name/{flow_name:str}/{name:str}", **needs(READ))
def read_deployment_by_name(flow_name: FromPath[str], name: FromPath[str], administration: Office) -> Deployment:
    return administration.read_deployment_by_name(flow_name, name)


@patch("/api/deployments/{deployment_id:str}", status_code=204, **needs(EDIT))
def update_deployment(deployment_id: FromPath[UUID], data: JSONBody[DeploymentUpdate], administration: Office) -> None:
    administration.update_deployment(deployment_id, data)


@delete("/api/deployments/{deployment_id:str}", **needs(EDIT))
def delete_deployment(deployment_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_deployment(deployment_id)


@post("/api/deployments/filter", status_code=200, **needs(READ))
def list_deployments(data: JSONBody[DeploymentListing], administration: Office) -> list[Deployment]:
    return administration.list_deployments(data, data.sort, data.part)


@post("/api/deployments/count", status_code=200, **needs(READ))
def count_deployments(data: JSONBody[RunSelection], administration: Office) -> int:
    return administration.count_deployments(data)


@post("/api/deployments/paginate", status_code=200, **needs(READ))
def paginate_deployments(data: JSONBody[DeploymentPaging], administration: Office) -> Paginated[Deployment]:
    found = administration.list_deployments(data, data.sort, data.part)
    return paginate(found, administration.count_deployments(data), data)


@post("/api/ui/flows/count-deployments", status_code=200, **needs(READ))
def count_deployments_by_flow(data: JSONBody[FlowIds], administration: Office) -> dict[UUID, int]:
    return administration.count_deployments_by_flow(data.flow_ids)


@post("/api/deployments/bulk_delete", status_code=200, **needs(EDIT))
def delete_deployments(data: JSONBody[DeploymentBulkDelete], administration: Office) -> Deleted:
    found = administration.list_deployments(RunSelection(deployments=data.deployments), page=Page(data.limit))
    for deployment in found:
        administration.delete_deployment(deployment.id)
    return Deleted(deleted=[deployment.id for deployment in found])


@post("/api/deployments/get_scheduled_flow_runs", status_code=200, **needs(RUN))
def list_due_of_deployments(data: JSONBody[DueOfDeployments], execution: Runs) -> list[FlowRun]:
    limit = LONGEST_LIST if data.limit is None else data.limit
    before = data.scheduled_before or clock.now()
    return execution.list_due_flow_runs(DueRequest(before=before, limit=limit, deployment_ids=data.deployment_ids))


@post("/api/deployments/{deployment_id:str}/pause_deployment", status_code=200, **needs(EDIT))
def pause_deployment(deployment_id: FromPath[UUID], administration: Office) -> None:
    administration.pause_deployment(deployment_id)


@post("/api/deployments/{deployment_id:str}/resume_deployment", status_code=200, **needs(EDIT))
def resume_deployment(deployment_id: FromPath[UUID], administration: Office) -> None:
    administration.resume_deployment(deployment_id)


@post("/api/deployments/{deployment_id:str}/create_flow_run", **needs(RUN))
def run_deployment(
    deployment_id: FromPath[UUID], data: JSONBody[DeploymentFlowRunCreate], administration: Office
) -> Response[FlowRun]:
    arrival = note_arrival()
    return created_or_found(administration.run_deployment(deployment_id, data), arrival)


@get("/api/deployments/{deployment_id:str}/schedules", **needs(READ))
def list_schedules(deployment_id: FromPath[UUID], administration: Office) -> list[DeploymentSchedule]:
    return administration.read_deployment(deployment_id).schedules


@post("/api/deployments/{deployment_id:str}/schedules", **needs(EDIT))
def create_schedules(
    deployment_id: FromPath[UUID], data: JSONBody[list[DeploymentScheduleCreate]], administration: Office
) -> list[DeploymentSchedule]:
    return administration.create_deployment_schedules(deployment_id, data)


@patch("/api/deployments/{deployment_id:str}/schedules/{schedule_id:str}", status_code=204, **needs(EDIT))
def update_schedule(
    deployment_id: FromPath[UUID],
    schedule_id: FromPath[UUID],
    data: JSONBody[DeploymentScheduleUpdate],
    administration: Office,
) -> None:
    administration.update_deployment_schedule(deployment_id, schedule_id, data)


@delete("/api/deployments/{deployment_id:str}/schedules/{schedule_id:str}", **needs(EDIT))
def delete_schedule(deployment_id: FromPath[UUID], schedule_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_deployment_schedule(deployment_id, schedule_id)


routes = [
    create_deployment,
    read_deployment,
    read_deployment_by_name,
    update_deployment,
    delete_deployment,
    list_deployments,
    count_deployments,
    paginate_deployments,
    count_deployments_by_flow,
    delete_deployments,
    list_due_of_deployments,
    pause_deployment,
    resume_deployment,
    run_deployment,
    list_schedules,
    create_schedules,
    update_schedule,
    delete_schedule,
]
