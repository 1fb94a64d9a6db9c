from __future__ import annotations

from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from headrace.schema.filters import RunSelection
from headrace.schema.listing import (
    Deleted,
    FlowRunBulkDelete,
    FlowRunListing,
    FlowRunPaging,
    HistoryRequest,
    Paginated,
    paginate,
)
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunUpdate, Page, RunHistoryInterval
from headrace.schema.wire import Labels
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office, Runs
from headrace.server.responses import created_or_found, note_arrival

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN


@post("/api/flow_runs/", **needs(RUN))
def create_flow_run(data: JSONBody[FlowRunCreate], execution: Runs) -> Response[FlowRun]:
    arrival = note_arrival()
    data.labels = {**label(data), **(data.labels or {})}
    return created_or_found(execution.create_flow_run(data), arrival)


@get("/api/flow_runs/{flow_run_id:str}", **needs(READ))
def read_flow_run(flow_run_id: FromPath[UUID], administration: Office) -> FlowRun:
    return administration.read_flow_run(flow_run_id)


@patch("/api/flow_runs/{flow_run_id:str}", status_code=204, **needs(RUN))
def update_flow_run(flow_run_id: FromPath[UUID], data: JSONBody[FlowRunUpdate], execution: Runs) -> None:
    execution.update_flow_run(flow_run_id, data)


@patch("/api/flow_runs/{flow_run_id:str}/labels", status_code=204, **needs(RUN))
def update_flow_run_labels(flow_run_id: FromPath[UUID], data: JSONBody[Labels], administration: Office) -> None:
    administration.label_flow_run(flow_run_id, data)


@delete("/api/flow_runs/{flow_run_id:str}", **needs(EDIT))
def delete_flow_run(flow_run_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_flow_run(flow_run_id)


@post("/api/flow_runs/filter", status_code=200, **needs(READ))
def list_flow_runs(data: JSONBody[FlowRunListing], administration: Office) -> list[FlowRun]:
    return administration.list_flow_runs(data, data.sort, data.part)


@post("/api/flow_runs/paginate", status_code=200, **needs(READ))
def paginate_flow_runs(data: JSONBody[FlowRunPaging], administration: Office) -> Paginated[FlowRun]:
    """Return a page of the flow runs that the selection names, and how many there are in all."""
    runs = administration.list_flow_runs(data, data.sort, data.part)
    return paginate(runs, administration.count_flow_runs(data), data)


@post("/api/flow_runs/count", status_code=200, **needs(READ))
def count_flow_runs(data: JSONBody[RunSelection], administration: Office) -> int:
    return administration.count_flow_runs(data)


@post("/api/flow_runs/history", status_code=200, **needs(READ))
def read_flow_run_history(data: JSONBody[HistoryRequest], administration: Office) -> list[RunHistoryInterval]:
    return administration.flow_run_history(data.history_start, data.history_end, data.history_interval_seconds, data)


@post("/api/flow_runs/lateness", status_code=200, **needs(READ))
def read_flow_run_lateness(data: JSONBody[RunSelection], administration: Office) -> float | None:
    return administration.flow_run_lateness(data)


@post("/api/flow_runs/bulk_delete", status_code=200, **needs(EDIT))
def delete_flow_runs(data: JSONBody[FlowRunBulkDelete], administration: Office) -> Deleted:
    """Delete flow runs that the filter names, with all that belongs to them, and return which."""
    found = administration.list_flow_runs(RunSelection(flow_runs=data.flow_runs), page=Page(data.limit))
    for run in found:
        administration.delete_flow_run(run.id)
    return Deleted(deleted=[run.id for run in found])


def label(run: FlowRunCreate) -> Labels:
    """The labels that the contract has its server give to a run."""
    labels: Labels = {"prefect.flow.id": str(run.flow_id)}
    if run.deployment_id is not None:
        labels["prefect.deployment.id"] = str(run.deployment_id)
    return labels


routes = [
    create_flow_run,
    read_flow_run,
    update_flow_run,
    update_flow_run_labels,
    delete_flow_run,
    list_flow_runs,
    paginate_flow_runs,
    count_flow_runs,
    read_flow_run_history,
    read_flow_run_lateness,
    delete_flow_runs,
]
