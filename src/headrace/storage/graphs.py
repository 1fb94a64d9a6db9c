"""Wide queries for the graph of a flow run."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, func, null, or_, select

from headrace.storage import tables as t
from headrace.storage.database import Connection


class TaskNodeRow(NamedTuple):
    """What the graph needs of a task run."""

    id: UUID
    name: str
    state_type: str
    start_time: int
    end_time: int | None
    task_inputs: str


class SubflowRow(NamedTuple):
    """What the graph needs of the run of a subflow."""

    id: UUID
    name: str
    state_type: str
    start_time: int
    end_time: int | None
    parent_task_run_id: UUID


class ArtifactNodeRow(NamedTuple):
    """What the graph needs of an artifact. `data` is there for progress only."""

    id: UUID
    created: int
    key: str | None
    type: str | None
    data: str | None
    task_run_id: UUID | None
    latest_id: UUID | None


def list_task_nodes(connection: Connection, workspace_id: UUID, flow_run_id: UUID, limit: int) -> list[TaskNodeRow]:
    """The task runs of a flow run that are something to draw, in the order in which they started."""
    run = t.task_runs.c
    start = func.coalesce(run.start_time, run.expected_start_time, run.created)
    query = (
        select(run.id, run.name, run.state_type, start, run.end_time, run.task_inputs)
        .where(run.workspace_id == workspace_id, run.flow_run_id == flow_run_id, run.state_type.is_not(None))
        .order_by(start, run.id)
        .limit(limit)
    )
    return [TaskNodeRow._make(row) for row in connection.select(query)]


def list_subflows(connection: Connection, workspace_id: UUID, flow_run_id: UUID) -> list[SubflowRow]:
    """The runs of subflows that a flow run called."""
    run = t.flow_runs.c
    start = func.coalesce(run.start_time, run.expected_start_time, run.created)
    query = select(run.id, run.name, run.state_type, start, run.end_time, run.parent_task_run_id).where(
        run.workspace_id == workspace_id,
        run.parent_flow_run_id == flow_run_id,
        run.parent_task_run_id.is_not(None),
        run.state_type.is_not(None),
    )
    return [SubflowRow._make(row) for row in connection.select(query)]


def list_artifact_nodes(
    connection: Connection, workspace_id: UUID, flow_run_id: UUID, limit: int
) -> list[ArtifactNodeRow]:
    """The artifacts that a flow run and its task runs left."""
    artifact, collection, run = t.artifacts.c, t.artifact_collections.c, t.task_runs.c
    tasks = select(run.id).where(run.workspace_id == workspace_id, run.flow_run_id == flow_run_id)
    latest = t.artifacts.outerjoin(
        t.artifact_collections,
        (collection.workspace_id == artifact.workspace_id) & (collection.key == artifact.key),
    )
    data = case((artifact.type == "progress", artifact.data), else_=null())
    query = (
        select(
            artifact.id,
            artifact.created,
            artifact.key,
            artifact.type,
            data,
            artifact.task_run_id,
            collection.latest_id,
        )
        .select_from(latest)
        .where(
            artifact.workspace_id == workspace_id,
            or_(artifact.flow_run_id == flow_run_id, artifact.task_run_id.in_(tasks)),
        )
        .order_by(artifact.created, artifact.id)
        .limit(limit)
    )
    return [ArtifactNodeRow._make(row) for row in connection.select(query)]
