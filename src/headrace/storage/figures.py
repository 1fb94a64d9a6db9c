"""Queries on flow runs for figures of them."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from headrace.schema.trigger import Metric
from headrace.storage import tables as t
from headrace.storage.database import Connection

MOST_RUNS = 5_000
"""How many runs a figure is taken of: the latest."""


class FigureRow(NamedTuple):
    """What figures need of a flow run; tags are JSON."""

    id: UUID
    name: str
    flow_id: UUID
    flow_name: str
    deployment_id: UUID | None
    deployment_name: str | None
    work_pool_id: UUID | None
    work_queue_id: UUID | None
    tags: str
    state_type: str | None
    expected_start_time: int | None
    start_time: int | None
    end_time: int | None
    total_run_time: int


def list_latest(connection: Connection, workspace_id: UUID, metric: Metric, since: int, now: int) -> list[FigureRow]:
    """The latest flow runs of an interval: those that were due in it, for lateness, or that ended in it."""
    run, flow, deployment = t.flow_runs.c, t.flows.c, t.deployments.c
    instant = run.expected_start_time if metric == Metric.lateness else run.end_time
    of_flow = (flow.workspace_id == run.workspace_id) & (flow.id == run.flow_id)
    of_deployment = (deployment.workspace_id == run.workspace_id) & (deployment.id == run.deployment_id)
    named = {"flow_name": flow.name, "deployment_name": deployment.name}
    columns = [named[name] if name in named else run[name] for name in FigureRow._fields]
    query = select(*columns).select_from(t.flow_runs.join(t.flows, of_flow).outerjoin(t.deployments, of_deployment))
    query = query.where(run.workspace_id == workspace_id, instant >= since, instant <= now)
    rows = connection.select(query.order_by(instant.desc()).limit(MOST_RUNS))
    return [FigureRow._make(row) for row in rows]
