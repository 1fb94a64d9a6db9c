"""Automations: what is to be done when something happens, or fails to happen.

`Automation(name=…, trigger=…, actions=[…]).create()` makes one, which acts on what happens from then on. Triggers and
actions are those of `headrace.events`, and are named here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

from msgspec import Struct, field

from headrace.base.errors import InvalidRequest, ObjectNotFound, UsageError
from headrace.connect import open_session
from headrace.engine.here import session_here
from headrace.engine.opening import set_opener
from headrace.events import (
    CallWebhook,
    CancelFlowRun,
    ChangeFlowRunState,
    CompoundTrigger,
    DeleteFlowRun,
    DoNothing,
    EventTrigger,
    Metric,
    MetricTrigger,
    MetricTriggerQuery,
    PauseAutomation,
    PauseDeployment,
    PauseSchedule,
    PauseWorkPool,
    PauseWorkQueue,
    Posture,
    ResumeAutomation,
    ResumeDeployment,
    ResumeFlowRun,
    ResumeSchedule,
    ResumeWorkPool,
    ResumeWorkQueue,
    RunDeployment,
    SendEmailNotification,
    SendNotification,
    SequenceTrigger,
    SuspendFlowRun,
)
from headrace.gateway.administration import Administration
from headrace.schema.action import Actions, no_actions
from headrace.schema.automation import Automation as StoredAutomation
from headrace.schema.automation import AutomationCreate, AutomationFilter, AutomationPartialUpdate, AutomationUpdate
from headrace.schema.filters import TextFilter
from headrace.schema.run import Page
from headrace.schema.trigger import AnyTrigger

__all__ = [
    "Automation", "CallWebhook", "CancelFlowRun", "ChangeFlowRunState", "CompoundTrigger", "DeleteFlowRun", "DoNothing",
    "EventTrigger", "Metric", "MetricTrigger", "MetricTriggerQuery", "PauseAutomation", "PauseDeployment",
    "PauseSchedule", "PauseWorkPool", "PauseWorkQueue", "Posture", "ResumeAutomation", "ResumeDeployment",
    "ResumeFlowRun", "ResumeSchedule", "ResumeWorkPool", "ResumeWorkQueue", "RunDeployment", "SendEmailNotification",
    "SendNotification", "SequenceTrigger", "SuspendFlowRun",
]  # fmt: skip

T = TypeVar("T")

set_opener(open_session)


class Automation(Struct, kw_only=True):
    """An automation: as it is to be, until it is created, then as it was when it was created or read.

    `actions` are performed when the trigger fires, as are `actions_on_trigger`; `actions_on_resolve` when what it fired for
    is over. Each method has a twin for coroutines: `acreate`, `aread` and so on.
    """

    name: str
    trigger: AnyTrigger
    actions: Actions = field(default_factory=no_actions)
    description: str = ""
    enabled: bool = True
    tags: list[str] = field(default_factory=list[str])
    actions_on_trigger: Actions = field(default_factory=no_actions)
    actions_on_resolve: Actions = field(default_factory=no_actions)
    owner_resource: str | None = None
    id: UUID | None = None

    def create(self) -> Automation:
        """Create it, and return it with its id. Raises `UsageError` for what cannot be."""
        told = {name: getattr(self, name) for name in AutomationCreate.__struct_fields__}
        made = _ask(lambda office: office.create_automation(AutomationCreate(**told)))
        return self._take(made)

    @classmethod
    def read(cls, id: UUID | str | None = None, name: str | None = None) -> Automation:  # noqa: A002 - the field's name
        """The automation of an id or of a name. Raises `ObjectNotFound`, `UsageError` for both and for neither."""
        if (id is None) is (name is None):
            raise UsageError("An automation is read by its id or by its name: say one of the two.")
        if id is not None:
            return _show(_ask(lambda office: office.read_automation(_read_id(id))))
        wanted = AutomationFilter(name=TextFilter(any_=[name or ""]))
        found = _ask(lambda office: office.list_automations(wanted, page=Page(2)))
        if not found:
            raise ObjectNotFound(f"There is no automation called {name!r}.")
        if len(found) > 1:
            raise UsageError(f"Several automations are called {name!r}: read one by its id.")
        return _show(found[0])

    def update(self) -> None:
        """Make the stored one what this one says now."""
        told = {name: getattr(self, name) for name in AutomationUpdate.__struct_fields__}
        own = self._id()
        _ask(lambda office: office.update_automation(own, AutomationUpdate(**told)))
        self._take(_ask(lambda office: office.read_automation(own)))

    def enable(self) -> None:
        """Let it act on what happens from now on."""
        self._set_enabled(True)

    def disable(self) -> None:
        """Let it act on nothing."""
        self._set_enabled(False)

    def delete(self) -> bool:
        """Delete it; False when it is gone already."""
        own = self._id()
        try:
            _ask(lambda office: office.delete_automation(own))
        except ObjectNotFound:
            return False
        return True

    async def acreate(self) -> Automation:
        """As `create`."""
        return await _beside(self.create)

    @classmethod
    async def aread(cls, id: UUID | str | None = None, name: str | None = None) -> Automation:  # noqa: A002 - the field's name
        """As `read`."""
        return await _beside(partial(cls.read, id, name))

    async def aupdate(self) -> None:
        """As `update`."""
        await _beside(self.update)

    async def aenable(self) -> None:
        """As `enable`."""
        await _beside(self.enable)

    async def adisable(self) -> None:
        """As `disable`."""
        await _beside(self.disable)

    async def adelete(self) -> bool:
        """As `delete`."""
        return await _beside(self.delete)

    def _set_enabled(self, enabled: bool) -> None:
        own = self._id()
        _ask(lambda office: office.enable_automation(own, AutomationPartialUpdate(enabled=enabled)))
        self.enabled = enabled

    def _id(self) -> UUID:
        if self.id is None:
            raise UsageError(f"Automation {self.name!r} has not been created yet: call create() first.")
        return self.id

    def _take(self, stored: StoredAutomation) -> Automation:
        """Be as it is stored."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(stored, name))
        return self


def _show(stored: StoredAutomation) -> Automation:
    return Automation(**{name: getattr(stored, name) for name in Automation.__struct_fields__})


def _ask(question: Callable[[Administration], T]) -> T:
    try:
        return question(session_here().administration)
    except InvalidRequest as error:
        raise UsageError(str(error)) from None


def _read_id(text: UUID | str) -> UUID:
    try:
        return text if isinstance(text, UUID) else UUID(text)
    except ValueError:
        raise UsageError(f"{text!r} is no id of an automation.") from None


async def _beside(function: Callable[[], T]) -> T:
    from headrace.engine.loop import beside

    return await beside(function)
