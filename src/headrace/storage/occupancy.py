"""Wide queries on the runs that take up places in queues."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text

from headrace.base.clock import to_datetime
from headrace.schema.occupancy import ActiveRun
from headrace.schema.run import Page
from headrace.schema.state import StateType
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.hints import by_index
from headrace.storage.rows import to_instant

_run = t.flow_runs.c

# Written as the index `ix_flow_runs_active` has it, so that it can be used.
ACTIVE = text("flow_runs.work_queue_id IS NOT NULL AND flow_runs.state_type IN ('PENDING', 'RUNNING', 'CANCELLING')")


class ActiveRow(NamedTuple):
    """What is told of a run that takes up a place."""

    work_queue_id: UUID
    id: UUID
    name: str
    state_type: str
    state_name: str
    start_time: int | None
    state_timestamp: int


def list_active(connection: Connection, workspace_id: UUID, queue_id: UUID, page: Page) -> list[ActiveRow]:
    """The runs that take up places in a queue, in the order in which they were made."""
    query = select(*(_run[name] for name in ActiveRow._fields))
    query = query.where(_run.workspace_id == workspace_id, _run.work_queue_id == queue_id, ACTIVE)
    # The index of all runs that a queue ever had would fit as well.
    query = by_index(query, t.flow_runs, "ix_flow_runs_active")
    rows = connection.select(query.order_by(_run.id).limit(page.limit).offset(page.offset))
    return [ActiveRow._make(row) for row in rows]


def count_late(connection: Connection, workspace_id: UUID, queue_id: UUID, state_name: str) -> int:
    """How many runs of a queue that nobody has started are in the state that means late."""
    found = [_run.workspace_id == workspace_id, _run.state_name == state_name, _run.work_queue_id == queue_id]
    query = select(func.count()).where(*found, _run.next_scheduled_start_time.is_not(None))
    return connection.select(by_index(query, t.flow_runs, "ix_flow_runs_waiting"))[0][0]


def to_active_run(row: ActiveRow, now: int) -> ActiveRun:
    """The run of a row, as it is at the instant `now`."""
    return ActiveRun(
        id=row.id,
        name=row.name,
        state_type=StateType(row.state_type),
        state_name=row.state_name,
        start_time=to_instant(row.start_time),
        state_timestamp=to_datetime(row.state_timestamp),
        time_in_current_state=max(0, now - row.state_timestamp) / 1_000_000,
    )
