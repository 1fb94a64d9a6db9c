"""A pool on a database of the test's own, with a deployment in it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from headrace.base.settings import load_settings
from headrace.connect import open_administration, open_execution
from headrace.schema.deployment import Deployment, DeploymentCreate, DeploymentFlowRunCreate
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Proposal
from headrace.schema.run import FlowRun
from headrace.schema.state import StateCreate, StateType
from headrace.schema.work_pool import WorkPoolCreate


class Pool:
    """A work pool, and what people do with it."""

    name = "pool"

    def __init__(self) -> None:
        settings = load_settings()
        self.execution = open_execution(settings)
        self.administration = open_administration(settings)
        self.administration.create_work_pool(WorkPoolCreate(name=self.name, type="process"))
        self._deployment: Deployment | None = None

    def deploy(self, **what: Any) -> Deployment:
        """Deploy the flow to the pool; as `other`, without one."""
        flow = self.execution.register_flow(FlowCreate(name="etl"))
        other = what.pop("other", None)
        told = DeploymentCreate(
            name=other or "daily", flow_id=flow.id, work_pool_name=None if other else self.name, **what
        )
        self._deployment = self.administration.create_deployment(told)
        return self._deployment

    def run(self, **what: Any) -> FlowRun:
        assert self._deployment
        return self.administration.run_deployment(self._deployment.id, DeploymentFlowRunCreate(**what))

    def enter(self, flow_run_id: UUID, state: StateType, **what: Any) -> None:
        self.execution.propose_flow_run_state(Proposal(flow_run_id=flow_run_id, state=StateCreate(type=state), **what))

    def state(self, flow_run_id: UUID) -> StateType | None:
        return self.execution.read_flow_run(flow_run_id).state_type

    def message(self, flow_run_id: UUID) -> str:
        state = self.execution.read_flow_run(flow_run_id).state
        return state.message or "" if state else ""

    def close(self) -> None:
        self.execution.close()
        self.administration.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


@pytest.fixture
def pool(home: object) -> Iterator[Pool]:
    """A pool."""
    opened = Pool()
    yield opened
    opened.close()
