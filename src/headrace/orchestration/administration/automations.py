"""Automations: made, looked at, changed, deleted."""

from __future__ import annotations

from uuid import UUID

from headrace.orchestration import automations
from headrace.orchestration.administration.office import LARGEST_PAGE, Office, checked
from headrace.orchestration.unit import Unit
from headrace.schema.automation import (
    Automation,
    AutomationCreate,
    AutomationFilter,
    AutomationPartialUpdate,
    AutomationSort,
    AutomationUpdate,
)
from headrace.schema.run import Page
from headrace.storage import automations as queries
from headrace.storage.automation_rows import to_automation
from headrace.storage.texts import storable


class AutomationVerbs(Office):
    """The verbs on automations."""

    def create_automation(self, automation: AutomationCreate) -> Automation:
        return self._desk.write(lambda unit: automations.create_automation(unit, automation))

    def read_automation(self, automation_id: UUID) -> Automation:
        return self._desk.read(lambda unit: to_automation(automations.load_automation(unit, automation_id)))

    def list_automations(
        self,
        automations: AutomationFilter | None = None,
        sort: AutomationSort = AutomationSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Automation]:
        part = checked(page)

        def list_them(unit: Unit) -> list[Automation]:
            rows = queries.list_automations(unit.connection, unit.workspace_id, automations, sort, part)
            return [to_automation(row) for row in rows]

        return self._desk.read(list_them)

    def count_automations(self, automations: AutomationFilter | None = None) -> int:
        return self._desk.read(lambda unit: queries.count_automations(unit.connection, unit.workspace_id, automations))

    def list_related_automations(self, resource_id: str) -> list[Automation]:
        def list_them(unit: Unit) -> list[Automation]:
            rows = queries.list_related(unit.connection, unit.workspace_id, storable(resource_id), LARGEST_PAGE)
            return [to_automation(row) for row in rows]

        return self._desk.read(list_them)

    def update_automation(self, automation_id: UUID, update: AutomationUpdate) -> None:
        self._desk.write(lambda unit: automations.update_automation(unit, automation_id, update))

    def enable_automation(self, automation_id: UUID, update: AutomationPartialUpdate) -> None:
        self._desk.write(lambda unit: automations.enable_automation(unit, automation_id, update.enabled))

    def delete_automation(self, automation_id: UUID) -> None:
        self._desk.write(lambda unit: automations.delete_automation(unit, automation_id))

    def delete_owned_automations(self, resource_id: str) -> None:
        self._desk.write(lambda unit: automations.delete_owned(unit, storable(resource_id)))
