"""Deployments: flows that others can start, on a schedule or by hand, with the parameters and the place to run."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, field

from headrace.schema.flow import Name
from headrace.schema.orchestration import ConcurrencyLimit
from headrace.schema.run import CreatedBy, FlowRunPolicy
from headrace.schema.schedule import (
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    Positive,
)
from headrace.schema.state import StateCreate
from headrace.schema.wire import Labels, Parameters, Request, Stored, Wire

Steps = list[dict[str, Any]]


class ConcurrencyOptions(Wire, kw_only=True):
    """What happens to a run that finds as many runs of its deployment executing as may."""

    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]
    grace_period_seconds: Annotated[int, Meta(ge=60, le=86_400)] | None = None


class DeploymentCreate(Request, kw_only=True):
    """Asks for a deployment. The same (flow_id, name) again replaces what the request says of it.

    What is not sent of `paused` and `schedules` stays as it is: deploying anew does not undo what people set since.
    """

    name: Name
    flow_id: UUID
    paused: bool | UnsetType = UNSET
    schedules: list[DeploymentScheduleCreate] | UnsetType = UNSET
    concurrency_limit: Positive | None = None
    concurrency_options: ConcurrencyOptions | None = None
    global_concurrency_limit_id: UUID | None = None
    enforce_parameter_schema: bool = True
    parameter_openapi_schema: dict[str, Any] | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    tags: list[str] = field(default_factory=list[str])
    labels: Labels | None = None
    pull_steps: Steps | None = None
    work_queue_name: str | None = None
    work_pool_name: str | None = None
    storage_document_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    description: str | None = None
    path: str | None = None
    version: str | None = None
    entrypoint: str | None = None
    job_variables: dict[str, Any] = field(default_factory=dict[str, Any])
    version_info: dict[str, Any] | None = None


class DeploymentUpdate(Request, kw_only=True):
    """Changes a deployment; fields that are not sent stay as they are. `schedules` replaces all of them."""

    version: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    paused: bool | UnsetType = UNSET
    schedules: list[DeploymentScheduleUpdate] | UnsetType | None = UNSET
    concurrency_limit: Positive | UnsetType | None = UNSET
    concurrency_options: ConcurrencyOptions | UnsetType | None = UNSET
    global_concurrency_limit_id: UUID | UnsetType | None = UNSET
    parameters: Parameters | UnsetType | None = UNSET
    parameter_openapi_schema: dict[str, Any] | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    work_queue_name: str | UnsetType | None = UNSET
    work_pool_name: str | UnsetType | None = UNSET
    path: str | UnsetType | None = UNSET
    job_variables: dict[str, Any] | UnsetType | None = UNSET
    pull_steps: Steps | UnsetType | None = UNSET
    entrypoint: str | UnsetType | None = UNSET
    storage_document_id: UUID | UnsetType | None = UNSET
    infrastructure_document_id: UUID | UnsetType | None = UNSET
    enforce_parameter_schema: bool | UnsetType | None = UNSET
    version_info: dict[str, Any] | UnsetType | None = UNSET


class DeploymentStatus(StrEnum):
    """Whether somebody has lately asked for runs of the deployment."""

    READY = "READY"
    NOT_READY = "NOT_READY"


class Deployment(Stored, kw_only=True):
    """A deployment with its schedules. `last_polled` is when somebody last asked for its runs.

    `concurrency_limit` is how many of its runs may execute at once, if the limit is its own; `global_concurrency_limit` is the
    limit that counts, its own or one that it shares.
    """

    name: str
    flow_id: UUID
    version: str | None = None
    description: str | None = None
    paused: bool = False
    schedules: list[DeploymentSchedule] = field(default_factory=list[DeploymentSchedule])
    concurrency_limit: int | None = None
    concurrency_options: ConcurrencyOptions | None = None
    global_concurrency_limit_id: UUID | None = None
    global_concurrency_limit: ConcurrencyLimit | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    parameter_openapi_schema: dict[str, Any] | None = None
    enforce_parameter_schema: bool = True
    tags: list[str] = field(default_factory=list[str])
    labels: Labels = field(default_factory=dict[str, bool | int | float | str])
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    work_queue_id: UUID | None = None
    job_variables: dict[str, Any] = field(default_factory=dict[str, Any])
    pull_steps: Steps | None = None
    path: str | None = None
    entrypoint: str | None = None
    storage_document_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    version_info: dict[str, Any] | None = None
    created_by: CreatedBy | None = None
    updated_by: CreatedBy | None = None
    last_polled: datetime | None = None
    status: DeploymentStatus = DeploymentStatus.NOT_READY


class DeploymentFlowRunCreate(Request, kw_only=True):
    """Asks for a run of a deployment, at once or at the time its SCHEDULED state names.

    `parameters` and `job_variables` go over the deployment's own; tags and labels are added to them.
    """

    state: StateCreate | None = None
    name: str | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    enforce_parameter_schema: bool | None = None
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    infrastructure_document_id: UUID | None = None
    empirical_policy: FlowRunPolicy = field(default_factory=FlowRunPolicy)
    tags: list[str] = field(default_factory=list[str])
    labels: Labels | None = None
    idempotency_key: str | None = None
    parent_task_run_id: UUID | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] | None = None


class DeploymentSort(StrEnum):
    """Orders of a list of deployments."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
