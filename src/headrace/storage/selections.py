"""Which rows a filter is about: the field tables of the nouns, and selections that go across nouns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, exists, not_, or_, select, true

from headrace.schema import filters as f
from headrace.storage import tables as t
from headrace.storage.dialect import Dialect
from headrace.storage.filters import Condition, Operand, compile_filter, says_something
from headrace.storage.pages import Query
from headrace.storage.tags import IndexedTags, ListedTags

Fields = dict[str, Operand]
AnyOf = TypeVar("AnyOf", f.IdFilter, f.TextFilter)


class Related:
    """A column of related rows, as an operand: what is asked of it must hold for one of them."""

    def __init__(self, column: ColumnElement[Any], *link: Condition) -> None:
        self._column = column
        self._link = link

    def in_(self, values: Sequence[Any]) -> Condition:
        return exists(select(1).where(*self._link, self._column.in_(values)))

    def not_in(self, values: Sequence[Any]) -> Condition:
        return not_(self.in_(values))

    def is_not(self, _: None) -> Condition:
        return exists(select(1).where(*self._link, self._column.is_not(None)))

    def is_(self, _: None) -> Condition:
        return not_(self.is_not(None))

    def icontains(self, part: str, autoescape: bool) -> Condition:
        return exists(select(1).where(*self._link, self._column.icontains(part, autoescape=autoescape)))


def _columns(table: Table, *names: str) -> Fields:
    return {name: table.c[name] for name in names}


def _state_of(table: Table) -> Fields:
    return {"type": table.c.state_type, "name": table.c.state_name}


def _queue_of(table: Table) -> tuple[Condition, Condition]:
    return t.work_queues.c.workspace_id == table.c.workspace_id, t.work_queues.c.id == table.c.work_queue_id


class Either:
    """Texts, as an operand: what is asked for may be in either, and what is not wanted must be in none."""

    def __init__(self, *columns: Any) -> None:
        self._columns = columns

    def in_(self, values: Sequence[Any]) -> Condition:
        return or_(*(column.in_(values) for column in self._columns))

    def not_in(self, values: Sequence[Any]) -> Condition:
        return not_(self.in_(values))

    def is_not(self, _: None) -> Condition:
        return or_(*(column.is_not(None) for column in self._columns))

    def is_(self, _: None) -> Condition:
        return not_(self.is_not(None))

    def icontains(self, part: str, autoescape: bool) -> Condition:
        return or_(*(column.icontains(part, autoescape=autoescape) for column in self._columns))


FLOW: Fields = {
    **_columns(t.flows, "id", "name"),
    "tags": ListedTags(t.flows.c.tags),
    "deployment": Related(
        t.deployments.c.id,
        t.deployments.c.workspace_id == t.flows.c.workspace_id,
        t.deployments.c.flow_id == t.flows.c.id,
    ),
}

FLOW_RUN: Fields = {
    **_columns(t.flow_runs, "id", "name", "deployment_id", "flow_version", "idempotency_key"),
    **_columns(t.flow_runs, "start_time", "end_time", "expected_start_time", "next_scheduled_start_time"),
    **_columns(t.flow_runs, "parent_flow_run_id", "parent_task_run_id"),
    "state": _state_of(t.flow_runs),
    "work_queue_name": Related(t.work_queues.c.name, *_queue_of(t.flow_runs)),
    "created_by": {"id": t.flow_runs.c.created_by_id, "type": t.flow_runs.c.created_by_type},
}

_subflow = t.flow_runs.alias("subflow")

TASK_RUN: Fields = {
    **_columns(t.task_runs, "id", "name", "flow_run_id", "start_time", "end_time", "expected_start_time"),
    "state": _state_of(t.task_runs),
    "subflow_runs": exists(
        select(1).where(
            _subflow.c.workspace_id == t.task_runs.c.workspace_id, _subflow.c.parent_task_run_id == t.task_runs.c.id
        )
    ),
}

LOG: Fields = {
    **_columns(t.logs, "level", "timestamp", "flow_run_id", "task_run_id"),
    "text": t.logs.c.message,
}

ARTIFACT: Fields = _columns(t.artifacts, "id", "key", "type", "flow_run_id", "task_run_id")

COLLECTION: Fields = {
    "latest_id": t.artifact_collections.c.latest_id,
    "key": t.artifact_collections.c.key,
    **_columns(t.artifacts, "type", "flow_run_id", "task_run_id"),
}

_name_of_flow = (
    select(t.flows.c.name)
    .where(t.flows.c.workspace_id == t.deployments.c.workspace_id, t.flows.c.id == t.deployments.c.flow_id)
    .correlate(t.deployments)
    .scalar_subquery()
)

DEPLOYMENT: Fields = {
    **_columns(t.deployments, "id", "name", "paused", "concurrency_limit"),
    "tags": ListedTags(t.deployments.c.tags),
    "flow_or_deployment_name": Either(t.deployments.c.name, _name_of_flow),
    "work_queue_name": Related(t.work_queues.c.name, *_queue_of(t.deployments)),
}

WORK_POOL: Fields = _columns(t.work_pools, "id", "name", "type")

WORK_QUEUE: Fields = _columns(t.work_queues, "id", "name")

RESULT: Fields = _columns(t.results, "storage_key", "flow_run_id", "task_run_id")


def select_flows(workspace_id: UUID, selection: f.RunSelection, dialect: Dialect) -> Condition:
    """The flows that a selection names, with the runs that it names."""
    flow = t.flows.c
    conditions = [flow.workspace_id == workspace_id, compile_filter(selection.flows, FLOW, dialect)]
    of_runs = f.RunSelection(flow_runs=selection.flow_runs, task_runs=selection.task_runs)
    if says_something(of_runs):
        among = select(t.flow_runs.c.flow_id).where(select_flow_runs(workspace_id, of_runs, dialect))
        conditions.append(flow.id.in_(among))
    deployed = f.RunSelection(**_surroundings(selection))
    if says_something(deployed):
        among = select(t.deployments.c.flow_id).where(select_deployments(workspace_id, deployed, dialect))
        conditions.append(flow.id.in_(among))
    return and_(*conditions)


def select_deployments(workspace_id: UUID, selection: f.RunSelection, dialect: Dialect) -> Condition:
    """The deployments that a selection names, of the flows and with the runs that it names."""
    deployment = t.deployments.c
    conditions = [
        deployment.workspace_id == workspace_id,
        compile_filter(selection.deployments, DEPLOYMENT, dialect),
        *_in_places(t.deployments, workspace_id, selection, dialect),
    ]
    if says_something(selection.flows):
        conditions.append(deployment.flow_id.in_(_ids(t.flows, workspace_id, selection.flows, FLOW, dialect)))
    of_runs = f.RunSelection(flow_runs=selection.flow_runs, task_runs=selection.task_runs)
    if says_something(of_runs):
        among = select(t.flow_runs.c.deployment_id).where(select_flow_runs(workspace_id, of_runs, dialect))
        conditions.append(deployment.id.in_(among))
    return and_(*conditions)


def select_flow_runs(
    workspace_id: UUID, selection: f.RunSelection, dialect: Dialect, common: Collection[str] = ()
) -> Condition:
    """The flow runs that a selection names, of the flows and with the task runs that it names.

    The tags in `common` are not what the runs are found by.
    """
    run = t.flow_runs.c
    fields = {**FLOW_RUN, "tags": IndexedTags(workspace_id, t.flow_runs, common)}
    conditions = [run.workspace_id == workspace_id, compile_filter(selection.flow_runs, fields, dialect)]
    if selection.flows is not None:
        conditions.append(_of_flows(workspace_id, selection.flows, dialect))
    if selection.task_runs is not None:
        of_tasks = f.RunSelection(task_runs=selection.task_runs)
        among = select(t.task_runs.c.flow_run_id).where(select_task_runs(workspace_id, of_tasks, dialect))
        conditions.append(run.id.in_(among))
    if says_something(selection.deployments):
        among = _ids(t.deployments, workspace_id, selection.deployments, DEPLOYMENT, dialect)
        conditions.append(run.deployment_id.in_(among))
    return and_(*conditions, *_in_places(t.flow_runs, workspace_id, selection, dialect))


def _in_places(table: Table, workspace_id: UUID, selection: f.RunSelection, dialect: Dialect) -> Iterator[Condition]:
    """What is in the pools and queues that a selection names."""
    if says_something(selection.work_pools):
        yield table.c.work_pool_id.in_(_ids(t.work_pools, workspace_id, selection.work_pools, WORK_POOL, dialect))
    for queues in (selection.work_pool_queues, selection.work_queues):
        if says_something(queues):
            yield table.c.work_queue_id.in_(_ids(t.work_queues, workspace_id, queues, WORK_QUEUE, dialect))


def _of_flows(workspace_id: UUID, flows: f.FlowFilter, dialect: Dialect) -> Condition:
    """The flow runs of the flows that a filter names. Of a single one they are read in the order of their ids."""
    flow = t.flows.c
    among = select(flow.id).where(flow.workspace_id == workspace_id, compile_filter(flows, FLOW, dialect))
    one_id, one_name = _one(flows.id), _one(flows.name)
    single = (one_id is not None and flows == f.FlowFilter(id=one_id)) or (
        one_name is not None and flows == f.FlowFilter(name=one_name)
    )
    return t.flow_runs.c.flow_id == among.scalar_subquery() if single else t.flow_runs.c.flow_id.in_(among)


def _one(wanted: AnyOf | None) -> AnyOf | None:
    """The filter, if all it says is one value."""
    if wanted is None or wanted.any_ is None or len(wanted.any_) != 1:
        return None
    return wanted if wanted == type(wanted)(any_=wanted.any_) else None  # pyright: ignore[reportArgumentType]


def select_task_runs(
    workspace_id: UUID, selection: f.RunSelection, dialect: Dialect, common: Collection[str] = ()
) -> Condition:
    """The task runs that a selection names, of the flow runs that it names. `common` as for flow runs."""
    run = t.task_runs.c
    fields = {**TASK_RUN, "tags": IndexedTags(workspace_id, t.task_runs, common)}
    conditions = [run.workspace_id == workspace_id, compile_filter(selection.task_runs, fields, dialect)]
    of_runs = f.RunSelection(flow_runs=selection.flow_runs, flows=selection.flows, **_surroundings(selection))
    if says_something(of_runs):
        among = select(t.flow_runs.c.id).where(select_flow_runs(workspace_id, of_runs, dialect))
        conditions.append(run.flow_run_id.in_(among))
    return and_(*conditions)


def select_artifacts(
    workspace_id: UUID, artifacts: f.ArtifactFilter | None, selection: f.RunSelection | None, dialect: Dialect
) -> Condition:
    """The artifacts that a filter names, of the runs that a selection names."""
    artifact = t.artifacts.c
    conditions = [artifact.workspace_id == workspace_id, compile_filter(artifacts, ARTIFACT, dialect)]
    return and_(*conditions, _left_by(workspace_id, selection, dialect))


def select_collections(
    workspace_id: UUID, artifacts: f.ArtifactCollectionFilter | None, selection: f.RunSelection | None, dialect: Dialect
) -> Condition:
    """The keys whose latest artifacts a filter names, of the runs that a selection names."""
    own = t.artifact_collections.c.workspace_id == workspace_id
    return and_(own, compile_filter(artifacts, COLLECTION, dialect), _left_by(workspace_id, selection, dialect))


def _left_by(workspace_id: UUID, selection: f.RunSelection | None, dialect: Dialect) -> Condition:
    """The artifacts that the runs a selection names have left."""
    artifact = t.artifacts.c
    if selection is None:
        return true()
    conditions: list[Condition] = [true()]
    of_runs = f.RunSelection(flow_runs=selection.flow_runs, flows=selection.flows, **_surroundings(selection))
    if says_something(of_runs):
        among = select(t.flow_runs.c.id).where(select_flow_runs(workspace_id, of_runs, dialect))
        conditions.append(artifact.flow_run_id.in_(among))
    if selection.task_runs is not None:
        of_tasks = f.RunSelection(task_runs=selection.task_runs)
        among = select(t.task_runs.c.id).where(select_task_runs(workspace_id, of_tasks, dialect))
        conditions.append(artifact.task_run_id.in_(among))
    return and_(*conditions)


def _surroundings(selection: f.RunSelection) -> dict[str, Any]:
    """What a selection says of what flow runs belong to."""
    names = ("deployments", "work_pools", "work_pool_queues", "work_queues")
    return {name: getattr(selection, name) for name in names}


def _ids(
    table: Table, workspace_id: UUID, wanted: f.Filter | None, fields: Fields, dialect: Dialect, name: str = "id"
) -> Query:
    """The ids of the rows that a filter names."""
    return select(table.c[name]).where(table.c.workspace_id == workspace_id, compile_filter(wanted, fields, dialect))
