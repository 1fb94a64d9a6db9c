"""What a client may ask of flows, their runs and task runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from headrace.base.errors import InvalidRequest
from headrace.clients.asking import Asking, given, page
from headrace.schema.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    RunSelection,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from headrace.schema.flow import Flow, FlowSort
from headrace.schema.flow_run_input import FlowRunInput, FlowRunInputCreate
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.run import FlowRun, FlowRunSort, FlowRunUpdate, TaskRun, TaskRunSort, TaskRunUpdate
from headrace.schema.state import State, StateCreate


class Runs(Asking):
    """Flows, flow runs, task runs, and what is left for flow runs."""

    def read_flow(self, flow_id: UUID) -> Flow:
        """Return the flow. Raises `ObjectNotFound`."""
        return self._office.read_flow(flow_id)

    def read_flow_by_name(self, flow_name: str) -> Flow:
        """Return the flow of that name. Raises `ObjectNotFound`."""
        return self._office.read_flow_by_name(flow_name)

    def read_flows(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        sort: FlowSort = FlowSort.NAME_ASC,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Flow]:
        """Return flows that all the filters name."""
        wanted = select(
            flow_filter, flow_run_filter, task_run_filter, deployment_filter, work_pool_filter, work_queue_filter
        )
        return self._office.list_flows(wanted, sort, page(limit, offset))

    def count_flows(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
    ) -> int:
        """Count flows that all the filters name."""
        return self._office.count_flows(select(flow_filter, flow_run_filter, task_run_filter, deployment_filter))

    def delete_flow(self, flow_id: UUID) -> None:
        """Delete the flow with its deployments and runs. Raises `ObjectNotFound`."""
        self._office.delete_flow(flow_id)

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Return the flow run; `state.result()` gives its value where that can be read from here. Raises `ObjectNotFound`."""
        return self._open_state(self._office.read_flow_run(flow_run_id))

    def read_flow_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        sort: FlowRunSort = FlowRunSort.ID_DESC,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FlowRun]:
        """Return flow runs that all the filters name."""
        wanted = select(
            flow_filter, flow_run_filter, task_run_filter, deployment_filter, work_pool_filter, work_queue_filter
        )
        return [self._open_state(run) for run in self._office.list_flow_runs(wanted, sort, page(limit, offset))]

    def count_flow_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
    ) -> int:
        """Count flow runs that all the filters name."""
        return self._office.count_flow_runs(select(flow_filter, flow_run_filter, task_run_filter, deployment_filter))

    def update_flow_run(
        self,
        flow_run_id: UUID,
        flow_version: str | None = None,
        parameters: dict[str, Any] | None = None,
        name: str | None = None,
        tags: list[str] | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> None:
        """Change what is given of the run. Raises `ObjectNotFound`."""
        changed = given(
            flow_version=flow_version, parameters=parameters, name=name, tags=tags, job_variables=job_variables
        )
        self._office.update_flow_run(flow_run_id, FlowRunUpdate(**changed))

    def set_flow_run_name(self, flow_run_id: UUID, name: str) -> None:
        """Call the run otherwise. Raises `ObjectNotFound`."""
        self._office.update_flow_run(flow_run_id, FlowRunUpdate(name=name))

    def delete_flow_run(self, flow_run_id: UUID) -> None:
        """Delete the run with its task runs, logs and artifacts. Raises `ObjectNotFound`."""
        self._office.delete_flow_run(flow_run_id)

    def set_flow_run_state(self, flow_run_id: UUID, state: State, force: bool = False) -> Decision:
        """Propose a state, and return what was decided: `verb`, `state`, `reason`. `force` passes over most rules."""
        create = StateCreate(type=state.type, name=state.name, message=state.message, state_details=state.state_details)
        return self._session.propose(Proposal(flow_run_id=flow_run_id, state=create, force=force))

    def read_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        """Return every state the run was in, oldest first. Raises `ObjectNotFound`."""
        return self._office.list_flow_run_states(flow_run_id)

    def resume_flow_run(self, flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> Decision:
        """Let a paused run go on, with what it asks for. Raises `InvalidRequest` if it does not."""
        decision = self._session.gateway.resume_flow_run(flow_run_id, run_input)
        if not decision.written:
            raise InvalidRequest(
                f"Flow run {decision.flow_run.name!r} cannot be resumed. {decision.reason or ''}".strip()
            )
        return decision

    def create_flow_run_input(self, flow_run_id: UUID, key: str, value: str, sender: str | None = None) -> None:
        """Leave a text for a flow run. Raises `ObjectAlreadyExists` for a key in use."""
        self._session.gateway.create_flow_run_input(
            flow_run_id, FlowRunInputCreate(key=key, value=value, sender=sender)
        )

    def read_flow_run_input(self, flow_run_id: UUID, key: str) -> str:
        """Return the text that was left for a flow run. Raises `ObjectNotFound`."""
        return self._session.gateway.read_flow_run_input(flow_run_id, key).value

    def filter_flow_run_input(
        self, flow_run_id: UUID, key_prefix: str, limit: int = 1, exclude_keys: list[str] | None = None
    ) -> list[FlowRunInput]:
        """Return what was left under keys that begin with a prefix, oldest first."""
        return self._session.gateway.list_flow_run_inputs(flow_run_id, key_prefix, limit, exclude_keys or [])

    def delete_flow_run_input(self, flow_run_id: UUID, key: str) -> None:
        """Delete what was left under a key. Raises `ObjectNotFound`."""
        self._session.gateway.delete_flow_run_input(flow_run_id, key)

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        """Return the task run. Raises `ObjectNotFound`."""
        return self._open_state(self._office.read_task_run(task_run_id))

    def read_task_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        sort: TaskRunSort = TaskRunSort.ID_DESC,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[TaskRun]:
        """Return task runs that all the filters name."""
        wanted = select(flow_filter, flow_run_filter, task_run_filter, deployment_filter)
        return [self._open_state(run) for run in self._office.list_task_runs(wanted, sort, page(limit, offset))]

    def count_task_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
    ) -> int:
        """Count task runs that all the filters name."""
        return self._office.count_task_runs(select(flow_filter, flow_run_filter, task_run_filter, deployment_filter))

    def set_task_run_name(self, task_run_id: UUID, name: str) -> None:
        """Call the task run otherwise. Raises `ObjectNotFound`."""
        self._office.update_task_run(task_run_id, TaskRunUpdate(name=name))

    def delete_task_run(self, task_run_id: UUID) -> None:
        """Delete the task run. Raises `ObjectNotFound`."""
        self._office.delete_task_run(task_run_id)

    def read_task_run_states(self, task_run_id: UUID) -> list[State]:
        """Return every state the task run was in, oldest first. Raises `ObjectNotFound`."""
        return self._office.list_task_run_states(task_run_id)

    def _open_state(self, run: Any) -> Any:
        """The run, with a live handle on its value in the place of the record of it."""
        if run.state is not None:
            run.state.data = self._session.results.reopen(run.state.data)
        return run


def select(
    flows: FlowFilter | None = None,
    flow_runs: FlowRunFilter | None = None,
    task_runs: TaskRunFilter | None = None,
    deployments: DeploymentFilter | None = None,
    work_pools: WorkPoolFilter | None = None,
    work_queues: WorkQueueFilter | None = None,
) -> RunSelection:
    """What all these filters name."""
    return RunSelection(
        flows=flows,
        flow_runs=flow_runs,
        task_runs=task_runs,
        deployments=deployments,
        work_pools=work_pools,
        work_pool_queues=work_queues,
    )
