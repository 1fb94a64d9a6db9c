"""Deployments: made once for each name within a flow, changed, and run by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType

from headrace.base.clock import to_datetime
from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.automations import delete_owned
from headrace.orchestration.deployment_limits import drop_own_limit, find_limits, settle_limit
from headrace.orchestration.flow_runs import Origin, create_flow_run
from headrace.orchestration.flows import load_flow
from headrace.orchestration.parameters import check_parameters
from headrace.orchestration.places import find_place, find_places
from headrace.orchestration.schedules import describe_run, replace_schedules, restart_schedules, settle_runs
from headrace.orchestration.slots import to_limit
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import SCHEDULED
from headrace.schema.deployment import Deployment, DeploymentCreate, DeploymentFlowRunCreate, DeploymentUpdate
from headrace.schema.run import CreatedBy, FlowRun, FlowRunCreate
from headrace.schema.state import StateCreate
from headrace.schema.wire import decode_json
from headrace.storage import deployments as queries
from headrace.storage import limits as limit_queries
from headrace.storage import schedules as schedule_queries
from headrace.storage.deployment_rows import DeploymentRow, ScheduleRow, to_deployment
from headrace.storage.texts import storable, storable_json

JSON_COLUMNS = frozenset(
    {
        "concurrency_options",
        "parameter_openapi_schema",
        "parameters",
        "tags",
        "labels",
        "job_variables",
        "pull_steps",
        "version_info",
    }
)
NEVER_NULL: Mapping[str, Any] = {"parameters": {}, "job_variables": {}, "tags": [], "enforce_parameter_schema": True}
"""What stands where null was sent and there is no such thing."""

OF_RUNS = frozenset({"version", "parameters", "tags", "labels", "job_variables", "work_pool_id", "work_queue_id"})
"""What a run takes from its deployment when it is made."""


def create_deployment(unit: Unit, create: DeploymentCreate) -> Deployment:
    """Make a deployment, or make the one of that name what the request says. Raises `ObjectNotFound`."""
    load_flow(unit, create.flow_id)
    told: dict[str, Any] = {name: getattr(create, name) for name in create.__struct_fields__}
    schedules = told.pop("schedules")
    columns = _to_columns(unit, told)
    paused = columns.pop("paused", None)
    blank = DeploymentRow._make(None for _ in DeploymentRow._fields)
    own, shared = columns["concurrency_limit"], columns["global_concurrency_limit_id"]
    row = blank._replace(**columns, id=uuid7(), paused=bool(paused), created=unit.now, updated=unit.now)
    row = row._replace(concurrency_limit=None, global_concurrency_limit_id=None)
    if queries.insert_deployment(unit.connection, unit.workspace_id, row):
        replace_schedules(unit, row, schedules or [])
        if own is not None or shared is not None:
            row = _change(unit, row, {"concurrency_limit": own, "global_concurrency_limit_id": shared}, UNSET)
        return show(unit, [row])[0]
    known = queries.lock_deployment_of_flow(unit.connection, unit.workspace_id, create.flow_id, row.name)
    if known is None:
        raise ObjectNotFound(f"Deployment {create.name!r} was deleted while it was being made.")
    changed = columns if paused is None else columns | {"paused": paused}
    return show(unit, [_change(unit, known, changed, schedules)])[0]


def update_deployment(unit: Unit, deployment_id: UUID, update: DeploymentUpdate) -> None:
    """Change what the update names. Raises `ObjectNotFound`."""
    row = load_deployment(unit, deployment_id, held=True)
    told = {name: value for name in update.__struct_fields__ if (value := getattr(update, name)) is not UNSET}
    schedules = told.pop("schedules", UNSET)
    if "work_queue_name" in told and "work_pool_name" not in told:
        place = find_places(unit, {row.work_queue_id}).get(row.work_queue_id) if row.work_queue_id else None
        told["work_pool_name"] = place and place.work_pool_name
    _change(unit, row, _to_columns(unit, told), schedules)


def delete_deployment(unit: Unit, deployment_id: UUID) -> None:
    """Delete a deployment; runs of it that nobody has started never will be. Raises `ObjectNotFound`."""
    row = load_deployment(unit, deployment_id, held=True)
    delete_owned(unit, f"prefect.deployment.{deployment_id}")
    settle_runs(unit, deployment_id, f"Its deployment {row.name!r} was deleted.")
    drop_own_limit(unit, deployment_id)
    queries.delete_deployment(unit.connection, unit.workspace_id, deployment_id)


def run_deployment(
    unit: Unit, deployment_id: UUID, create: DeploymentFlowRunCreate, maker: CreatedBy | None = None
) -> FlowRun:
    """Make a run of a deployment. Raises `ObjectNotFound`, and `InvalidRequest` for parameters that do not fit."""
    row = load_deployment(unit, deployment_id)
    parameters = {**decode_json(row.parameters), **create.parameters}
    check_parameters(row, parameters, create.enforce_parameter_schema)
    request = FlowRunCreate(
        flow_id=row.flow_id,
        name=create.name,
        state=create.state or StateCreate(type=SCHEDULED),
        parameters=parameters,
        context=create.context,
        parent_task_run_id=create.parent_task_run_id,
        infrastructure_document_id=create.infrastructure_document_id,
        empirical_policy=create.empirical_policy,
        tags=[*dict.fromkeys([*decode_json(row.tags), *create.tags])],
        labels=_labels(row, create.labels or {}),
        idempotency_key=create.idempotency_key,
        work_queue_name=create.work_queue_name,
        job_variables=create.job_variables,
        deployment_id=row.id,
    )
    maker = maker or CreatedBy(id=row.id, type="DEPLOYMENT", display_value=row.name)
    return create_run_of(unit, row, request, Origin(row.version, created_by=maker))


def create_run_of(unit: Unit, row: DeploymentRow, request: FlowRunCreate, origin: Origin) -> FlowRun:
    """Make a run where its deployment runs."""
    place = find_places(unit, {row.work_queue_id}).get(row.work_queue_id) if row.work_queue_id else None
    if place is not None:
        request.work_pool_name = place.work_pool_name
        request.work_queue_name = request.work_queue_name or place.work_queue_name
    return create_flow_run(unit, request, origin=origin)


def make_scheduled_runs(unit: Unit, deployment_id: UUID, planned: Sequence[tuple[ScheduleRow, Sequence[int]]]) -> int:
    """Make runs for instants of schedules, unless they are not as they were seen; how many were made."""
    row = load_deployment(unit, deployment_id, held=True)
    known = schedule_queries.list_schedules(unit.connection, unit.workspace_id, [deployment_id])
    now_as_seen = {(each.id, each.schedule, each.updated) for each in known if each.active and not row.paused}
    made = 0
    for seen, instants in planned:
        if (seen.id, seen.schedule, seen.updated) in now_as_seen:
            for instant in instants:
                run = create_run_of(unit, row, *describe_run(row, seen, instant))
                made += run.created == to_datetime(unit.now)
    return made


def load_deployment(unit: Unit, deployment_id: UUID, held: bool = False) -> DeploymentRow:
    """The row of a deployment, held against changes by others if need be. Raises `ObjectNotFound`."""
    if held:
        row = queries.lock_deployment(unit.connection, unit.workspace_id, deployment_id)
    else:
        row = next(iter(queries.find_deployments(unit.connection, unit.workspace_id, [deployment_id])), None)
    if row is None:
        raise ObjectNotFound(f"There is no deployment with id {deployment_id}.")
    return row


def show(unit: Unit, rows: Sequence[DeploymentRow]) -> list[Deployment]:
    """Deployments with their schedules and places."""
    places = find_places(unit, {row.work_queue_id for row in rows})
    schedules = schedule_queries.list_schedules(unit.connection, unit.workspace_id, [row.id for row in rows])
    limits = find_limits(unit, rows)
    used = limit_queries.count_slots(unit.connection, unit.workspace_id, unit.now) if limits else {}
    shown: list[Deployment] = []
    for row in rows:
        own = [schedule for schedule in schedules if schedule.deployment_id == row.id]
        place = None if row.work_queue_id is None else places.get(row.work_queue_id)
        limit = None if row.global_concurrency_limit_id is None else limits.get(row.global_concurrency_limit_id)
        shown.append(to_deployment(row, own, place, unit.now, limit and to_limit(limit, used, unit.now)))
    return shown


def _change(
    unit: Unit, row: DeploymentRow, columns: dict[str, Any], schedules: Sequence[Any] | UnsetType | None
) -> DeploymentRow:
    """Set columns; runs made ahead are made anew when they would be other ones now."""
    columns = columns | settle_limit(unit, row, columns)
    changed = row._replace(**columns, updated=unit.now)
    queries.change_deployment(unit.connection, unit.workspace_id, row.id, columns | {"updated": unit.now})
    if not isinstance(schedules, UnsetType):
        replace_schedules(unit, changed, schedules or [])
    if changed.paused != row.paused or any(_differs(row, changed, name) for name in OF_RUNS):
        restart_schedules(unit, changed)
    return changed


def _differs(before: DeploymentRow, after: DeploymentRow, name: str) -> bool:
    one, other = getattr(before, name), getattr(after, name)
    if name in JSON_COLUMNS and one is not None and other is not None:
        return decode_json(one) != decode_json(other)
    return one != other


def _to_columns(unit: Unit, told: dict[str, Any]) -> dict[str, Any]:
    """The columns that a request speaks of."""
    columns = {name: value for name, value in told.items() if value is not UNSET}
    names = {"work_pool_name", "work_queue_name"}
    if names & columns.keys():
        place = find_place(unit, *(columns.pop(name, None) for name in ("work_pool_name", "work_queue_name")))
        columns |= place._asdict()
    for name, value in columns.items():
        if value is None and name in NEVER_NULL:
            columns[name] = NEVER_NULL[name]
    return {name: _storable(name, value) for name, value in columns.items()}


def _storable(name: str, value: Any) -> Any:
    if value is not None and name in JSON_COLUMNS:
        return storable_json(value)
    return storable(value) if isinstance(value, str) else value


def _labels(row: DeploymentRow, more: Mapping[str, Any]) -> dict[str, Any]:
    return {**(decode_json(row.labels) if row.labels else {}), **more}
