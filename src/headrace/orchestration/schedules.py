"""Schedules of deployments, and the runs that are made for them ahead of their time.

A run made for a schedule has an idempotency key of what stays the same when a deployment is made anew: the deployment,
the schedule's slug, the instant. So each instant has one run, however many schedulers there are and whatever they see.
When a schedule changes, the runs made ahead that nobody has started are deleted, and the scheduler makes others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET

from headrace.base.clock import to_datetime
from headrace.base.errors import InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.deployment_slots import leave_slots
from headrace.orchestration.flow_runs import Origin
from headrace.orchestration.parameters import check_some_parameters
from headrace.orchestration.proposals import propose
from headrace.orchestration.unit import Unit
from headrace.rules.occurrences import check_schedule
from headrace.rules.transitions import CANCELLED, SCHEDULED
from headrace.rules.turns import skipped
from headrace.schema.orchestration import Proposal
from headrace.schema.run import CreatedBy, FlowRunCreate
from headrace.schema.schedule import DeploymentScheduleCreate, DeploymentScheduleUpdate, Schedule
from headrace.schema.state import StateCreate, StateDetails
from headrace.schema.wire import decode_json
from headrace.storage import deletions
from headrace.storage import schedules as queries
from headrace.storage.deployment_rows import DeploymentRow, ScheduleRow
from headrace.storage.texts import storable, storable_json

MADE_BY = "SCHEDULE"
TAG = "auto-scheduled"
"""The tag of runs that a schedule made."""

Asked = DeploymentScheduleCreate | DeploymentScheduleUpdate


def replace_schedules(unit: Unit, deployment: DeploymentRow, wanted: Sequence[Asked]) -> None:
    """Give a deployment these schedules and no others. What stays the same keeps its runs."""
    rows = [_to_row(unit, deployment, asked) for asked in wanted]
    _refuse_twins(rows)
    left = queries.list_schedules(unit.connection, unit.workspace_id, [deployment.id])
    kept: list[tuple[ScheduleRow, ScheduleRow]] = []
    added: list[ScheduleRow] = []
    for asked, row in zip(wanted, rows, strict=True):
        known = _find_known(left, row, asked)
        if known is None:
            added.append(row)
        else:
            left.remove(known)
            kept.append((known, row))
    _delete(unit, deployment, left)
    for known, row in kept:
        _replace(unit, deployment, known, row)
    for row in added:
        queries.insert_schedule(unit.connection, unit.workspace_id, row)


def add_schedules(
    unit: Unit, deployment: DeploymentRow, wanted: Sequence[DeploymentScheduleCreate]
) -> list[ScheduleRow]:
    """Add schedules, each in the place of the one that it replaces. Raises `ObjectAlreadyExists` for a slug in use."""
    made: list[ScheduleRow] = []
    for asked in wanted:
        row = _to_row(unit, deployment, asked)
        known = queries.list_schedules(unit.connection, unit.workspace_id, [deployment.id])
        replaced = next((each for each in known if asked.replaces is not None and each.slug == asked.replaces), None)
        _refuse_twins([row, *(each for each in known if each is not replaced)])
        if replaced is None:
            queries.insert_schedule(unit.connection, unit.workspace_id, row)
        else:
            row = _replace(unit, deployment, replaced, row)
        made.append(row)
    return made


def update_schedule(unit: Unit, deployment: DeploymentRow, schedule_id: UUID, update: DeploymentScheduleUpdate) -> None:
    """Change what the update names. Raises `ObjectNotFound`, and `ObjectAlreadyExists` for a slug in use."""
    known = _find(unit, deployment, schedule_id)
    row = known
    if isinstance(update.schedule, Schedule):
        row = row._replace(schedule=_to_json(unit, update.schedule))
    if isinstance(update.active, bool):
        row = row._replace(active=update.active)
    if update.max_scheduled_runs is not UNSET:
        row = row._replace(max_scheduled_runs=update.max_scheduled_runs)
    if update.parameters is not UNSET:
        check_some_parameters(deployment, update.parameters)
        row = row._replace(parameters=storable_json(update.parameters))
    if update.slug is not UNSET:
        row = row._replace(slug=update.slug and storable(update.slug))
    if update.catchup is not UNSET:
        row = row._replace(catchup=update.catchup)
    if update.max_lateness is not UNSET:
        row = row._replace(max_lateness=_to_duration(update.max_lateness))
    if update.overlap is not UNSET:
        row = row._replace(overlap=update.overlap)
    others = queries.list_schedules(unit.connection, unit.workspace_id, [deployment.id])
    _refuse_twins([row, *(each for each in others if each.id != known.id)])
    _replace(unit, deployment, known, row)


def delete_schedule(unit: Unit, deployment: DeploymentRow, schedule_id: UUID) -> None:
    """Delete a schedule, with the runs made for it that nobody has started. Raises `ObjectNotFound`."""
    _delete(unit, deployment, [_find(unit, deployment, schedule_id)])


def restart_schedules(unit: Unit, deployment: DeploymentRow) -> None:
    """Make the runs of a deployment's schedules anew, as it is now; none of one that is paused."""
    for schedule in queries.list_schedules(unit.connection, unit.workspace_id, [deployment.id]):
        _restart(unit, deployment, schedule)


def settle_runs(unit: Unit, deployment_id: UUID, message: str) -> None:
    """End the runs of a deployment that nobody has started: those a schedule made are deleted, others are cancelled."""
    for run_id, scheduled, _ in queries.find_waiting_runs(unit.connection, unit.workspace_id, deployment_id):
        if scheduled:
            leave_slots(unit, run_id)
            deletions.delete_flow_run(unit.connection, unit.workspace_id, run_id)
        else:
            propose(unit, Proposal(flow_run_id=run_id, state=StateCreate(type=CANCELLED, message=message)))


def skip_missed(unit: Unit, schedule: ScheduleRow, since: int, now: int, kept: Sequence[int]) -> int:
    """Skip the runs made ahead for slots that passed while nobody looked, but for those that are kept; how many."""
    found = queries.find_missed_runs(unit.connection, unit.workspace_id, schedule.id, since, now)
    state = skipped("Its time passed while no scheduler was looking.")
    passed = [run_id for run_id, slot in found if slot not in kept]
    for run_id in passed:
        propose(unit, Proposal(flow_run_id=run_id, state=state))
    return len(passed)


def describe_run(deployment: DeploymentRow, schedule: ScheduleRow, instant: int) -> tuple[FlowRunCreate, Origin]:
    """The run that a schedule makes for an instant."""
    time = to_datetime(instant)
    details = StateDetails(scheduled_time=time)
    labels = decode_json(deployment.labels) if deployment.labels else None
    request = FlowRunCreate(
        flow_id=deployment.flow_id,
        deployment_id=deployment.id,
        state=StateCreate(type=SCHEDULED, message="Made by a schedule.", state_details=details),
        parameters={**decode_json(deployment.parameters), **decode_json(schedule.parameters)},
        tags=[*dict.fromkeys([*decode_json(deployment.tags), TAG])],
        labels=labels,
        idempotency_key=f"schedule {deployment.id} {schedule.key} {time.isoformat()}",
    )
    maker = CreatedBy(id=schedule.id, type=MADE_BY, display_value=schedule.slug)
    return request, Origin(deployment.version, auto_scheduled=True, created_by=maker)


def _find(unit: Unit, deployment: DeploymentRow, schedule_id: UUID) -> ScheduleRow:
    for row in queries.list_schedules(unit.connection, unit.workspace_id, [deployment.id]):
        if row.id == schedule_id:
            return row
    raise ObjectNotFound(f"Deployment {deployment.name!r} has no schedule with id {schedule_id}.")


def _find_known(known: Sequence[ScheduleRow], row: ScheduleRow, asked: Asked) -> ScheduleRow | None:
    """The schedule whose place another takes: the one it replaces, of the same slug, or unnamed and saying the same."""
    names = [asked.replaces] if isinstance(asked.replaces, str) else []
    for each in known:
        if each.slug is not None and each.slug in names:
            return each
    return next((each for each in known if each.key == row.key), None)


def _to_row(unit: Unit, deployment: DeploymentRow, asked: Asked) -> ScheduleRow:
    if not isinstance(asked.schedule, Schedule):
        raise InvalidRequest(f"A new schedule of deployment {deployment.name!r} has to say when it is due.")
    active = asked.active if isinstance(asked.active, bool) else True
    most = asked.max_scheduled_runs
    parameters: dict[str, Any] = {} if asked.parameters is UNSET else asked.parameters
    check_some_parameters(deployment, parameters)
    return ScheduleRow(
        id=uuid7(),
        deployment_id=deployment.id,
        slug=storable(asked.slug) if isinstance(asked.slug, str) else None,
        schedule=_to_json(unit, asked.schedule),
        active=active,
        max_scheduled_runs=most if isinstance(most, int) else None,
        parameters=storable_json(parameters),
        look_at=unit.now if active and not deployment.paused else None,
        created=unit.now,
        updated=unit.now,
        catchup=None if asked.catchup is UNSET else asked.catchup,
        max_lateness=None if asked.max_lateness is UNSET else _to_duration(asked.max_lateness),
        overlap=None if asked.overlap is UNSET else asked.overlap,
    )


def _to_duration(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000_000)


def _to_json(unit: Unit, schedule: Schedule) -> str:
    check_schedule(schedule, unit.now)
    return storable_json(schedule)


def _refuse_twins(rows: Sequence[ScheduleRow]) -> None:
    slugs = [row.slug for row in rows if row.slug is not None]
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise ObjectAlreadyExists(f"There is a schedule with slug {slug!r} already.")


def _replace(unit: Unit, deployment: DeploymentRow, known: ScheduleRow, row: ScheduleRow) -> ScheduleRow:
    """Put a schedule in the place of a known one; if its runs would be other ones, they are made anew."""
    row = row._replace(id=known.id, created=known.created, look_at=known.look_at, updated=unit.now)
    changed: dict[str, Any] = row._asdict()
    queries.change_schedules(unit.connection, unit.workspace_id, [known.id], changed)
    if _runs(row) != _runs(known):
        _restart(unit, deployment, row)
    return row


def _runs(row: ScheduleRow) -> tuple[Any, ...]:
    """What the runs of a schedule follow from."""
    return (row.slug, decode_json(row.schedule), row.active, row.max_scheduled_runs, decode_json(row.parameters))


def _restart(unit: Unit, deployment: DeploymentRow, row: ScheduleRow) -> None:
    """Delete the runs made ahead and have others made. Runs that are due already stay, unless all is to rest.

    The schedule is changed first: a scheduler that is just making runs for it has either finished or sees that. One that
    was to be looked at already still is, from then on: no slot is lost to several changes one after another.
    """
    rests = deployment.paused or not row.active
    look_at = None if rests else min(unit.now, unit.now if row.look_at is None else row.look_at)
    queries.change_schedules(unit.connection, unit.workspace_id, [row.id], {"look_at": look_at, "updated": unit.now})
    _forget_runs(unit, deployment, [row.id], None if rests else unit.now)


def _delete(unit: Unit, deployment: DeploymentRow, rows: Sequence[ScheduleRow]) -> None:
    if rows:
        ids = [row.id for row in rows]
        queries.delete_schedules(unit.connection, unit.workspace_id, ids)
        _forget_runs(unit, deployment, ids, None)


def _forget_runs(unit: Unit, deployment: DeploymentRow, schedule_ids: Sequence[UUID], after: int | None) -> None:
    """Delete the runs made for schedules that nobody has started, those due later than `after`."""
    for run_id, scheduled, maker in queries.find_waiting_runs(unit.connection, unit.workspace_id, deployment.id, after):
        if scheduled and maker in schedule_ids:
            leave_slots(unit, run_id)
            deletions.delete_flow_run(unit.connection, unit.workspace_id, run_id)
