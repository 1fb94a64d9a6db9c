from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, part, select, step
from headrace.schema.filters import RunSelection
from headrace.schema.flow import Flow, FlowSort, FlowUpdate
from headrace.schema.run import Page


class FlowCalls(Asking):
    """The verbs on flows."""

    def read_flow(self, flow_id: UUID) -> Flow:
        return self._read(f"/flows/{flow_id}", Flow)

    def read_flow_by_name(self, name: str) -> Flow:
        return self._read(f"/flows/name/{step(name)}", Flow)

    def list_flows(
        self, selection: RunSelection | None = None, sort: FlowSort = FlowSort.NAME_ASC, page: Page = Page()
    ) -> list[Flow]:
        return self._list("/flows/filter", list[Flow], select(selection, **part(page, sort=sort)))

    def count_flows(self, selection: RunSelection | None = None) -> int:
        return self._list("/flows/count", int, select(selection))

    def update_flow(self, flow_id: UUID, update: FlowUpdate) -> None:
        self._update(f"/flows/{flow_id}", update)

    def delete_flow(self, flow_id: UUID) -> None:
        self._delete(f"/flows/{flow_id}")
