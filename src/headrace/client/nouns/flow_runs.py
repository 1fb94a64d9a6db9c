from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from headrace.client.nouns.asking import Asking, part, select
from headrace.schema.explanation import Explanation
from headrace.schema.filters import RunSelection
from headrace.schema.graph import Graph
from headrace.schema.run import FlowRun, FlowRunSort, FlowRunUpdate, Page, RunHistoryInterval, RunSpan
from headrace.schema.state import State
from headrace.schema.wire import Labels

LATENESS: Any = float | None


class FlowRunCalls(Asking):
    """The verbs on flow runs."""

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        return self._read(f"/flow_runs/{flow_run_id}", FlowRun)

    def list_flow_runs(
        self, selection: RunSelection | None = None, sort: FlowRunSort = FlowRunSort.ID_DESC, page: Page = Page()
    ) -> list[FlowRun]:
        return self._list("/flow_runs/filter", list[FlowRun], select(selection, **part(page, sort=sort)))

    def count_flow_runs(self, selection: RunSelection | None = None) -> int:
        return self._list("/flow_runs/count", int, select(selection))

    def flow_run_history(
        self, start: datetime, end: datetime, interval: float, selection: RunSelection | None = None
    ) -> list[RunHistoryInterval]:
        body = select(selection, history_start=start, history_end=end, history_interval_seconds=interval)
        return self._list("/flow_runs/history", list[RunHistoryInterval], body)

    def flow_run_lateness(self, selection: RunSelection | None = None) -> float | None:
        return self._list("/flow_runs/lateness", LATENESS, select(selection))

    def list_flow_run_spans(
        self, selection: RunSelection | None = None, sort: FlowRunSort = FlowRunSort.ID_DESC, page: Page = Page()
    ) -> list[RunSpan]:
        return self._list("/ui/flow_runs/history", list[RunSpan], select(selection, **part(page, sort=sort)))

    def read_flow_run_graph(self, flow_run_id: UUID, since: datetime | None = None) -> Graph:
        query = {} if since is None else {"since": since.isoformat()}
        return self._read(f"/flow_runs/{flow_run_id}/graph-v2", Graph, **query)

    def explain_flow_run(self, flow_run_id: UUID) -> Explanation:
        return self._read(f"/flow_runs/{flow_run_id}/why", Explanation)

    def label_flow_run(self, flow_run_id: UUID, labels: Labels) -> None:
        self._update(f"/flow_runs/{flow_run_id}/labels", labels)

    def update_flow_run(self, flow_run_id: UUID, update: FlowRunUpdate) -> None:
        self._update(f"/flow_runs/{flow_run_id}", update)

    def delete_flow_run(self, flow_run_id: UUID) -> None:
        self._delete(f"/flow_runs/{flow_run_id}")

    def list_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        return self._read("/flow_run_states/", list[State], flow_run_id=str(flow_run_id))

    def read_flow_run_state(self, state_id: UUID) -> State:
        return self._read(f"/flow_run_states/{state_id}", State)
