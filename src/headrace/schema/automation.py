"""Automations: what is to be done when something happens, or fails to happen."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field

from headrace.schema.action import Actions, no_actions
from headrace.schema.filters import Filter, IdFilter, TagsFilter, TextFilter, TimeFilter
from headrace.schema.trigger import MOST_TRIGGERS, AnyTrigger, list_triggers
from headrace.schema.wire import Request, Stored

AUTOMATION = "prefect.automation."
"""With what the resource of an automation begins, and what happens to it is called."""

AutomationName = Annotated[str, Meta(min_length=1, max_length=1_000)]
MOST_ACTIONS = 50
"""How many actions one list of an automation may have."""


class AutomationUpdate(Request, kw_only=True):
    """Says anew what an automation is. `actions` are performed when its trigger fires, as are those in `actions_on_trigger`;
    those in `actions_on_resolve` when what it fired for is over.
    """

    name: AutomationName
    description: str = ""
    enabled: bool = True
    tags: list[str] = field(default_factory=list[str])
    trigger: AnyTrigger
    actions: Actions
    actions_on_trigger: Actions = field(default_factory=no_actions)
    actions_on_resolve: Actions = field(default_factory=no_actions)

    def __post_init__(self) -> None:
        for name in ("actions", "actions_on_trigger", "actions_on_resolve"):
            if len(getattr(self, name)) > MOST_ACTIONS:
                raise ValueError(f"{name} has at most {MOST_ACTIONS} actions")
        if len(list_triggers(self.trigger)) > MOST_TRIGGERS:
            raise ValueError(f"trigger is made of at most {MOST_TRIGGERS} triggers")


class AutomationCreate(AutomationUpdate, kw_only=True):
    """Asks for an automation. `owner_resource` names what it goes with: it is deleted when that is."""

    owner_resource: str | None = None


class AutomationPartialUpdate(Request, kw_only=True):
    """Enables or disables an automation."""

    enabled: bool = True


class Automation(Stored, kw_only=True):
    """An automation as stored."""

    name: str
    description: str = ""
    enabled: bool = True
    tags: list[str] = field(default_factory=list[str])
    trigger: AnyTrigger
    actions: Actions
    actions_on_trigger: Actions = field(default_factory=no_actions)
    actions_on_resolve: Actions = field(default_factory=no_actions)
    owner_resource: str | None = None


class AutomationFilter(Filter, kw_only=True):
    """Which automations."""

    id: IdFilter | None = None
    name: TextFilter | None = None
    created: TimeFilter | None = None
    tags: TagsFilter | None = None


class AutomationSort(StrEnum):
    """Orders of a list of automations."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
