from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from headrace.base import clock
from headrace.base.errors import ObjectAlreadyExists, ObjectNotFound
from headrace.schema.filters import WorkPoolFilter
from headrace.schema.listing import LONGEST_LIST, Limit, WorkerListing, WorkPoolListing, WorkQueueListing
from headrace.schema.orchestration import DueRequest
from headrace.schema.run import FlowRun
from headrace.schema.wire import Request
from headrace.schema.work_pool import (
    PlacedRun,
    Worker,
    WorkerBeat,
    WorkPool,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
    WorkQueueCreate,
    WorkQueueUpdate,
)
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office, Runs

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN

POOL_OF_NOBODY = "default-agent-pool"
"""Where the contract puts queues of which nobody says to which pool they belong; made with the first of them."""


class WorkPoolSelection(Request, kw_only=True):
    """Selects work pools."""

    work_pools: WorkPoolFilter | None = None


class DueOfQueue(Request, kw_only=True):
    """Asks for the runs of a queue that are due."""

    scheduled_before: datetime | None = None
    limit: Limit | None = None


class DueOfPool(DueOfQueue, kw_only=True):
    """Asks for the runs of a pool that are due. What was due long ago is due still."""

    work_queue_names: list[str] | None = None
    scheduled_after: datetime | None = None


class Heartbeat(Request, kw_only=True):
    """Shows that a worker is there. With `return_id` it is told its id; `metadata` is read and passed over."""

    name: Annotated[str, Meta(min_length=1)]
    heartbeat_interval_seconds: Annotated[float, Meta(gt=0)] | None = None
    return_id: bool = False
    metadata: dict[str, object] | None = None


@post("/api/work_pools/", **needs(EDIT))
def create_pool(data: JSONBody[WorkPoolCreate], administration: Office) -> WorkPool:
    return administration.create_work_pool(data)


@get("/api/work_pools/{name:str}", **needs(READ))
def read_pool(name: FromPath[str], administration: Office) -> WorkPool:
    return administration.read_work_pool(name)


@patch("/api/work_pools/{name:str}", status_code=204, **needs(EDIT))
def update_pool(name: FromPath[str], data: JSONBody[WorkPoolUpdate], administration: Office) -> None:
    administration.update_work_pool(name, data)


@delete("/api/work_pools/{name:str}", **needs(EDIT))
def delete_pool(name: FromPath[str], administration: Office) -> None:
    administration.delete_work_pool(name)


@post("/api/work_pools/filter", status_code=200, **needs(READ))
def list_pools(data: JSONBody[WorkPoolListing], administration: Office) -> list[WorkPool]:
    return administration.list_work_pools(data.work_pools, data.part)


@post("/api/work_pools/count", status_code=200, **needs(READ))
def count_pools(data: JSONBody[WorkPoolSelection], administration: Office) -> int:
    return administration.count_work_pools(data.work_pools)


@post("/api/work_pools/{name:str}/get_scheduled_flow_runs", status_code=200, **needs(RUN))
def list_due_of_pool(name: FromPath[str], data: JSONBody[DueOfPool], execution: Runs) -> list[PlacedRun]:
    request = due(data)
    request.work_pool_name, request.work_queue_names = name, data.work_queue_names or None
    return [
        PlacedRun(work_pool_id=run.work_pool_id, work_queue_id=run.work_queue_id, flow_run=run)
        for run in execution.list_due_flow_runs(request)
        if run.work_pool_id is not None and run.work_queue_id is not None
    ]


@post("/api/work_pools/{pool_name:str}/queues", **needs(EDIT))
def create_queue(pool_name: FromPath[str], data: JSONBody[WorkQueueCreate], administration: Office) -> WorkQueue:
    return administration.create_work_queue(pool_name, data)


@get("/api/work_pools/{pool_name:str}/queues/{name:str}", **needs(READ))
def read_queue_of_pool(pool_name: FromPath[str], name: FromPath[str], administration: Office) -> WorkQueue:
    return administration.read_work_queue_by_name(pool_name, name)


@patch("/api/work_pools/{pool_name:str}/queues/{name:str}", status_code=204, **needs(EDIT))
def update_queue_of_pool(
    pool_name: FromPath[str], name: FromPath[str], data: JSONBody[WorkQueueUpdate], administration: Office
) -> None:
    administration.update_work_queue(administration.read_work_queue_by_name(pool_name, name).id, data)


@delete("/api/work_pools/{pool_name:str}/queues/{name:str}", **needs(EDIT))
def delete_queue_of_pool(pool_name: FromPath[str], name: FromPath[str], administration: Office) -> None:
    administration.delete_work_queue(administration.read_work_queue_by_name(pool_name, name).id)


@post("/api/work_pools/{pool_name:str}/queues/filter", status_code=200, **needs(READ))
def list_queues_of_pool(
    pool_name: FromPath[str], data: JSONBody[WorkQueueListing], administration: Office
) -> list[WorkQueue]:
    return administration.list_work_queues(pool_name, data.work_queues, data.part)


@post("/api/work_queues/", **needs(EDIT))
def create_queue_without_pool(data: JSONBody[WorkQueueCreate], administration: Office) -> WorkQueue:
    """Create a queue in the pool `default-agent-pool`, which the first of them brings along.

    Raises `ObjectAlreadyExists` for a name that is taken there.
    """
    try:
        return administration.create_work_queue(POOL_OF_NOBODY, data)
    except ObjectNotFound:
        with suppress(ObjectAlreadyExists):
            administration.create_work_pool(WorkPoolCreate(name=POOL_OF_NOBODY))
        return administration.create_work_queue(POOL_OF_NOBODY, data)


@get("/api/work_queues/name/{name:str}", **needs(READ))
def read_queue_without_pool(name: FromPath[str], administration: Office) -> WorkQueue:
    """Return the queue of that name in the pool `default-agent-pool`. Raises `ObjectNotFound`."""
    return administration.read_work_queue_by_name(POOL_OF_NOBODY, name)


@get("/api/work_queues/{queue_id:str}", **needs(READ))
def read_queue(queue_id: FromPath[UUID], administration: Office) -> WorkQueue:
    return administration.read_work_queue(queue_id)


@patch("/api/work_queues/{queue_id:str}", status_code=204, **needs(EDIT))
def update_queue(queue_id: FromPath[UUID], data: JSONBody[WorkQueueUpdate], administration: Office) -> None:
    administration.update_work_queue(queue_id, data)


@delete("/api/work_queues/{queue_id:str}", **needs(EDIT))
def delete_queue(queue_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_work_queue(queue_id)


@post("/api/work_queues/filter", status_code=200, **needs(READ))
def list_queues(data: JSONBody[WorkQueueListing], administration: Office) -> list[WorkQueue]:
    return administration.list_work_queues(None, data.work_queues, data.part)


@post("/api/work_queues/{queue_id:str}/get_runs", status_code=200, **needs(RUN))
def list_due_of_queue(queue_id: FromPath[UUID], data: JSONBody[DueOfQueue], execution: Runs) -> list[FlowRun]:
    request = due(data)
    request.work_queue_ids = [queue_id]
    return execution.list_due_flow_runs(request)


@post(
    "/api/work_pools/{pool_name:str}/workers/heartbeat",
    status_code=200,
    media_type="text/plain",
    responses={204: ResponseSpec(None, description="The worker did not ask for its id", generate_examples=False)},
    **needs(RUN),
)
def beat_worker(
    pool_name: FromPath[str], data: JSONBody[Heartbeat], execution: Runs, administration: Office
) -> Response[str]:
    """Show that a worker is there. With `return_id`, answer with its id as a bare text."""
    interval = data.heartbeat_interval_seconds
    execution.beat_worker(WorkerBeat(work_pool_name=pool_name, name=data.name, heartbeat_interval_seconds=interval))
    if not data.return_id:
        return Response("", status_code=204)
    # Those that showed themselves last come first, and this one just did.
    worker = next(each for each in administration.list_workers(pool_name) if each.name == data.name)
    return Response(str(worker.id), status_code=200, media_type="text/plain")


@post("/api/work_pools/{pool_name:str}/workers/filter", status_code=200, **needs(READ))
def list_workers(pool_name: FromPath[str], data: JSONBody[WorkerListing], administration: Office) -> list[Worker]:
    return administration.list_workers(pool_name, data.workers, data.part)


@delete("/api/work_pools/{pool_name:str}/workers/{name:str}", **needs(EDIT))
def delete_worker(pool_name: FromPath[str], name: FromPath[str], administration: Office) -> None:
    administration.delete_worker(pool_name, name)


def due(data: DueOfQueue) -> DueRequest:
    """What is due by the instant that was named, or now."""
    limit = LONGEST_LIST if data.limit is None else data.limit
    return DueRequest(before=data.scheduled_before or clock.now(), limit=limit)


routes = [
    create_pool,
    read_pool,
    update_pool,
    delete_pool,
    list_pools,
    count_pools,
    list_due_of_pool,
    create_queue,
    read_queue_of_pool,
    update_queue_of_pool,
    delete_queue_of_pool,
    list_queues_of_pool,
    create_queue_without_pool,
    read_queue_without_pool,
    read_queue,
    update_queue,
    delete_queue,
    list_queues,
    list_due_of_queue,
    beat_worker,
    list_workers,
    delete_worker,
]
