"""What pages ask at once: the states that runs are in, the next run of each flow."""

from __future__ import annotations

from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.unit import Unit
from headrace.schema.overview import NextFlowRun, ObservedState, ObservedStateSort
from headrace.schema.run import Page
from headrace.schema.state import StateType
from headrace.storage import overviews as queries

MOST_NAMES = 1_000
"""How many names of states are looked at."""


class OverviewVerbs(Office):
    """The verbs that answer a page's question."""

    def list_observed_states(
        self, query: str | None = None, sort: ObservedStateSort = ObservedStateSort.LAST_SEEN_DESC, limit: int = 200
    ) -> list[ObservedState]:
        checked(Page(limit))
        words = (query or "").casefold()

        def look(unit: Unit) -> list[ObservedState]:
            names = queries.list_state_names(unit.connection, unit.workspace_id, MOST_NAMES)
            wanted = [name for name in names if words in name.casefold()]
            if sort is ObservedStateSort.NAME_ASC:
                wanted = wanted[:limit]
            seen = [queries.find_seen(unit.connection, unit.workspace_id, name) for name in wanted]
            return [
                ObservedState(
                    state_type=StateType(row.state_type),
                    state_name=row.state_name,
                    first_seen=to_datetime(row.first),
                    last_seen=to_datetime(row.last),
                )
                for row in seen
                if row is not None
            ]

        found = self._read_runs(look)
        if sort is ObservedStateSort.LAST_SEEN_DESC:
            found.sort(key=lambda state: state.last_seen, reverse=True)
        return found[:limit]

    def list_next_flow_runs(self, flow_ids: list[UUID]) -> dict[UUID, NextFlowRun | None]:
        checked(Page(len(flow_ids)))
        found = self._read_runs(lambda unit: queries.list_next_runs(unit.connection, unit.workspace_id, flow_ids))
        runs = {run.flow_id: run for run in found}
        return {flow_id: runs.get(flow_id) for flow_id in flow_ids}
