"""What runs left behind that have been cancelled. Looked for from what is alive, which is little, whatever the history."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text

from headrace.schema.state import TERMINAL, StateType
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.hints import by_index

# Written as the index `ix_flow_runs_unfinished_subflows` has it, so that it can be used.
UNFINISHED = text(
    "child.parent_flow_run_id IS NOT NULL AND child.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"
)
ALIVE = tuple(str(each) for each in StateType if each not in TERMINAL)


def find_children(connection: Connection, workspace_id: UUID, before: int, limit: int) -> list[UUID]:
    """Subflows that have not ended, of runs that were cancelled before an instant."""
    child, parent = t.flow_runs.alias("child"), t.flow_runs.alias("parent")
    query = select(child.c.id).where(
        child.c.workspace_id == workspace_id,
        UNFINISHED,
        parent.c.workspace_id == workspace_id,
        parent.c.id == child.c.parent_flow_run_id,
        parent.c.state_type == StateType.CANCELLED,
        parent.c.end_time < before,
    )
    query = by_index(query, child, "ix_flow_runs_unfinished_subflows")
    return [row[0] for row in connection.select(query.limit(limit))]


def find_parents(connection: Connection, workspace_id: UUID, before: int, limit: int) -> list[UUID]:
    """Flow runs that were cancelled before an instant and have task runs that have not ended and that nobody else executes."""
    task, flow, background = t.task_runs.c, t.flow_runs.c, t.background_runs.c
    taken = select(background.task_run_id).where(
        background.workspace_id == workspace_id, background.task_run_id == task.id
    )
    query = select(task.flow_run_id).where(
        task.workspace_id == workspace_id,
        task.state_type.in_(ALIVE),
        flow.workspace_id == workspace_id,
        flow.id == task.flow_run_id,
        flow.state_type == StateType.CANCELLED,
        flow.end_time < before,
        ~taken.exists(),
    )
    query = by_index(query, t.task_runs, "ix_task_runs_state_type")
    return [row[0] for row in connection.select(query.distinct().limit(limit)) if row[0] is not None]
