"""The verbs of administration over HTTP: the contract's routes, as any client would ask them."""

from __future__ import annotations

from headrace.client.nouns.artifacts import ArtifactCalls
from headrace.client.nouns.automations import AutomationCalls
from headrace.client.nouns.blocks import BlockCalls
from headrace.client.nouns.deployments import DeploymentCalls
from headrace.client.nouns.flow_runs import FlowRunCalls
from headrace.client.nouns.flows import FlowCalls
from headrace.client.nouns.limits import LimitCalls
from headrace.client.nouns.logs import LogCalls
from headrace.client.nouns.loops import LoopCalls
from headrace.client.nouns.occupancy import OccupancyCalls
from headrace.client.nouns.overviews import OverviewCalls
from headrace.client.nouns.results import ResultCalls
from headrace.client.nouns.searches import SearchCalls
from headrace.client.nouns.task_runs import TaskRunCalls
from headrace.client.nouns.task_workers import TaskWorkerCalls
from headrace.client.nouns.variables import VariableCalls
from headrace.client.nouns.webhooks import WebhookCalls
from headrace.client.nouns.work_pools import WorkPoolCalls


class RemoteAdministration(
    FlowCalls,
    FlowRunCalls,
    TaskRunCalls,
    TaskWorkerCalls,
    LogCalls,
    ArtifactCalls,
    ResultCalls,
    LimitCalls,
    DeploymentCalls,
    WorkPoolCalls,
    VariableCalls,
    BlockCalls,
    AutomationCalls,
    WebhookCalls,
    OccupancyCalls,
    SearchCalls,
    OverviewCalls,
    LoopCalls,
):
    """`gateway.administration.Administration` of a server; closing it closes its transport."""
