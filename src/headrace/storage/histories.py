"""Histories: runs of a long time counted by interval and by state, from an index that holds all that is asked for."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Table, and_, case, cast, func, literal, or_, select

from headrace.schema.filters import RunSelection
from headrace.schema.state import StateType
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import Condition, says_something
from headrace.storage.runs import SELECT, time_late, time_running

DONE = (str(StateType.COMPLETED), "Completed")
"""The state in which most runs are."""


class HistoryRow(NamedTuple):
    """The runs of one interval that are in one state. Sums are in microseconds."""

    interval: int
    state_type: str
    state_name: str
    runs: int
    run_time: int
    lateness: int


class Span(NamedTuple):
    """Intervals of one width from `start` to before `end`, in microseconds."""

    start: int
    end: int
    width: int


def count_history(
    connection: Connection,
    workspace_id: UUID,
    table: Table,
    selection: RunSelection,
    start: int,
    end: int,
    width: int,
    now: int,
) -> list[HistoryRow]:
    """Runs of a table expected from `start` to before `end`, counted by interval of `width` and by state."""
    wanted = SELECT[table](workspace_id, selection, DIALECTS[connection.dialect])
    span = Span(start, end, width)
    if connection.dialect == "postgresql" or _is_part(selection):
        return _count_by_state(connection, table, wanted, span, now)
    # SQLite sorts what it groups. Nearly all runs are in one state, and those need no sorting: they are read in order of time.
    kind, name = DONE
    others = or_(table.c.state_type != kind, table.c.state_name.is_distinct_from(name))
    rows = _count_by_state(connection, table, and_(wanted, others), span, now)
    return sorted([*rows, *_count_done(connection, table, wanted, span)])


def _count_by_state(connection: Connection, table: Table, wanted: Condition, span: Span, now: int) -> list[HistoryRow]:
    run = table.c
    interval = cast((run.expected_start_time - span.start) // span.width, Integer).label("interval")
    totals = (func.count(), func.sum(time_running(run, now)), func.sum(time_late(run, now)))
    query = (
        select(interval, run.state_type, run.state_name, *totals)
        .where(wanted, *_is_between(run, span.start, span.end), run.state_type.is_not(None))
        .group_by(interval, run.state_type, run.state_name)
        .order_by(interval, run.state_type, run.state_name)
    )
    # PostgreSQL sums bigint into numeric.
    return [
        HistoryRow(bucket, kind, name, runs, int(run_time), int(lateness))
        for bucket, kind, name, runs, run_time, lateness in connection.select(query)
    ]


def _count_done(connection: Connection, table: Table, wanted: Condition, span: Span) -> list[HistoryRow]:
    """The runs in the state that most are in, interval by interval."""
    run = table.c
    intervals = select(literal(0).label("number")).cte("intervals", recursive=True)
    number = intervals.c.number
    last = (span.end - 1 - span.start) // span.width
    intervals = intervals.union_all(select(number + 1).where(number < last))
    begin = span.start + intervals.c.number * span.width
    late = case((run.start_time > run.expected_start_time, run.start_time - run.expected_start_time), else_=0)
    totals = func.json_array(func.count(), func.sum(run.total_run_time), func.sum(late))
    within = _is_between(run, begin, func.min(begin + span.width, span.end))
    counted = select(totals).where(wanted, *within, _is_done(table)).scalar_subquery()
    found = [(row[0], json.loads(row[1])) for row in connection.select(select(intervals.c.number, counted))]
    return [HistoryRow(interval, *DONE, *totals) for interval, totals in found if totals[0]]


def _is_part(selection: RunSelection) -> bool:
    # By the fields of a selection: whoever asks over HTTP sends it with others, beside it.
    return any(says_something(getattr(selection, name)) for name in RunSelection.__struct_fields__)


def _is_done(table: Table) -> ColumnElement[bool]:
    kind, name = DONE
    return and_(table.c.state_type == kind, table.c.state_name == name)


def _is_between(run: Any, start: Any, end: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return run.expected_start_time >= start, run.expected_start_time < end
