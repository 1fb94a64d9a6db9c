"""Histories: how many runs were in which state in each of a row of intervals."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Table

from headrace.base.clock import LATEST, to_datetime, to_micros
from headrace.base.errors import InvalidRequest
from headrace.orchestration.unit import Unit
from headrace.schema.filters import RunSelection
from headrace.schema.run import RunHistoryInterval, RunHistoryState
from headrace.schema.state import StateType
from headrace.storage import histories

MOST_INTERVALS = 500
"""The most intervals in one history."""


LONGEST = 100 * 366 * 86_400.0
"""How long an interval is at most, in seconds: one that is longer is cut."""


class Intervals(NamedTuple):
    """A row of intervals of one width, in microseconds."""

    first: int
    last: int
    width: int


def cut_intervals(start: datetime, end: datetime, interval: float) -> Intervals:
    """The intervals of so many seconds between two instants. Raises `InvalidRequest` for none and for too many."""
    first, last, width = to_micros(start), to_micros(end), round(min(interval, LONGEST) * 1_000_000)
    if width <= 0 or last <= first:
        raise InvalidRequest("A history needs an end after its start, and an interval above 0.")
    if (last - first) > MOST_INTERVALS * width:
        raise InvalidRequest(f"A history has at most {MOST_INTERVALS} intervals: take a longer one.")
    return Intervals(first, last, width)


def count_history(unit: Unit, table: Table, selection: RunSelection, asked: Intervals) -> list[RunHistoryInterval]:
    """Every interval, those without runs included, with its runs counted by state."""
    first, last, width = asked
    rows = histories.count_history(unit.connection, unit.workspace_id, table, selection, first, last, width, unit.now)
    intervals = [
        RunHistoryInterval(
            interval_start=to_datetime(begin), interval_end=to_datetime(min(begin + width, LATEST)), states=[]
        )
        for begin in range(first, last, width)
    ]
    for row in rows:
        intervals[row.interval].states.append(
            RunHistoryState(
                state_type=StateType(row.state_type),
                state_name=row.state_name,
                count_runs=row.runs,
                sum_estimated_run_time=row.run_time / 1_000_000,
                sum_estimated_lateness=row.lateness / 1_000_000,
            )
        )
    return intervals
