"""Flows: looked at, tagged, deleted."""

from __future__ import annotations

from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.deployment_limits import drop_own_limit
from headrace.orchestration.deployment_slots import leave_slots
from headrace.orchestration.flows import find_flow_by_name, load_flow
from headrace.orchestration.unit import Unit
from headrace.schema.filters import RunSelection
from headrace.schema.flow import Flow, FlowSort, FlowUpdate
from headrace.schema.run import Page
from headrace.storage import deletions, deployments
from headrace.storage import flows as queries
from headrace.storage.rows import to_flow
from headrace.storage.texts import storable_json

BATCH = 20
"""How many runs of a flow are deleted in one transaction: others get their turn in between."""


class FlowVerbs(Office):
    """The verbs on flows."""

    def read_flow(self, flow_id: UUID) -> Flow:
        return self._desk.read(lambda unit: load_flow(unit, flow_id))

    def read_flow_by_name(self, name: str) -> Flow:
        found = self._desk.read(lambda unit: find_flow_by_name(unit, name))
        if found is None:
            raise ObjectNotFound(f"There is no flow called {name!r}.")
        return found

    def list_flows(
        self, selection: RunSelection | None = None, sort: FlowSort = FlowSort.NAME_ASC, page: Page = Page()
    ) -> list[Flow]:
        wanted, part = selection or RunSelection(), checked(page)
        rows = self._desk.read(lambda unit: queries.list_flows(unit.connection, unit.workspace_id, wanted, sort, part))
        return [to_flow(row) for row in rows]

    def count_flows(self, selection: RunSelection | None = None) -> int:
        wanted = selection or RunSelection()
        return self._desk.read(lambda unit: queries.count_flows(unit.connection, unit.workspace_id, wanted))

    def update_flow(self, flow_id: UUID, update: FlowUpdate) -> None:
        tags = storable_json(update.tags)
        changed = self._desk.write(
            lambda unit: queries.change_tags(unit.connection, unit.workspace_id, flow_id, tags, unit.now)
        )
        if not changed:
            raise ObjectNotFound(f"There is no flow with id {flow_id}.")

    def delete_flow(self, flow_id: UUID) -> None:
        self.read_flow(flow_id)
        while self._desk.write(lambda unit: _delete_some(unit, flow_id)):
            pass


def _delete_some(unit: Unit, flow_id: UUID) -> bool:
    """Delete some runs of a flow, and the flow when it has none left; whether there may be more to do."""
    runs = deletions.find_runs_of_flow(unit.connection, unit.workspace_id, flow_id, BATCH)
    for run_id in runs:
        leave_slots(unit, run_id)
        deletions.delete_flow_run(unit.connection, unit.workspace_id, run_id)
    if not runs:
        for deployment_id in deployments.find_deployments_of_flow(unit.connection, unit.workspace_id, flow_id):
            drop_own_limit(unit, deployment_id)
            deployments.delete_deployment(unit.connection, unit.workspace_id, deployment_id)
        deletions.delete_flow(unit.connection, unit.workspace_id, flow_id)
    return bool(runs)
