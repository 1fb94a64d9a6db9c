from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from headrace.schema.listing import Limit, Number
from headrace.schema.occupancy import PoolOccupancy, QueueHealth, QueueOccupancy
from headrace.schema.wire import Request
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ = Permission.READ


class QueueOccupancyPaging(Request, kw_only=True):
    """Asks for a page of the runs that take up places in a queue."""

    page: Number = 1
    limit: Limit | None = None


class PoolOccupancyPaging(QueueOccupancyPaging, kw_only=True):
    """Asks for a page of a pool's queues, each with at most `flow_run_limit` runs that take up places in it."""

    flow_run_limit: Annotated[int, Meta(ge=0, le=200)] = 10


@post("/api/work_pools/{name:str}/concurrency_status", status_code=200, **needs(READ))
def read_pool_occupancy(
    name: FromPath[str], data: JSONBody[PoolOccupancyPaging], administration: Office
) -> PoolOccupancy:
    return administration.read_work_pool_occupancy(name, data.page, data.limit, data.flow_run_limit)


@post("/api/work_queues/{queue_id:str}/concurrency_status", status_code=200, **needs(READ))
def read_queue_occupancy(
    queue_id: FromPath[UUID], data: JSONBody[QueueOccupancyPaging], administration: Office
) -> QueueOccupancy:
    return administration.read_work_queue_occupancy(queue_id, data.page, data.limit)


@get("/api/work_queues/{queue_id:str}/status", **needs(READ))
def read_queue_health(queue_id: FromPath[UUID], administration: Office) -> QueueHealth:
    return administration.read_work_queue_health(queue_id)


routes = [read_pool_occupancy, read_queue_occupancy, read_queue_health]
