"""The part of the memory that holds automations."""

from uuid import UUID, uuid4

from msgspec import structs

from headrace.base.errors import ObjectNotFound
from headrace.schema.automation import (
    Automation,
    AutomationCreate,
    AutomationFilter,
    AutomationPartialUpdate,
    AutomationSort,
    AutomationUpdate,
)
from headrace.schema.run import Page


class AutomationMemory:
    """Automations, by the verbs that the command line uses."""

    def __init__(self) -> None:
        super().__init__()
        self.automations: dict[UUID, Automation] = {}

    def create_automation(self, automation: AutomationCreate) -> Automation:
        told = {name: getattr(automation, name) for name in automation.__struct_fields__}
        made = Automation(id=uuid4(), **told)
        self.automations[made.id] = made
        return made

    def read_automation(self, automation_id: UUID) -> Automation:
        if automation_id not in self.automations:
            raise ObjectNotFound(f"There is no automation with id {automation_id}.")
        return self.automations[automation_id]

    def list_automations(
        self,
        automations: AutomationFilter | None = None,
        sort: AutomationSort = AutomationSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Automation]:
        names = automations.name.any_ if automations is not None and automations.name is not None else None
        found = [each for each in self.automations.values() if names is None or each.name in names]
        return sorted(found, key=lambda each: each.name)[page.offset : page.offset + page.limit]

    def list_related_automations(self, resource_id: str) -> list[Automation]:
        return [each for each in self.automations.values() if each.owner_resource == resource_id]

    def update_automation(self, automation_id: UUID, update: AutomationUpdate) -> None:
        told = {name: getattr(update, name) for name in update.__struct_fields__}
        self.automations[automation_id] = structs.replace(self.read_automation(automation_id), **told)

    def enable_automation(self, automation_id: UUID, update: AutomationPartialUpdate) -> None:
        self.automations[automation_id] = structs.replace(self.read_automation(automation_id), enabled=update.enabled)

    def delete_automation(self, automation_id: UUID) -> None:
        del self.automations[automation_id]
