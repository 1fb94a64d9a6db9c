"""Filters of lists. Five operator types, composed per resource; the wire form is the contract's.

All conditions given hold together (`operator` `and_`), unless a filter's `operator` is `or_`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from headrace.schema.state import StateType
from headrace.schema.wire import Request
from headrace.schema.work_pool import WorkerStatus

Operator = Literal["and_", "or_"]


class Filter(Request, kw_only=True):
    """What all filters have: how their conditions combine."""

    operator: Operator = "and_"


class IdFilter(Filter, kw_only=True):
    """On an id: one of, none of, or missing."""

    any_: list[UUID] | None = None
    not_any_: list[UUID] | None = None
    is_null_: bool | None = None


class TextFilter(Filter, kw_only=True):
    """On a text: one of, none of, containing (case does not matter, `%` and `_` are literal), present or missing."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None
    like_: str | None = None
    exists_: bool | None = None
    is_null_: bool | None = None


class NameFilter(TextFilter, kw_only=True):
    """On a name: as on any text, or beginning with one of some texts."""

    startswith_: list[str] | None = None


class TimeFilter(Filter, kw_only=True):
    """On an instant: at or before, at or after, or missing."""

    before_: datetime | None = None
    after_: datetime | None = None
    is_null_: bool | None = None


class TagsFilter(Filter, kw_only=True):
    """On a list of tags: has all of, has any of, or is empty."""

    all_: list[str] | None = None
    any_: list[str] | None = None
    is_null_: bool | None = None


class StateTypeFilter(Filter, kw_only=True):
    """On the type of the current state."""

    any_: list[StateType] | None = None
    not_any_: list[StateType] | None = None


class StateFilter(Filter, kw_only=True):
    """On the current state."""

    type: StateTypeFilter | None = None
    name: TextFilter | None = None


class LevelFilter(Filter, kw_only=True):
    """On a log level: at least, at most."""

    ge_: int | None = None
    le_: int | None = None


class SearchFilter(Filter, kw_only=True):
    """On a log message: every word of `query` occurs; a word after `-` or `!` does not; quotes keep words together."""

    query: Annotated[str, Meta(max_length=200)]


class ExistsFilter(Filter, kw_only=True):
    """Whether there is anything at the other end."""

    exists_: bool | None = None


class CreatedByFilter(Filter, kw_only=True):
    """On who made a run."""

    id_: list[UUID] | None = None
    type_: list[str] | None = None
    is_null_: bool | None = None


class FlowFilter(Filter, kw_only=True):
    """Which flows."""

    id: IdFilter | None = None
    deployment: IdFilter | None = None
    name: TextFilter | None = None
    tags: TagsFilter | None = None


class FlowRunFilter(Filter, kw_only=True):
    """Which flow runs."""

    id: IdFilter | None = None
    name: TextFilter | None = None
    tags: TagsFilter | None = None
    deployment_id: IdFilter | None = None
    work_queue_name: TextFilter | None = None
    state: StateFilter | None = None
    flow_version: TextFilter | None = None
    start_time: TimeFilter | None = None
    end_time: TimeFilter | None = None
    expected_start_time: TimeFilter | None = None
    next_scheduled_start_time: TimeFilter | None = None
    parent_flow_run_id: IdFilter | None = None
    parent_task_run_id: IdFilter | None = None
    idempotency_key: TextFilter | None = None
    created_by: CreatedByFilter | None = None


class TaskRunFilter(Filter, kw_only=True):
    """Which task runs."""

    id: IdFilter | None = None
    name: TextFilter | None = None
    tags: TagsFilter | None = None
    state: StateFilter | None = None
    start_time: TimeFilter | None = None
    end_time: TimeFilter | None = None
    expected_start_time: TimeFilter | None = None
    subflow_runs: ExistsFilter | None = None
    flow_run_id: IdFilter | None = None


class LogFilter(Filter, kw_only=True):
    """Which log lines."""

    level: LevelFilter | None = None
    timestamp: TimeFilter | None = None
    flow_run_id: IdFilter | None = None
    task_run_id: IdFilter | None = None
    text: SearchFilter | None = None


class ArtifactFilter(Filter, kw_only=True):
    """Which artifacts."""

    id: IdFilter | None = None
    key: TextFilter | None = None
    flow_run_id: IdFilter | None = None
    task_run_id: IdFilter | None = None
    type: TextFilter | None = None


class ArtifactCollectionFilter(Filter, kw_only=True):
    """Which artifact keys."""

    latest_id: IdFilter | None = None
    key: TextFilter | None = None
    flow_run_id: IdFilter | None = None
    task_run_id: IdFilter | None = None
    type: TextFilter | None = None


class ResultFilter(Filter, kw_only=True):
    """Which result records."""

    storage_key: TextFilter | None = None
    flow_run_id: IdFilter | None = None
    task_run_id: IdFilter | None = None


class PausedFilter(Filter, kw_only=True):
    """Whether it is paused."""

    eq_: bool | None = None


class AmountFilter(Filter, kw_only=True):
    """On a number: at least, at most, or missing."""

    ge_: int | None = None
    le_: int | None = None
    is_null_: bool | None = None


class DeploymentFilter(Filter, kw_only=True):
    """Which deployments."""

    id: IdFilter | None = None
    name: TextFilter | None = None
    flow_or_deployment_name: TextFilter | None = None
    paused: PausedFilter | None = None
    tags: TagsFilter | None = None
    work_queue_name: TextFilter | None = None
    concurrency_limit: AmountFilter | None = None


class WorkPoolFilter(Filter, kw_only=True):
    """Which work pools."""

    id: IdFilter | None = None
    name: TextFilter | None = None
    type: TextFilter | None = None


class WorkQueueFilter(Filter, kw_only=True):
    """Which work queues."""

    id: IdFilter | None = None
    name: NameFilter | None = None


class WorkerStatusFilter(Filter, kw_only=True):
    """On whether a worker is there."""

    any_: list[WorkerStatus] | None = None
    not_any_: list[WorkerStatus] | None = None


class WorkerFilter(Filter, kw_only=True):
    """Which workers."""

    last_heartbeat_time: TimeFilter | None = None
    status: WorkerStatusFilter | None = None


class RunSelection(Request, kw_only=True):
    """A selection across nouns: runs of these flows, with these task runs, and so on. A filter left out selects all.

    The contract has two names for the filter of work queues, and clients send either.
    """

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None
    work_pools: WorkPoolFilter | None = None
    work_pool_queues: WorkQueueFilter | None = None
    work_queues: WorkQueueFilter | None = None
