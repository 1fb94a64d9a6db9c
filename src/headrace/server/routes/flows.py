from __future__ import annotations

from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from headrace.schema.filters import RunSelection
from headrace.schema.flow import Flow, FlowCreate, FlowUpdate
from headrace.schema.listing import Deleted, FlowBulkDelete, FlowListing, FlowPaging, Paginated, paginate
from headrace.schema.run import Page
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office, Runs
from headrace.server.responses import created_or_found, note_arrival

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN


@post("/api/flows/", **needs(RUN))
def create_flow(data: JSONBody[FlowCreate], execution: Runs) -> Response[Flow]:
    arrival = note_arrival()
    return created_or_found(execution.register_flow(data), arrival)


@get("/api/flows/{flow_id:str}", **needs(READ))
def read_flow(flow_id: FromPath[UUID], administration: Office) -> Flow:
    return administration.read_flow(flow_id)


@get("/api/flows/name/{name:str}", **needs(READ))
def read_flow_by_name(name: FromPath[str], administration: Office) -> Flow:
    return administration.read_flow_by_name(name)


@patch("/api/flows/{flow_id:str}", status_code=204, **needs(EDIT))
def update_flow(flow_id: FromPath[UUID], data: JSONBody[FlowUpdate], administration: Office) -> None:
    administration.update_flow(flow_id, data)


@delete("/api/flows/{flow_id:str}", **needs(EDIT))
def delete_flow(flow_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_flow(flow_id)


@post("/api/flows/filter", status_code=200, **needs(READ))
def list_flows(data: JSONBody[FlowListing], administration: Office) -> list[Flow]:
    return administration.list_flows(data, data.sort, data.part)


@post("/api/flows/count", status_code=200, **needs(READ))
def count_flows(data: JSONBody[RunSelection], administration: Office) -> int:
    return administration.count_flows(data)


@post("/api/flows/paginate", status_code=200, **needs(READ))
def paginate_flows(data: JSONBody[FlowPaging], administration: Office) -> Paginated[Flow]:
    """Return a page of the flows that the selection names, and how many there are in all."""
    flows = administration.list_flows(data, data.sort, data.part)
    return paginate(flows, administration.count_flows(data), data)


@post("/api/flows/bulk_delete", status_code=200, **needs(EDIT))
def delete_flows(data: JSONBody[FlowBulkDelete], administration: Office) -> Deleted:
    """Delete flows that the selection names, with all that belongs to them, and return which."""
    found = administration.list_flows(RunSelection(flows=data.flows), page=Page(data.limit))
    for flow in found:
        administration.delete_flow(flow.id)
    return Deleted(deleted=[flow.id for flow in found])


routes = [
    create_flow,
    read_flow,
    read_flow_by_name,
    update_flow,
    delete_flow,
    list_flows,
    count_flows,
    paginate_flows,
    delete_flows,
]
