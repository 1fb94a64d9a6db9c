"""What an automation does when its trigger fires: the orchestrator's own verbs, and what leaves it as a message.

The target of most actions is either `selected`, by its id, or `inferred`: what the event that fired is about.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from headrace.schema.state import StateType

Source = Literal["selected", "inferred"]

LONGEST = 366 * 86_400.0
"""The most seconds that an automation may wait for anything."""


def read_seconds(value: float | timedelta, name: str) -> float:
    """The seconds of a duration. Raises `ValueError` for one that is negative or endless."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"{name} is 0 to {LONGEST:.0f} seconds, not {seconds:g}")
    return seconds


class Action(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of all actions."""


class Targeted(Action, kw_only=True):
    """An action on something that is selected or inferred."""

    source: Source = "selected"

    def __post_init__(self) -> None:
        name = next(name for name in self.__struct_fields__ if name.endswith("_id"))
        selected = getattr(self, name) is not None
        if selected and self.source == "inferred":
            raise ValueError(f"{name} goes with source 'selected': what is inferred has no id yet")
        if not selected and self.source == "selected":
            raise ValueError(f"source 'selected' needs {name}; 'inferred' takes what the event is about")


class DoNothing(Action, kw_only=True, tag="do-nothing"):
    """Nothing: that it fired is in the log of events."""


class RunDeployment(Targeted, kw_only=True, tag="run-deployment"):
    """Make a run of a deployment, after `schedule_after` seconds.

    Texts among the parameters and job variables that hold `{{ … }}` are templates.
    """

    deployment_id: UUID | None = None
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: float | timedelta = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.schedule_after = read_seconds(self.schedule_after, "schedule_after")


class PauseDeployment(Targeted, kw_only=True, tag="pause-deployment"):
    """Let the schedules of a deployment rest."""

    deployment_id: UUID | None = None


class ResumeDeployment(Targeted, kw_only=True, tag="resume-deployment"):
    """Let the schedules of a deployment make runs again."""

    deployment_id: UUID | None = None


class PauseSchedule(Action, kw_only=True, tag="pause-schedule"):
    """Let one schedule of a deployment rest."""

    deployment_id: UUID
    schedule_id: UUID


class ResumeSchedule(Action, kw_only=True, tag="resume-schedule"):
    """Let one schedule of a deployment make runs again."""

    deployment_id: UUID
    schedule_id: UUID


class CancelFlowRun(Action, kw_only=True, tag="cancel-flow-run"):
    """Cancel the flow run that the event is about."""


class SuspendFlowRun(Action, kw_only=True, tag="suspend-flow-run"):
    """Suspend the flow run that the event is about."""


class ResumeFlowRun(Action, kw_only=True, tag="resume-flow-run"):
    """Let the flow run that the event is about go on."""


class DeleteFlowRun(Action, kw_only=True, tag="delete-flow-run"):
    """Delete the flow run that the event is about."""


class ChangeFlowRunState(Action, kw_only=True, tag="change-flow-run-state"):
    """Propose a state for the flow run that the event is about; with `force`, whatever the rules say."""

    state: StateType
    name: str | None = None
    message: str | None = None
    force: bool = False


class PauseWorkPool(Targeted, kw_only=True, tag="pause-work-pool"):
    """Give out no more runs of a work pool."""

    work_pool_id: UUID | None = None


class ResumeWorkPool(Targeted, kw_only=True, tag="resume-work-pool"):
    """Give out runs of a work pool again."""

    work_pool_id: UUID | None = None


class PauseWorkQueue(Targeted, kw_only=True, tag="pause-work-queue"):
    """Give out no more runs of a work queue."""

    work_queue_id: UUID | None = None


class ResumeWorkQueue(Targeted, kw_only=True, tag="resume-work-queue"):
    """Give out runs of a work queue again."""

    work_queue_id: UUID | None = None


class PauseAutomation(Targeted, kw_only=True, tag="pause-automation"):
    """Disable an automation; inferred, the one that an event of an automation is about."""

    automation_id: UUID | None = None


class ResumeAutomation(Targeted, kw_only=True, tag="resume-automation"):
    """Enable an automation."""

    automation_id: UUID | None = None


class SendNotification(Action, kw_only=True, tag="send-notification"):
    """Send a message by a block that can. Subject and body are templates."""

    block_document_id: UUID
    subject: str = "Headrace automated notification"
    body: str


class SendEmailNotification(Action, kw_only=True, tag="send-email-notification"):
    """Send an e-mail to addresses, by the mail server that the orchestrator's settings name. Subject and body are templates."""

    emails: list[str]
    subject: str = "Headrace automated notification"
    body: str

    def __post_init__(self) -> None:
        if not self.emails:
            raise ValueError("emails names at least one address")
        for address in self.emails:
            name, at, host = address.rpartition("@")
            if not (name and at and host) or any(sign.isspace() or ord(sign) < 32 for sign in address):
                raise ValueError(f"{address!r:.80} is no e-mail address")


class CallWebhook(Action, kw_only=True, tag="call-webhook"):
    """Call a webhook by its block. The payload is a template, of JSON or of any text."""

    block_document_id: UUID
    payload: str = ""


AnyAction = (
    DoNothing
    | RunDeployment
    | PauseDeployment
    | ResumeDeployment
    | PauseSchedule
    | ResumeSchedule
    | CancelFlowRun
    | SuspendFlowRun
    | ResumeFlowRun
    | DeleteFlowRun
    | ChangeFlowRunState
    | PauseWorkPool
    | ResumeWorkPool
    | PauseWorkQueue
    | ResumeWorkQueue
    | PauseAutomation
    | ResumeAutomation
    | SendNotification
    | SendEmailNotification
    | CallWebhook
)
Actions = list[AnyAction]


def no_actions() -> Actions:
    """A list without any."""
    return []
