"""Flow runs and task runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

from headrace.schema.presence import Presence
from headrace.schema.state import State, StateCreate, StateType
from headrace.schema.wire import Labels, Parameters, Request, Stored, Wire


class FlowRunPolicy(Wire, kw_only=True):
    """What the orchestrator does by itself for a flow run.

    Of Headrace's own: with `on_crash` "resume" a run whose attempt dies is started again, `max_resumes` times at most;
    `resumes` counts how often it was.
    """

    max_retries: int = 0
    retry_delay_seconds: float = 0
    retries: int | None = None
    retry_delay: int | None = None
    pause_keys: list[str] | None = None
    resuming: bool | None = False
    retry_type: Literal["in_process", "reschedule"] | None = None
    on_crash: Literal["resume", "fail"] | None = None
    max_resumes: int | None = None
    resumes: int | None = None


class TaskRunPolicy(Wire, kw_only=True):
    """How often and how fast a task run is tried again."""

    max_retries: int = 0
    retry_delay_seconds: float = 0
    retries: int | None = None
    retry_delay: float | list[float] | None = None
    retry_jitter_factor: float | None = None


class RunInput(Wire, kw_only=True, tag_field="input_type"):
    """Where one argument of a task run came from."""


class TaskRunResult(RunInput, kw_only=True, tag="task_run"):
    """The result of another task run."""

    id: UUID


class FlowRunResult(RunInput, kw_only=True, tag="flow_run"):
    """The result of another flow run."""

    id: UUID


class ParameterInput(RunInput, kw_only=True, tag="parameter"):
    """A parameter of the flow run."""

    name: str


class ConstantInput(RunInput, kw_only=True, tag="constant"):
    """A value written in the code."""

    type: str


TaskInputs = dict[str, list[TaskRunResult | FlowRunResult | ParameterInput | ConstantInput]]


AUTOMATION_TYPE = "AUTOMATION"
"""What a run says of its maker that an automation made."""

DEPTH = "headrace.automation.depth"
"""The label of runs, and of resources, that says how many automations, one after another, led to what happens to them."""

FIRING = "headrace.automation.firing"
"""The label of runs, and of resources, that says which firing, the last of those, led to what happens to them."""


class CreatedBy(Wire, kw_only=True):
    """Who made a run: a user, a schedule, an automation, another run."""

    id: UUID | None = None
    type: str | None = None
    display_value: str | None = None


class FlowRunCreate(Request, kw_only=True):
    """Asks for a flow run.

    Headrace's own clients may choose the `id`, so that a repeated request makes one run, and send their `presence`, so
    that a run whose process dies before it starts does not stay pending.
    """

    flow_id: UUID
    id: UUID | None = None
    name: str | None = None
    state: StateCreate | None = None
    flow_version: str | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    parent_task_run_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    empirical_policy: FlowRunPolicy = field(default_factory=FlowRunPolicy)
    tags: list[str] = field(default_factory=list[str])
    labels: Labels | None = None
    idempotency_key: str | None = None
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] | None = None
    deployment_id: UUID | None = None
    presence: Presence | None = None


class FlowRunUpdate(Request, kw_only=True):
    """Changes a flow run; fields that are not sent stay as they are."""

    name: str | UnsetType | None = UNSET
    flow_version: str | UnsetType | None = UNSET
    parameters: Parameters | UnsetType = UNSET
    empirical_policy: FlowRunPolicy | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    infrastructure_pid: str | UnsetType | None = UNSET
    job_variables: dict[str, Any] | UnsetType | None = UNSET


class RunTimes(Stored, kw_only=True):
    """What the orchestrator keeps up to date in every run. Durations are seconds."""

    name: str = ""
    state_id: UUID | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    run_count: int = 0
    expected_start_time: datetime | None = None
    next_scheduled_start_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_run_time: float = 0.0
    estimated_run_time: float = 0.0
    estimated_start_time_delta: float = 0.0
    tags: list[str] = field(default_factory=list[str])
    labels: Labels | None = field(default_factory=dict[str, bool | int | float | str])
    state: State | None = None


class FlowRun(RunTimes, kw_only=True):
    """A flow run as it stands. `epoch` counts its attempts; each attempt holds a lease."""

    flow_id: UUID
    deployment_id: UUID | None = None
    deployment_version: str | None = None
    flow_version: str | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    idempotency_key: str | None = None
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    empirical_policy: FlowRunPolicy = field(default_factory=FlowRunPolicy)
    parent_task_run_id: UUID | None = None
    auto_scheduled: bool = False
    infrastructure_document_id: UUID | None = None
    infrastructure_pid: str | None = None
    created_by: CreatedBy | None = None
    work_queue_id: UUID | None = None
    work_queue_name: str | None = None
    work_pool_id: UUID | None = None
    work_pool_name: str | None = None
    job_variables: dict[str, Any] | None = None
    epoch: int = 0


class TaskRunCreate(Request, kw_only=True):
    """Asks for a task run; the same (flow_run_id, task_key, dynamic_key) again is the same run."""

    task_key: str
    dynamic_key: str
    id: UUID | None = None
    name: str | None = None
    state: StateCreate | None = None
    flow_run_id: UUID | None = None
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    task_version: str | None = None
    empirical_policy: TaskRunPolicy = field(default_factory=TaskRunPolicy)
    tags: list[str] = field(default_factory=list[str])
    labels: Labels | None = None
    task_inputs: TaskInputs = field(default_factory=dict[str, Any])


class TaskRun(RunTimes, kw_only=True):
    """A task run as it stands: the projection of the facts its engine journaled."""

    task_key: str
    dynamic_key: str
    flow_run_id: UUID | None = None
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    task_version: str | None = None
    empirical_policy: TaskRunPolicy = field(default_factory=TaskRunPolicy)
    task_inputs: TaskInputs = field(default_factory=dict[str, Any])
    flow_run_run_count: int = 0


class FlowRunSort(StrEnum):
    """Orders of a list of flow runs."""

    ID_DESC = "ID_DESC"
    START_TIME_ASC = "START_TIME_ASC"
    START_TIME_DESC = "START_TIME_DESC"
    EXPECTED_START_TIME_ASC = "EXPECTED_START_TIME_ASC"
    EXPECTED_START_TIME_DESC = "EXPECTED_START_TIME_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    NEXT_SCHEDULED_START_TIME_ASC = "NEXT_SCHEDULED_START_TIME_ASC"
    END_TIME_DESC = "END_TIME_DESC"


class TaskRunSort(StrEnum):
    """Orders of a list of task runs."""

    ID_DESC = "ID_DESC"
    EXPECTED_START_TIME_ASC = "EXPECTED_START_TIME_ASC"
    EXPECTED_START_TIME_DESC = "EXPECTED_START_TIME_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    NEXT_SCHEDULED_START_TIME_ASC = "NEXT_SCHEDULED_START_TIME_ASC"
    END_TIME_DESC = "END_TIME_DESC"
    DURATION_DESC = "DURATION_DESC"
    DURATION_ASC = "DURATION_ASC"


class TaskRunUpdate(Request, kw_only=True):
    """Changes a task run; fields that are not sent stay as they are."""

    name: str | UnsetType = UNSET


class RunSpan(Wire, kw_only=True):
    """A run as a mark in a chart: when it began, or is to begin, and for how long. Sums are seconds."""

    id: UUID
    state_type: StateType
    timestamp: datetime
    duration: float
    lateness: float


class RunHistoryState(Wire, kw_only=True):
    """How many runs of one interval are in one state. Sums are seconds."""

    state_type: StateType
    state_name: str
    count_runs: int
    sum_estimated_run_time: float
    sum_estimated_lateness: float


class RunHistoryInterval(Wire, kw_only=True):
    """The runs expected in one interval, counted by state."""

    interval_start: datetime
    interval_end: datetime
    states: list[RunHistoryState]


class Page(Struct, frozen=True):
    """Which part of a list is wanted: `limit` objects after the first `offset`."""

    limit: int = 200
    offset: int = 0
