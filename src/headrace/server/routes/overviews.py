from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from headrace.schema.listing import FlowIds
from headrace.schema.overview import NextFlowRun, ObservedState, ObservedStateSort
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ = Permission.READ
BY_LAST = ObservedStateSort.LAST_SEEN_DESC


@get("/api/observed-states", **needs(READ))
def list_observed_states(
    administration: Office,
    words: Annotated[str | None, QueryParameter(name="query", max_length=100)] = None,
    order_by: FromQuery[ObservedStateSort] = BY_LAST,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 200,
) -> list[ObservedState]:
    return administration.list_observed_states(words, order_by, limit)


@post("/api/ui/flows/next-runs", status_code=200, **needs(READ))
def list_next_flow_runs(data: JSONBody[FlowIds], administration: Office) -> dict[UUID, NextFlowRun | None]:
    return administration.list_next_flow_runs(data.flow_ids)


routes = [list_observed_states, list_next_flow_runs]
