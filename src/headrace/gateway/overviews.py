"""The verbs of administration that answer a page's question at once."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from headrace.schema.overview import NextFlowRun, ObservedState, ObservedStateSort


class Overviews(Protocol):
    """What pages ask; raises what all verbs of administration do."""

    def list_observed_states(
        self, query: str | None = None, sort: ObservedStateSort = ObservedStateSort.LAST_SEEN_DESC, limit: int = 200
    ) -> list[ObservedState]:
        """Return the names of states that flow runs are in; those that contain `query`, if it is given.

        Case does not matter. At most a thousand names are looked at, in order.
        """
        ...

    def list_next_flow_runs(self, flow_ids: list[UUID]) -> dict[UUID, NextFlowRun | None]:
        """Return the run that is due next of each of these flows, at most 200 of them; None for a flow without one."""
        ...
