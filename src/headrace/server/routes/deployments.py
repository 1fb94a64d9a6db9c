from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field

from headrace.base import clock
from headrace.base.errors import InvalidRequest, ObjectNotFound
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
from headrace.schema.schedule import (
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    ScheduleSpan,
)
from headrace.schema.wire import Request, Wire
from headrace.schema.work_pool import WorkQueue
from headrace.server.auth import Permission, needs
from headrace.server.errors import Refusal
from headrace.server.gateways import Office, Runs
from headrace.server.responses import created_or_found, note_arrival

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN

HORIZON = 100 * 86_400_000_000
"""How far ahead runs are made, unless a request says otherwise, in microseconds."""

MOST_PLANNED = 100
"""The most runs of one schedule that are made ahead."""

MOST_AT_ONCE = 100
"""The most runs that one request makes."""


class DueOfDeployments(Request, kw_only=True):
    """Asks for the runs of deployments that are due."""

    deployment_ids: Ids
    scheduled_before: datetime | None = None
    limit: Limit | None = None


class ScheduleRequest(Request, kw_only=True):
    """Asks for the runs of a deployment's schedules in a span: from now on for a hundred days, unless it says otherwise."""

    start_time: datetime | None = None
    end_time: datetime | None = None
    min_time: Annotated[float, Meta(ge=0, le=HORIZON / 1_000_000)] = 3600.0
    min_runs: Annotated[int, Meta(ge=0, le=MOST_PLANNED)] = 3
    max_runs: Annotated[int, Meta(ge=1, le=MOST_PLANNED)] = MOST_PLANNED


class CreatedRun(Wire, kw_only=True):
    """What became of one of several runs that were asked for."""

    flow_run_id: UUID | None = None
    status: Literal["CREATED", "FAILED"]
    error: str | None = None


class BulkCreation(Wire, kw_only=True):
    """What became of several runs, in the order in which they were asked for."""

    results: list[CreatedRun] = field(default_factory=list[CreatedRun])


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
    """Return a page of the deployments that the selection names, and how many there are in all."""
    found = administration.list_deployments(data, data.sort, data.part)
    return paginate(found, administration.count_deployments(data), data)


@post("/api/ui/flows/count-deployments", status_code=200, **needs(READ))
def count_deployments_by_flow(data: JSONBody[FlowIds], administration: Office) -> dict[UUID, int]:
    return administration.count_deployments_by_flow(data.flow_ids)


@post("/api/deployments/bulk_delete", status_code=200, **needs(EDIT))
def delete_deployments(data: JSONBody[DeploymentBulkDelete], administration: Office) -> Deleted:
    """Delete deployments that the filter names, and return which."""
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


@post("/api/deployments/{deployment_id:str}/create_flow_run/bulk", status_code=200, **needs(RUN))
def run_deployment_in_bulk(
    deployment_id: FromPath[UUID], data: JSONBody[list[DeploymentFlowRunCreate]], administration: Office
) -> BulkCreation:
    """Create runs of the deployment, each by itself, and say what became of each.

    Answers 400 for more than a hundred. Raises `ObjectNotFound` for a deployment that does not exist.
    """
    if len(data) > MOST_AT_ONCE:
        raise Refusal(400, f"At most {MOST_AT_ONCE} runs are made at once; {len(data)} were asked for.")
    administration.read_deployment(deployment_id)
    return BulkCreation(results=[create_one(deployment_id, each, administration) for each in data])


def create_one(deployment_id: UUID, run: DeploymentFlowRunCreate, administration: Office) -> CreatedRun:
    """Make one of several runs, or say why it cannot be made; the others are made all the same."""
    try:
        return CreatedRun(flow_run_id=administration.run_deployment(deployment_id, run).id, status="CREATED")
    except (InvalidRequest, ObjectNotFound) as error:
        return CreatedRun(status="FAILED", error=str(error))


@get("/api/deployments/{deployment_id:str}/work_queue_check", **needs(READ))
def check_work_queue(deployment_id: FromPath[UUID], administration: Office) -> list[WorkQueue]:
    """Return the queue in which runs of the deployment wait; none, where it has no work pool."""
    queue_id = administration.read_deployment(deployment_id).work_queue_id
    return [] if queue_id is None else [administration.read_work_queue(queue_id)]


@post("/api/deployments/{deployment_id:str}/schedule", status_code=200, **needs(EDIT))
def schedule_deployment(deployment_id: FromPath[UUID], data: JSONBody[ScheduleRequest], administration: Office) -> int:
    start = data.start_time or clock.now()
    span = ScheduleSpan(
        start_time=start,
        end_time=data.end_time or clock.to_datetime(min(clock.to_micros(start) + HORIZON, clock.LATEST)),
        min_time=data.min_time,
        min_runs=data.min_runs,
        max_runs=data.max_runs,
    )
    return administration.schedule_deployment(deployment_id, span)


@get("/api/deployments/{deployment_id:str}/schedules", **needs(READ))
def list_schedules(deployment_id: FromPath[UUID], administration: Office) -> list[DeploymentSchedule]:
    """Return the schedules of the deployment."""
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
    run_deployment_in_bulk,
    check_work_queue,
    schedule_deployment,
    list_schedules,
    create_schedules,
    update_schedule,
    delete_schedule,
]
