from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, part, step
from headrace.schema.automation import (
    Automation,
    AutomationCreate,
    AutomationFilter,
    AutomationPartialUpdate,
    AutomationSort,
    AutomationUpdate,
)
from headrace.schema.run import Page


class AutomationCalls(Asking):
    """The verbs on automations."""

    def create_automation(self, automation: AutomationCreate) -> Automation:
        return self._create("/automations/", Automation, automation)

    def read_automation(self, automation_id: UUID) -> Automation:
        return self._read(f"/automations/{automation_id}", Automation)

    def list_automations(
        self,
        automations: AutomationFilter | None = None,
        sort: AutomationSort = AutomationSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Automation]:
        return self._list("/automations/filter", list[Automation], part(page, automations=automations, sort=sort))

    def count_automations(self, automations: AutomationFilter | None = None) -> int:
        return self._list("/automations/count", int, {"automations": automations})

    def list_related_automations(self, resource_id: str) -> list[Automation]:
        return self._read(f"/automations/related-to/{step(resource_id)}", list[Automation])

    def update_automation(self, automation_id: UUID, update: AutomationUpdate) -> None:
        self._replace(f"/automations/{automation_id}", update)

    def enable_automation(self, automation_id: UUID, update: AutomationPartialUpdate) -> None:
        self._update(f"/automations/{automation_id}", update)

    def delete_automation(self, automation_id: UUID) -> None:
        self._delete(f"/automations/{automation_id}")

    def delete_owned_automations(self, resource_id: str) -> None:
        self._delete(f"/automations/owned-by/{step(resource_id)}")
