"""The verbs of administration over a database: a room for each noun, and one door to all of them."""

from __future__ import annotations

from headrace.orchestration.administration.artifacts import ArtifactVerbs
from headrace.orchestration.administration.automations import AutomationVerbs
from headrace.orchestration.administration.blocks import BlockVerbs
from headrace.orchestration.administration.deployments import DeploymentVerbs
from headrace.orchestration.administration.events import EventVerbs
from headrace.orchestration.administration.flow_runs import FlowRunVerbs
from headrace.orchestration.administration.flows import FlowVerbs
from headrace.orchestration.administration.limits import LimitVerbs
from headrace.orchestration.administration.logs import LogVerbs
from headrace.orchestration.administration.loops import LoopVerbs
from headrace.orchestration.administration.occupancy import OccupancyVerbs
from headrace.orchestration.administration.overviews import OverviewVerbs
from headrace.orchestration.administration.results import ResultVerbs
from headrace.orchestration.administration.searches import SearchVerbs
from headrace.orchestration.administration.task_runs import TaskRunVerbs
from headrace.orchestration.administration.task_workers import TaskWorkerVerbs
from headrace.orchestration.administration.variables import VariableVerbs
from headrace.orchestration.administration.webhooks import WebhookVerbs
from headrace.orchestration.administration.work_pools import WorkPoolVerbs


class OrchestratedAdministration(
    FlowVerbs,
    FlowRunVerbs,
    TaskRunVerbs,
    TaskWorkerVerbs,
    LogVerbs,
    ArtifactVerbs,
    ResultVerbs,
    LimitVerbs,
    DeploymentVerbs,
    WorkPoolVerbs,
    VariableVerbs,
    EventVerbs,
    LoopVerbs,
    BlockVerbs,
    AutomationVerbs,
    WebhookVerbs,
    OccupancyVerbs,
    SearchVerbs,
    OverviewVerbs,
):
    """`gateway.administration.Administration` over a database, for one workspace; closing it closes the database.

    Whoever looks at runs sees the dead ones as crashed: before it reads them it looks, at most once a second, for
    attempts whose process has died.
    """
