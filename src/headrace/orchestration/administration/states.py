"""States by id: an id tells which run it may belong to, so states need no index of their own (`base.ids`)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Table

from headrace.base.errors import ObjectNotFound
from headrace.base.ids import run_range
from headrace.orchestration.events import list_states
from headrace.orchestration.unit import Unit
from headrace.schema.state import State
from headrace.storage.runs import find_runs_of_state


def find_state(unit: Unit, table: Table, state_id: UUID) -> State:
    """The state with an id, of a run in the table. Raises `ObjectNotFound`."""
    for run_id in find_runs_of_state(unit.connection, unit.workspace_id, table, *run_range(state_id)):
        for state in list_states(unit, run_id):
            if state.id == state_id:
                return state
    raise ObjectNotFound(f"There is no state with id {state_id}.")
