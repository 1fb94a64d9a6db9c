"""How many runs are in which state, without reading the runs: from what the database counts by itself."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Table, delete, func, literal, select

from headrace.schema.filters import RunSelection, StateFilter
from headrace.storage import tables as t
from headrace.storage.count_tables import KEPT, NO_STATE
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter, says_something

_count = t.run_counts.c
_STATE = {
    "type": func.nullif(_count.state_type, NO_STATE, type_=_count.state_type.type),
    "name": func.nullif(_count.state_name, NO_STATE, type_=_count.state_name.type),
}


def asks_for_states(table: Table, selection: RunSelection) -> bool:
    """Whether a selection says nothing of the runs of this table but in which states they are."""
    if table is t.flow_runs and selection.task_runs is not None:
        return False  # it names the runs that have such task runs
    wanted = getattr(selection, table.name)
    if wanted is None:
        return not says_something(selection)
    others = replace(selection, **{table.name: replace(wanted, state=None)})
    return wanted.operator == "and_" and not says_something(others)


def count_by_state(
    connection: Connection, workspace_id: UUID, table: Table, state: StateFilter | None
) -> dict[str | None, int]:
    """How many runs are in a state of each type, among the states that the filter names. Those without a state are None's."""
    named = compile_filter(state, _STATE, DIALECTS[connection.dialect])
    query = select(_STATE["type"], func.sum(_count.number))
    query = query.where(_count.workspace_id == workspace_id, _count.kind == table.name, named)
    return {kind: int(number) for kind, number in connection.select(query.group_by(_count.state_type)) if number}


def fold(connection: Connection, workspace_id: UUID) -> None:
    """Make one count of those that sessions have left which are over, and drop what counts nothing."""
    dialect = DIALECTS[connection.dialect]
    own, kept = _count.workspace_id == workspace_id, _count.session == KEPT
    over = dialect.is_over(_count.session)
    if over is not None:
        left = delete(t.run_counts).where(own, ~kept, over).returning(*_count).cte("gone").c
        state = (left.workspace_id, left.kind, left.state_type, left.state_name)
        sums = select(*state, literal(KEPT), func.sum(left.number)).group_by(*state)
        insert = dialect.insert(t.run_counts).from_select([column.name for column in _count], sums)
        total = {"number": _count.number + insert.excluded.number}
        connection.change(insert.on_conflict_do_update(index_elements=t.run_counts.primary_key.columns, set_=total))
    connection.change(delete(t.run_counts).where(own, kept, _count.number == 0))
