"""Events of one's own: something happened to a resource, for whoever listens and for automations.

States of runs are events that the orchestrator tells itself. What automations are made of is here as well: triggers, which
say what has to happen, and actions, which say what is done about it (`headrace.automations`).
"""

from headrace.events.emission import Event, emit_event
from headrace.events.subscription import (
    EventsClient,
    EventSubscriber,
    FlowRunSubscriber,
    ReceivedEvent,
    get_events_client,
    get_events_subscriber,
)
from headrace.projects.triggers import (
    DeploymentCompoundTrigger,
    DeploymentEventTrigger,
    DeploymentMetricTrigger,
    DeploymentSequenceTrigger,
)
from headrace.schema.action import (
    CallWebhook,
    CancelFlowRun,
    ChangeFlowRunState,
    DeleteFlowRun,
    DoNothing,
    PauseAutomation,
    PauseDeployment,
    PauseSchedule,
    PauseWorkPool,
    PauseWorkQueue,
    ResumeAutomation,
    ResumeDeployment,
    ResumeFlowRun,
    ResumeSchedule,
    ResumeWorkPool,
    ResumeWorkQueue,
    RunDeployment,
    SendEmailNotification,
    SendNotification,
    SuspendFlowRun,
)
from headrace.schema.trigger import (
    CompoundTrigger,
    EventTrigger,
    Metric,
    MetricTrigger,
    Posture,
    SequenceTrigger,
)
from headrace.schema.trigger import MetricQuery as MetricTriggerQuery
from headrace.schema.wire_event import EventFilter

__all__ = [
    "CallWebhook", "CancelFlowRun", "ChangeFlowRunState", "CompoundTrigger", "DeleteFlowRun", "DeploymentCompoundTrigger",
    "DeploymentEventTrigger", "DeploymentMetricTrigger", "DeploymentSequenceTrigger", "DoNothing", "Event", "EventFilter",
    "EventSubscriber", "EventTrigger", "EventsClient", "FlowRunSubscriber", "Metric", "MetricTrigger",
    "MetricTriggerQuery", "PauseAutomation", "PauseDeployment", "PauseSchedule", "PauseWorkPool", "PauseWorkQueue",
    "Posture", "ReceivedEvent", "ResumeAutomation", "ResumeDeployment", "ResumeFlowRun", "ResumeSchedule",
    "ResumeWorkPool", "ResumeWorkQueue", "RunDeployment", "SendEmailNotification", "SendNotification", "SequenceTrigger",
    "SuspendFlowRun", "emit_event", "get_events_client", "get_events_subscriber",
]  # fmt: skip
