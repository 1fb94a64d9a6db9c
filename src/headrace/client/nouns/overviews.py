from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking
from headrace.schema.overview import NextFlowRun, ObservedState, ObservedStateSort


class OverviewCalls(Asking):
    """The verbs that answer a page's question."""

    def list_observed_states(
        self, query: str | None = None, sort: ObservedStateSort = ObservedStateSort.LAST_SEEN_DESC, limit: int = 200
    ) -> list[ObservedState]:
        told = {} if query is None else {"query": query}
        return self._read("/observed-states", list[ObservedState], order_by=sort.value, limit=str(limit), **told)

    def list_next_flow_runs(self, flow_ids: list[UUID]) -> dict[UUID, NextFlowRun | None]:
        return self._list("/ui/flows/next-runs", dict[UUID, NextFlowRun | None], {"flow_ids": flow_ids})
