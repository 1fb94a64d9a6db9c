"""Wide queries on flow runs and task runs: lists, counts, history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Table, case, func, literal, select, update

from headrace.schema.filters import RunSelection
from headrace.schema.run import FlowRunSort, Page, TaskRunSort
from headrace.schema.state import TERMINAL, StateType
from headrace.storage import run_counts
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import Condition
from headrace.storage.pages import Order, fetch_page
from headrace.storage.rows import FlowRunRow, TaskRunRow
from headrace.storage.selections import select_flow_runs, select_task_runs
from headrace.storage.tags import find_common

_COLUMNS_OF_SORTS = {
    "ID": "id",
    "START_TIME": "start_time",
    "EXPECTED_START_TIME": "expected_start_time",
    "NAME": "name",
    "NEXT_SCHEDULED_START_TIME": "next_scheduled_start_time",
    "END_TIME": "end_time",
    "DURATION": "total_run_time",
}

SELECT = {t.flow_runs: select_flow_runs, t.task_runs: select_task_runs}


def list_flow_runs(
    connection: Connection, workspace_id: UUID, selection: RunSelection, sort: FlowRunSort, page: Page
) -> list[FlowRunRow]:
    """The flow runs that a selection names, in order."""
    wanted = _listed(connection, workspace_id, t.flow_runs, selection)
    query = select(*(t.flow_runs.c[name] for name in FlowRunRow._fields)).where(wanted)
    return [FlowRunRow._make(row) for row in fetch_page(connection, query, _order(t.flow_runs, sort), page)]


def list_task_runs(
    connection: Connection, workspace_id: UUID, selection: RunSelection, sort: TaskRunSort, page: Page
) -> list[TaskRunRow]:
    """The task runs that a selection names, in order."""
    wanted = _listed(connection, workspace_id, t.task_runs, selection)
    query = select(*(t.task_runs.c[name] for name in TaskRunRow._fields)).where(wanted)
    return [TaskRunRow._make(row) for row in fetch_page(connection, query, _order(t.task_runs, sort), page)]


def list_runs_in(
    connection: Connection, workspace_id: UUID, state: StateType, after: UUID | None, limit: int
) -> list[FlowRunRow]:
    """The first flow runs in a state of a type, by id, after one of them."""
    run = t.flow_runs.c
    query = select(*(run[name] for name in FlowRunRow._fields)).where(
        run.workspace_id == workspace_id, run.state_type == state
    )
    if after is not None:
        query = query.where(run.id > after)
    return [FlowRunRow._make(row) for row in connection.select(query.order_by(run.id).limit(limit))]


def count_runs(connection: Connection, workspace_id: UUID, table: Table, selection: RunSelection) -> int:
    """How many runs of a table a selection names."""
    if run_counts.asks_for_states(table, selection):
        return sum(_count_states(connection, workspace_id, table, selection).values())
    wanted = SELECT[table](workspace_id, selection, DIALECTS[connection.dialect])
    return connection.select(select(func.count()).select_from(table).where(wanted))[0][0]


def measure_lateness(connection: Connection, workspace_id: UUID, selection: RunSelection, now: int) -> float | None:
    """How late the flow runs that a selection names are on average, in microseconds."""
    run = t.flow_runs.c
    wanted = select_flow_runs(workspace_id, selection, DIALECTS[connection.dialect])
    query = select(func.avg(time_late(run, now))).where(wanted, run.expected_start_time.is_not(None))
    average = connection.select(query)[0][0]
    return None if average is None else float(average)


class SpanRow(NamedTuple):
    """A flow run as a mark in a chart, in microseconds."""

    id: UUID
    state_type: str
    timestamp: int
    duration: int
    lateness: int


def list_spans(
    connection: Connection, workspace_id: UUID, selection: RunSelection, sort: FlowRunSort, page: Page, now: int
) -> list[SpanRow]:
    """The flow runs that a selection names, in order, as marks in a chart."""
    run = t.flow_runs.c
    wanted = _listed(connection, workspace_id, t.flow_runs, selection)
    begin = func.coalesce(run.start_time, run.expected_start_time, run.created)
    query = select(run.id, run.state_type, begin, time_running(run, now), time_late(run, now))
    query = query.where(wanted, run.state_type.is_not(None))
    return [SpanRow._make(row) for row in fetch_page(connection, query, _order(t.flow_runs, sort), page)]


def count_task_runs_by_state(connection: Connection, workspace_id: UUID, selection: RunSelection) -> dict[str, int]:
    """How many task runs that a selection names are in a state of each type."""
    if run_counts.asks_for_states(t.task_runs, selection):
        counts = _count_states(connection, workspace_id, t.task_runs, selection)
        return {kind: number for kind, number in counts.items() if kind is not None}
    run = t.task_runs.c
    wanted = select_task_runs(workspace_id, selection, DIALECTS[connection.dialect])
    query = select(run.state_type, func.count()).where(wanted, run.state_type.is_not(None)).group_by(run.state_type)
    return {row[0]: row[1] for row in connection.select(query)}


def count_task_runs_by_flow_run(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many task runs each of some flow runs has."""
    run = t.task_runs.c
    of_runs = [run.workspace_id == workspace_id, run.flow_run_id.in_(ids)]
    query = select(run.flow_run_id, func.count()).where(*of_runs).group_by(run.flow_run_id)
    return {row[0]: row[1] for row in connection.select(query)}


def change_run(connection: Connection, workspace_id: UUID, table: Table, run_id: UUID, changed: dict[str, Any]) -> int:
    """Set columns of a run; how many runs were changed."""
    own = (table.c.workspace_id == workspace_id) & (table.c.id == run_id)
    return connection.change(update(table).where(own).values(changed))


def find_runs_of_state(
    connection: Connection, workspace_id: UUID, table: Table, lowest: UUID, highest: UUID
) -> list[UUID]:
    """The runs among whose states one with an id in this range may be."""
    column = table.c.id
    query = select(column).where(table.c.workspace_id == workspace_id, column >= lowest, column <= highest)
    return [row[0] for row in connection.select(query)]


def _count_states(
    connection: Connection, workspace_id: UUID, table: Table, selection: RunSelection
) -> dict[str | None, int]:
    wanted = selection.flow_runs if table is t.flow_runs else selection.task_runs
    return run_counts.count_by_state(connection, workspace_id, table, wanted and wanted.state)


def _listed(connection: Connection, workspace_id: UUID, table: Table, selection: RunSelection) -> Condition:
    """The runs of a table that a selection names, where only the first of them are wanted."""
    wanted = selection.flow_runs if table is t.flow_runs else selection.task_runs
    common = find_common(connection, workspace_id, table, wanted and wanted.tags)
    return SELECT[table](workspace_id, selection, DIALECTS[connection.dialect], common)


def _order(table: Table, sort: FlowRunSort | TaskRunSort) -> Order:
    name, _, direction = sort.value.rpartition("_")
    return Order(table.c[_COLUMNS_OF_SORTS[name]], table.c.id, direction == "DESC")


def time_running(run: Any, now: int) -> ColumnElement[int]:
    """How long each run has run, the stretch that is not over included."""
    running = run.state_type == StateType.RUNNING.value
    return run.total_run_time + case((running, now - run.state_timestamp), else_=literal(0))


def time_late(run: Any, now: int) -> ColumnElement[int]:
    """How long after its time each run started, or how long it has been waiting to."""
    late = case(
        (run.start_time.is_not(None), run.start_time - run.expected_start_time),
        (run.state_type.in_([state.value for state in TERMINAL]), literal(0)),
        else_=now - run.expected_start_time,
    )
    return case((late > 0, late), else_=literal(0))
