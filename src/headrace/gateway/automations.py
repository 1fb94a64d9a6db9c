"""The verbs of administration on automations."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from headrace.schema.automation import (
    Automation,
    AutomationCreate,
    AutomationFilter,
    AutomationPartialUpdate,
    AutomationSort,
    AutomationUpdate,
)
from headrace.schema.run import Page


class Automations(Protocol):
    """What may be asked about automations; raises what all verbs of administration do."""

    def create_automation(self, automation: AutomationCreate) -> Automation:
        """Create an automation, which acts on what happens from now on. Raises `InvalidRequest` for a broken template."""
        ...

    def read_automation(self, automation_id: UUID) -> Automation:
        """Return the automation."""
        ...

    def list_automations(
        self,
        automations: AutomationFilter | None = None,
        sort: AutomationSort = AutomationSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Automation]:
        """Return automations in order."""
        ...

    def count_automations(self, automations: AutomationFilter | None = None) -> int:
        """Count automations."""
        ...

    def list_related_automations(self, resource_id: str) -> list[Automation]:
        """Return the automations, at most 200 by name, that have to do with a resource: that go with it, whose trigger names
        it, or whose actions select it.
        """
        ...

    def update_automation(self, automation_id: UUID, update: AutomationUpdate) -> None:
        """Say anew what the automation is; one whose trigger is another begins anew. What it fired already is still done."""
        ...

    def enable_automation(self, automation_id: UUID, update: AutomationPartialUpdate) -> None:
        """Enable or disable the automation. What happens while it is disabled is never made up for."""
        ...

    def delete_automation(self, automation_id: UUID) -> None:
        """Delete the automation. What it fired already is still done."""
        ...

    def delete_owned_automations(self, resource_id: str) -> None:
        """Delete the automations that go with a resource, if there are any."""
        ...
