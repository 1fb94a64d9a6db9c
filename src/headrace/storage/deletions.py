"""What belongs together is deleted together: a run with everything it left.

There are no foreign keys (`headrace.storage.tables` says why), so this is the one place that knows what belongs to what.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, select, update

from headrace.storage import tables as t
from headrace.storage.artifacts import delete_artifacts
from headrace.storage.database import Connection
from headrace.storage.pages import Query


def delete_flow_run(connection: Connection, workspace_id: UUID, flow_run_id: UUID) -> int:
    """Delete a flow run with its task runs, tags, logs, artifacts, results, inputs, events and lease; how many runs there were.

    Its subflows stay: they are runs of their own, and have no parent any more.
    """
    run = t.task_runs.c
    tasks = select(run.id).where(run.workspace_id == workspace_id, run.flow_run_id == flow_run_id)
    _delete_left(connection, workspace_id, tasks, flow_run_id)
    child = t.flow_runs.c
    of_run = (child.workspace_id == workspace_id) & (child.parent_flow_run_id == flow_run_id)
    orphaned = {"parent_flow_run_id": None, "parent_task_run_id": None}
    connection.change(update(t.flow_runs).where(of_run).values(orphaned))
    _delete_of(connection, workspace_id, t.leases, t.leases.c.flow_run_id == flow_run_id)
    _delete_of(connection, workspace_id, t.flow_run_inputs, t.flow_run_inputs.c.flow_run_id == flow_run_id)
    _delete_of(connection, workspace_id, t.flow_run_tags, t.flow_run_tags.c.run_id == flow_run_id)
    _delete_of(connection, workspace_id, t.task_runs, run.flow_run_id == flow_run_id)
    return _delete_of(connection, workspace_id, t.flow_runs, t.flow_runs.c.id == flow_run_id)


def delete_task_run(connection: Connection, workspace_id: UUID, task_run_id: UUID) -> int:
    """Delete a task run with its tags, logs, artifacts, results and events; how many there were."""
    run = t.task_runs.c
    _delete_left(
        connection, workspace_id, select(run.id).where(run.workspace_id == workspace_id, run.id == task_run_id), None
    )
    return _delete_of(connection, workspace_id, t.task_runs, run.id == task_run_id)


def find_runs_of_flow(connection: Connection, workspace_id: UUID, flow_id: UUID, limit: int) -> list[UUID]:
    """Some runs of a flow."""
    run = t.flow_runs.c
    query = select(run.id).where(run.workspace_id == workspace_id, run.flow_id == flow_id).limit(limit)
    return [row[0] for row in connection.select(query)]


def delete_flow(connection: Connection, workspace_id: UUID, flow_id: UUID) -> int:
    """Delete a flow that has no runs any more; how many there were."""
    return _delete_of(connection, workspace_id, t.flows, t.flows.c.id == flow_id)


def _delete_left(connection: Connection, workspace_id: UUID, tasks: Query, flow_run_id: UUID | None) -> None:
    """Delete what task runs, and their flow run, left. Each on its own, because no index serves an OR of the two."""
    _delete_of(connection, workspace_id, t.events, t.events.c.subject_id.in_(tasks))
    _delete_of(connection, workspace_id, t.task_run_tags, t.task_run_tags.c.run_id.in_(tasks))
    _delete_of(connection, workspace_id, t.background_runs, t.background_runs.c.task_run_id.in_(tasks))
    if flow_run_id is not None:
        _delete_of(connection, workspace_id, t.events, t.events.c.subject_id == flow_run_id)
    for table in (t.logs, t.results):
        for left in _left(table, tasks, flow_run_id):
            _delete_of(connection, workspace_id, table, left)
    artifact = t.artifacts.c
    for left in _left(t.artifacts, tasks, flow_run_id):
        delete_artifacts(
            connection, workspace_id, select(artifact.id).where(artifact.workspace_id == workspace_id, left)
        )


def _left(table: Table, tasks: Query, flow_run_id: UUID | None) -> list[Any]:
    of_tasks = table.c.task_run_id.in_(tasks)
    return [of_tasks] if flow_run_id is None else [of_tasks, table.c.flow_run_id == flow_run_id]


def _delete_of(connection: Connection, workspace_id: UUID, table: Table, condition: Any) -> int:
    return connection.change(delete(table).where(table.c.workspace_id == workspace_id, condition))
