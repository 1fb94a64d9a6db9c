from __future__ import annotations

from uuid import UUID

from litestar import MediaType, Response, delete, get, post
from litestar.params import FromPath, JSONBody

from headrace.schema.flow_run_input import FlowRunInput, FlowRunInputCreate, FlowRunInputListing
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Runs

READ, RUN = Permission.READ, Permission.RUN


@post("/api/flow_runs/{flow_run_id:str}/input", status_code=201, **needs(RUN))
def create_flow_run_input(flow_run_id: FromPath[UUID], data: JSONBody[FlowRunInputCreate], execution: Runs) -> None:
    execution.create_flow_run_input(flow_run_id, data)


@post("/api/flow_runs/{flow_run_id:str}/input/filter", status_code=200, **needs(READ))
def list_flow_run_inputs(
    flow_run_id: FromPath[UUID], data: JSONBody[FlowRunInputListing], execution: Runs
) -> list[FlowRunInput]:
    return execution.list_flow_run_inputs(flow_run_id, data.prefix, data.limit, data.exclude_keys)


# The text itself is the answer.
@get("/api/flow_runs/{flow_run_id:str}/input/{key:str}", media_type=MediaType.TEXT, **needs(READ))
def read_flow_run_input(flow_run_id: FromPath[UUID], key: FromPath[str], execution: Runs) -> Response[str]:
    return Response(execution.read_flow_run_input(flow_run_id, key).value, media_type=MediaType.TEXT)


@delete("/api/flow_runs/{flow_run_id:str}/input/{key:str}", **needs(RUN))
def delete_flow_run_input(flow_run_id: FromPath[UUID], key: FromPath[str], execution: Runs) -> None:
    execution.delete_flow_run_input(flow_run_id, key)


routes = [create_flow_run_input, list_flow_run_inputs, read_flow_run_input, delete_flow_run_input]
