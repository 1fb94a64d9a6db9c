"""Wide queries on the schedules of deployments, and on the runs made for them ahead of their time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from headrace.storage import compiled
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.deployment_rows import ScheduleRow
from headrace.storage.hints import by_index

_schedule = t.deployment_schedules.c


def list_schedules(connection: Connection, workspace_id: UUID, deployment_ids: Sequence[UUID]) -> list[ScheduleRow]:
    """The schedules of deployments, oldest first."""
    query = select(*(_schedule[name] for name in ScheduleRow._fields))
    own = [_schedule.workspace_id == workspace_id, _schedule.deployment_id.in_(deployment_ids)]
    return [ScheduleRow._make(row) for row in connection.select(query.where(*own).order_by(_schedule.id))]


def find_schedules_to_look_at(connection: Connection, workspace_id: UUID, now: int, limit: int) -> list[ScheduleRow]:
    """Schedules that need further runs by now, those that have waited longest first."""
    asked = {"workspace_id": workspace_id, "now": now, "limit": limit}
    return [ScheduleRow._make(row) for row in connection.fetch(compiled.find_schedules_to_look_at, asked)]


def list_catching_up(connection: Connection, workspace_id: UUID, after: UUID | None, limit: int) -> list[ScheduleRow]:
    """Schedules at work that say what becomes of slots nobody saw pass, by id."""
    query = select(*(_schedule[name] for name in ScheduleRow._fields))
    query = query.where(
        _schedule.workspace_id == workspace_id, _schedule.catchup.is_not(None), _schedule.look_at.is_not(None)
    )
    if after is not None:
        query = query.where(_schedule.id > after)
    return [ScheduleRow._make(row) for row in connection.select(query.order_by(_schedule.id).limit(limit))]


def find_missed_runs(
    connection: Connection, workspace_id: UUID, schedule_id: UUID, since: int, until: int
) -> list[tuple[UUID, int]]:
    """The runs of a schedule that nobody has started, due after `since` and up to `until`: id, and when each was due."""
    run = t.flow_runs.c
    found = [
        run.workspace_id == workspace_id,
        run.created_by_id == schedule_id,
        run.next_scheduled_start_time > since,
        run.next_scheduled_start_time <= until,
        run.epoch == 0,
    ]
    query = select(run.id, run.next_scheduled_start_time).where(*found)
    return [(row[0], row[1]) for row in connection.select(query)]


def find_made_slots(connection: Connection, workspace_id: UUID, schedule_id: UUID, first: int, last: int) -> set[int]:
    """The instants from `first` to `last` for which there is a run that a schedule made, started or not."""
    run = t.flow_runs.c
    found = [
        run.workspace_id == workspace_id,
        run.expected_start_time >= first,
        run.expected_start_time <= last,
        run.created_by_id == schedule_id,
    ]
    return {row[0] for row in connection.select(select(run.expected_start_time).where(*found))}


def find_passed_slots(connection: Connection, workspace_id: UUID, now: int, limit: int) -> list[UUID]:
    """Runs that nobody has started within the time that their schedule gives them, at most so many."""
    asked = {"workspace_id": workspace_id, "now": now, "limit": limit}
    return [row[0] for row in connection.fetch(compiled.find_passed_slots, asked)]


def find_runs_awaiting(
    connection: Connection, workspace_id: UUID, state_name: str, limit: int
) -> list[tuple[UUID, UUID]]:
    """Runs in a state of that name which a schedule made, by id: which run, and which schedule."""
    asked = {"workspace_id": workspace_id, "state_name": state_name, "limit": limit}
    return [(row[0], row[1]) for row in connection.fetch(compiled.find_runs_awaiting, asked)]


def insert_schedule(connection: Connection, workspace_id: UUID, row: ScheduleRow) -> None:
    """Keep a schedule."""
    connection.change(t.deployment_schedules.insert().values(workspace_id=workspace_id, **row._asdict()))


def change_schedules(
    connection: Connection, workspace_id: UUID, schedule_ids: Sequence[UUID], changed: dict[str, Any]
) -> None:
    """Set columns of schedules."""
    own = (_schedule.workspace_id == workspace_id) & _schedule.id.in_(schedule_ids)
    connection.change(update(t.deployment_schedules).where(own).values(changed))


def move_on(connection: Connection, workspace_id: UUID, seen: ScheduleRow, look_at: int | None) -> bool:
    """Say when to look at a schedule again; False when it is not as it was seen any more."""
    as_seen = [
        _schedule.workspace_id == workspace_id,
        _schedule.id == seen.id,
        _schedule.look_at == seen.look_at,
        _schedule.updated == seen.updated,
        _schedule.schedule == seen.schedule,
    ]
    return bool(connection.change(update(t.deployment_schedules).where(*as_seen).values(look_at=look_at)))


def delete_schedules(connection: Connection, workspace_id: UUID, schedule_ids: Sequence[UUID]) -> None:
    """Delete schedules."""
    own = (_schedule.workspace_id == workspace_id) & _schedule.id.in_(schedule_ids)
    connection.change(delete(t.deployment_schedules).where(own))


def find_waiting_runs(
    connection: Connection, workspace_id: UUID, deployment_id: UUID, after: int | None = None
) -> list[tuple[UUID, bool, UUID | None]]:
    """The runs of a deployment that nobody has started, due later than `after`: id, whether a schedule made it, which."""
    run, deployment = t.flow_runs.c, t.deployments.c
    its_flow = select(deployment.flow_id).where(deployment.workspace_id == workspace_id, deployment.id == deployment_id)
    found = [
        run.workspace_id == workspace_id,
        run.flow_id == its_flow.scalar_subquery(),
        run.next_scheduled_start_time.is_not(None) if after is None else run.next_scheduled_start_time > after,
        run.deployment_id == deployment_id,
        run.epoch == 0,
    ]
    query = select(run.id, run.auto_scheduled, run.created_by_id).where(*found)
    # Not by its deployment: that would be all the runs it ever had.
    query = by_index(query, t.flow_runs, "ix_flow_runs_next_of_flow")
    return [(row[0], row[1], row[2]) for row in connection.select(query)]


def find_overdue_runs(
    connection: Connection, workspace_id: UUID, state_name: str, before: int, limit: int
) -> list[UUID]:
    """Runs in a state of that name that somebody should have started before an instant."""
    run = t.flow_runs.c
    overdue = [run.workspace_id == workspace_id, run.state_name == state_name, run.next_scheduled_start_time < before]
    query = by_index(select(run.id).where(*overdue), t.flow_runs, "ix_flow_runs_waiting")
    return [row[0] for row in connection.select(query.order_by(run.next_scheduled_start_time).limit(limit))]
