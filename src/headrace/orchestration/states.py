"""States between their forms: what somebody proposes, the fact that is recorded, and the columns of a run's row."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.rules.bookkeeping import Progress
from headrace.schema.fact import StateFact
from headrace.schema.state import StateCreate, StateType
from headrace.storage.rows import FlowRunRow, StateRest, TaskRunRow
from headrace.storage.texts import storable_json


def to_state_fact(state: StateCreate, ordinal: int, timestamp: int) -> StateFact:
    """The fact that a run entered a proposed state; of its details, those that differ from the defaults."""
    details: dict[str, Any] = msgspec.to_builtins(state.state_details)
    name = state.name or state.type.capitalize()
    return StateFact(ordinal, state.type, name, timestamp, state.message, state.data, details or None)


def to_progress(row: FlowRunRow | TaskRunRow) -> Progress:
    """The columns of a row that follow from the run's states. Of the state itself, what has a column."""
    state = None
    if row.state_type is not None and row.state_name is not None and row.state_timestamp is not None:
        state = StateFact(row.state_ordinal, StateType(row.state_type), row.state_name, row.state_timestamp)
    return Progress(
        state=state,
        run_count=row.run_count,
        start_time=row.start_time,
        end_time=row.end_time,
        total_run_time=row.total_run_time,
        expected_start_time=row.expected_start_time,
        next_scheduled_start_time=row.next_scheduled_start_time,
    )


def pack_rest(state: StateFact) -> str | None:
    """What the column `state` holds: all of a state that has no column of its own; NULL when that is nothing."""
    if state.message is None and state.data is None and not state.details:
        return None
    return storable_json(StateRest(state.message, state.data, state.details))
