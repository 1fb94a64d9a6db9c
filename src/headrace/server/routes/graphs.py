from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import get
from litestar.params import FromPath, FromQuery

from headrace.schema.filters import FlowRunFilter, IdFilter, RunSelection
from headrace.schema.graph import Dependency, Graph
from headrace.schema.listing import LONGEST_LIST
from headrace.schema.run import Page, TaskRun, TaskRunResult, TaskRunSort
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ = Permission.READ


@get("/api/flow_runs/{flow_run_id:str}/graph-v2", **needs(READ))
def read_graph(flow_run_id: FromPath[UUID], administration: Office, since: FromQuery[datetime | None] = None) -> Graph:
    return administration.read_flow_run_graph(flow_run_id, since)


@get("/api/flow_runs/{flow_run_id:str}/graph", **needs(READ))
def read_dependencies(flow_run_id: FromPath[UUID], administration: Office) -> list[Dependency]:
    """Return the run's task runs, each with those whose results it took: an older form of the graph."""
    return [to_dependency(run) for run in list_task_runs(flow_run_id, administration)]


def list_task_runs(flow_run_id: UUID, administration: Office) -> list[TaskRun]:
    """All task runs of a flow run, read page by page."""
    wanted = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[flow_run_id])))
    found: list[TaskRun] = []
    while page := administration.list_task_runs(wanted, TaskRunSort.ID_DESC, Page(LONGEST_LIST, len(found))):
        found += page
    return found


def to_dependency(run: TaskRun) -> Dependency:
    """A task run in the contract's older form of the graph."""
    sources = {
        entry.id: entry for entries in run.task_inputs.values() for entry in entries if isinstance(entry, TaskRunResult)
    }
    return Dependency(
        id=run.id,
        name=run.name,
        upstream_dependencies=[*sources.values()],
        state=run.state,
        expected_start_time=run.expected_start_time,
        start_time=run.start_time,
        end_time=run.end_time,
        total_run_time=run.total_run_time,
        estimated_run_time=run.estimated_run_time,
        untrackable_result=run.state is not None and run.state.state_details.untrackable_result,
    )


routes = [read_graph, read_dependencies]
