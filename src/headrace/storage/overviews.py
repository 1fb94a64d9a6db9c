"""Wide queries that answer a page's question at once, each from an index, however long the history is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select

from headrace.base.clock import to_datetime
from headrace.schema.overview import NextFlowRun
from headrace.schema.state import StateType
from headrace.storage import tables as t
from headrace.storage.database import Connection

_run = t.flow_runs.c


class SeenRow(NamedTuple):
    """A name of a state that runs are in: the type that the newest has, when the oldest and the newest entered it."""

    state_name: str
    state_type: str
    first: int
    last: int


def list_state_names(connection: Connection, workspace_id: UUID, most: int) -> list[str]:
    """The first names of states that flow runs are in, by name: one step in the index for each."""
    own = _run.workspace_id == workspace_id
    names = select(func.min(_run.state_name).label("name")).where(own).cte("names", recursive=True)
    following = select(func.min(_run.state_name)).where(own, _run.state_name > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    query = select(names.c.name).where(names.c.name.is_not(None)).limit(most)
    return [row[0] for row in connection.select(query)]


def find_seen(connection: Connection, workspace_id: UUID, state_name: str) -> SeenRow | None:
    """What the oldest and the newest run tell that are in a state of that name."""
    oldest = _find_end(connection, workspace_id, state_name, _run.id.asc())
    newest = _find_end(connection, workspace_id, state_name, _run.id.desc())
    if oldest is None or newest is None:
        return None
    times = [oldest.state_timestamp, newest.state_timestamp]
    return SeenRow(state_name, newest.state_type, min(times), max(times))


def list_next_runs(connection: Connection, workspace_id: UUID, flow_ids: Sequence[UUID]) -> list[NextFlowRun]:
    """The scheduled run that is due next of each of some flows."""
    of_flow = t.flow_runs.alias().c
    waiting = [
        of_flow.workspace_id == workspace_id,
        of_flow.flow_id == t.flows.c.id,
        of_flow.next_scheduled_start_time.is_not(None),
        of_flow.state_type == StateType.SCHEDULED,
    ]
    first = select(of_flow.id).where(*waiting).order_by(of_flow.next_scheduled_start_time, of_flow.id).limit(1)
    chosen = select(first.scalar_subquery()).where(t.flows.c.workspace_id == workspace_id, t.flows.c.id.in_(flow_ids))
    names = ("id", "flow_id", "name", "state_name", "state_type", "next_scheduled_start_time")
    query = select(*(_run[name] for name in names)).where(_run.workspace_id == workspace_id, _run.id.in_(chosen))
    return [
        NextFlowRun(
            id=run_id,
            flow_id=flow_id,
            name=name,
            state_name=state_name,
            state_type=StateType(state_type),
            next_scheduled_start_time=to_datetime(due),
        )
        for run_id, flow_id, name, state_name, state_type, due in connection.select(query)
    ]


def _find_end(
    connection: Connection, workspace_id: UUID, state_name: str, order: ColumnElement[Any]
) -> Row[*tuple[Any, ...]] | None:
    query = select(_run.state_type, _run.state_timestamp)
    query = query.where(_run.workspace_id == workspace_id, _run.state_name == state_name)
    rows = connection.select(query.order_by(order).limit(1))
    return rows[0] if rows else None
