"""What pages need in one answer: charts, counts, a task run with the name of its flow run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from headrace.base import clock
from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.schema.filters import RunSelection, TaskRunFilter
from headrace.schema.listing import FlowRunIds, Offset
from headrace.schema.run import FlowRunSort, Page, RunHistoryInterval, RunSpan, TaskRun
from headrace.schema.state import StateType
from headrace.schema.wire import Wire
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ = Permission.READ

BARS = 20
"""How many bars the dashboard's chart of task runs has."""


class SpanListing(RunSelection, kw_only=True):
    """Asks for flow runs as marks in a chart."""

    sort: FlowRunSort = FlowRunSort.EXPECTED_START_TIME_DESC
    limit: Annotated[int, Meta(ge=0, le=1000)] = 1000
    offset: Offset = 0


class Bar(Wire, kw_only=True):
    """How the task runs of one interval ended."""

    completed: int
    failed: int


class TaskRunWithFlowRun(TaskRun, kw_only=True):
    """A task run, and what its flow run is called."""

    flow_run_name: str | None = None


@post("/api/ui/flow_runs/history", status_code=200, **needs(READ))
def list_flow_run_spans(data: JSONBody[SpanListing], administration: Office) -> list[RunSpan]:
    return administration.list_flow_run_spans(data, data.sort, Page(data.limit, data.offset))


@post("/api/ui/flow_runs/count-task-runs", status_code=200, **needs(READ))
def count_task_runs_of_flow_runs(data: JSONBody[FlowRunIds], administration: Office) -> dict[UUID, int]:
    return administration.count_task_runs_by_flow_run(data.flow_run_ids)


@post("/api/ui/task_runs/count", status_code=200, **needs(READ))
def count_task_runs_by_state(data: JSONBody[RunSelection], administration: Office) -> dict[StateType, int]:
    return {**dict.fromkeys(StateType, 0), **administration.count_task_runs_by_state(data)}


@post("/api/ui/task_runs/dashboard/counts", status_code=200, **needs(READ))
def count_task_runs_over_time(data: JSONBody[RunSelection], administration: Office) -> list[Bar]:
    """Count how task runs ended in each of twenty intervals, from `task_runs.start_time.after_` on."""
    start, end = find_window(data.task_runs)
    width = (end - start).total_seconds() / BARS
    return [to_bar(interval) for interval in administration.task_run_history(start, end, width, data)][:BARS]


@get("/api/ui/task_runs/{task_run_id:str}", **needs(READ))
def read_task_run_with_flow_run(task_run_id: FromPath[UUID], administration: Office) -> TaskRunWithFlowRun:
    """Return the task run, with the name of its flow run."""
    run = administration.read_task_run(task_run_id)
    return TaskRunWithFlowRun(**msgspec.structs.asdict(run), flow_run_name=find_name(run.flow_run_id, administration))


def find_window(task_runs: TaskRunFilter | None) -> tuple[datetime, datetime]:
    """The stretch of time that a filter is about. Raises `InvalidRequest` when it does not begin anywhere."""
    times = [task_runs.start_time, task_runs.expected_start_time] if task_runs else []
    for time in times:
        if time is not None and time.after_ is not None:
            return time.after_, time.before_ or clock.now()
    raise InvalidRequest("The chart needs to know where it begins: give task_runs.start_time.after_.")


def to_bar(interval: RunHistoryInterval) -> Bar:
    """How the runs of an interval ended."""
    failed = {StateType.FAILED, StateType.CRASHED}
    return Bar(
        completed=sum(state.count_runs for state in interval.states if state.state_type is StateType.COMPLETED),
        failed=sum(state.count_runs for state in interval.states if state.state_type in failed),
    )


def find_name(flow_run_id: UUID | None, administration: Office) -> str | None:
    """What a flow run is called, if it is there."""
    if flow_run_id is None:
        return None
    try:
        return administration.read_flow_run(flow_run_id).name
    except ObjectNotFound:
        return None


routes = [
    list_flow_run_spans,
    count_task_runs_of_flow_runs,
    count_task_runs_by_state,
    count_task_runs_over_time,
    read_task_run_with_flow_run,
]
