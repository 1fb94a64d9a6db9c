from __future__ import annotations

from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from headrace.schema.filters import RunSelection
from headrace.schema.listing import HistoryRequest, Paginated, TaskRunListing, TaskRunPaging, paginate
from headrace.schema.run import RunHistoryInterval, TaskRun, TaskRunCreate, TaskRunUpdate
from headrace.schema.state import State
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office, Runs
from headrace.server.responses import OrchestrationResult, answer_task_decision, created_or_found, note_arrival
from headrace.server.routes.flow_run_states import SetState

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN


@post("/api/task_runs/", **needs(RUN))
def create_task_run(data: JSONBody[TaskRunCreate], execution: Runs) -> Response[TaskRun]:
    arrival = note_arrival()
    return created_or_found(execution.create_task_run(data), arrival)


@get("/api/task_runs/{task_run_id:str}", **needs(READ))
def read_task_run(task_run_id: FromPath[UUID], administration: Office) -> TaskRun:
    return administration.read_task_run(task_run_id)


@patch("/api/task_runs/{task_run_id:str}", status_code=204, **needs(EDIT))
def update_task_run(task_run_id: FromPath[UUID], data: JSONBody[TaskRunUpdate], administration: Office) -> None:
    administration.update_task_run(task_run_id, data)


@delete("/api/task_runs/{task_run_id:str}", **needs(EDIT))
def delete_task_run(task_run_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_task_run(task_run_id)


@post("/api/task_runs/{task_run_id:str}/set_state", **needs(RUN))
def set_task_run_state(
    task_run_id: FromPath[UUID], data: JSONBody[SetState], execution: Runs
) -> Response[OrchestrationResult]:
    return answer_task_decision(execution.propose_task_run_state(task_run_id, data.state, data.force))


@post("/api/task_runs/filter", status_code=200, **needs(READ))
def list_task_runs(data: JSONBody[TaskRunListing], administration: Office) -> list[TaskRun]:
    return administration.list_task_runs(data, data.sort, data.part)


@post("/api/task_runs/paginate", status_code=200, **needs(READ))
def paginate_task_runs(data: JSONBody[TaskRunPaging], administration: Office) -> Paginated[TaskRun]:
    """Return a page of the task runs that the selection names, and how many there are in all."""
    runs = administration.list_task_runs(data, data.sort, data.part)
    return paginate(runs, administration.count_task_runs(data), data)


@post("/api/task_runs/count", status_code=200, **needs(READ))
def count_task_runs(data: JSONBody[RunSelection], administration: Office) -> int:
    return administration.count_task_runs(data)


@post("/api/task_runs/history", status_code=200, **needs(READ))
def read_task_run_history(data: JSONBody[HistoryRequest], administration: Office) -> list[RunHistoryInterval]:
    return administration.task_run_history(data.history_start, data.history_end, data.history_interval_seconds, data)


@get("/api/task_run_states/{state_id:str}", **needs(READ))
def read_task_run_state(state_id: FromPath[UUID], administration: Office) -> State:
    return administration.read_task_run_state(state_id)


@get("/api/task_run_states/", **needs(READ))
def list_task_run_states(task_run_id: FromQuery[UUID], administration: Office) -> list[State]:
    return administration.list_task_run_states(task_run_id)


routes = [
    create_task_run,
    read_task_run,
    update_task_run,
    delete_task_run,
    set_task_run_state,
    list_task_runs,
    paginate_task_runs,
    count_task_runs,
    read_task_run_history,
    read_task_run_state,
    list_task_run_states,
]
