"""What goes after a while, in small pieces: each function deletes at most so many rows, found by an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, delete, exists, not_, or_, select, text

from headrace.storage import tables as t
from headrace.storage.artifacts import delete_artifacts
from headrace.storage.database import Connection
from headrace.storage.hints import by_index

PASSING = text("kind IN ('custom', 'slots', 'background')")
"""Events that are no states of runs, in the words of their index."""


def find_ended_runs(connection: Connection, workspace_id: UUID, before: int, limit: int) -> list[UUID]:
    """Flow runs that ended before an instant, the first first."""
    run = t.flow_runs.c
    query = select(run.id).where(run.workspace_id == workspace_id, run.end_time < before)
    return [row[0] for row in connection.select(query.order_by(run.end_time, run.id).limit(limit))]


def find_ended_task_runs(connection: Connection, workspace_id: UUID, before: int, limit: int) -> list[UUID]:
    """Task runs without a flow run that ended before an instant."""
    run = t.task_runs.c
    query = select(run.id).where(run.workspace_id == workspace_id, run.end_time < before, run.flow_run_id.is_(None))
    # Few are as old, since those of flow runs go with them; without a flow run there may be many.
    query = by_index(query, t.task_runs, "ix_task_runs_end_time").order_by(run.end_time)
    return [row[0] for row in connection.select(query.limit(limit))]


def list_task_runs_of(connection: Connection, workspace_id: UUID, flow_run_id: UUID, limit: int) -> list[UUID]:
    """Some task runs of a flow run."""
    run = t.task_runs.c
    query = select(run.id).where(run.flow_run_id == flow_run_id, run.workspace_id == workspace_id)
    return [row[0] for row in connection.select(query.limit(limit))]


def list_kept(
    connection: Connection, workspace_id: UUID, flow_run_id: UUID | None, task_run_ids: Sequence[UUID]
) -> list[tuple[str, str]]:
    """Where the values are that runs kept: key and location, each once."""
    result = t.results.c
    found: set[tuple[str, str]] = set()
    for of in _of_runs(t.results, flow_run_id, task_run_ids):
        query = select(result.storage_key, result.location).where(result.workspace_id == workspace_id, of)
        found |= {(row[0], row[1]) for row in connection.select(query)}
    return sorted(found)


def is_kept(connection: Connection, workspace_id: UUID, storage_key: str, location: str) -> bool:
    """Whether a record still names the value."""
    result = t.results.c
    own = [result.workspace_id == workspace_id, result.storage_key == storage_key, result.location == location]
    return bool(connection.select(select(result.id).where(*own).limit(1)))


def list_locations(
    connection: Connection, workspace_id: UUID, after: UUID | None, limit: int
) -> list[tuple[UUID, str]]:
    """Where values are, by the ids of their records, after one of them."""
    result = t.results.c
    query = select(result.id, result.location).where(result.workspace_id == workspace_id)
    if after is not None:
        query = query.where(result.id > after)
    return [(row[0], row[1]) for row in connection.select(query.order_by(result.id).limit(limit))]


def delete_logs_of(connection: Connection, workspace_id: UUID, flow_run_id: UUID, limit: int) -> int:
    """Delete some log lines of a flow run; how many."""
    log = t.logs.c
    some = select(log.sequence).where(log.flow_run_id == flow_run_id, log.workspace_id == workspace_id).limit(limit)
    return connection.change(delete(t.logs).where(log.sequence.in_(some)))


def delete_events_of(connection: Connection, workspace_id: UUID, flow_run_id: UUID, limit: int) -> int:
    """Delete some events of a flow run whose task runs are gone; how many."""
    event = t.events.c
    some = select(event.id).where(event.subject_id == flow_run_id, event.workspace_id == workspace_id).limit(limit)
    return connection.change(delete(t.events).where(event.id.in_(some)))


def delete_lost_logs(connection: Connection, workspace_id: UUID, before: int, limit: int) -> int:
    """Delete some log lines from before an instant that belong to no run that is there; how many."""
    log = t.logs.c
    flow_run = exists().where(t.flow_runs.c.workspace_id == workspace_id, t.flow_runs.c.id == log.flow_run_id)
    task_run = exists().where(t.task_runs.c.workspace_id == workspace_id, t.task_runs.c.id == log.task_run_id)
    lost = [log.workspace_id == workspace_id, log.timestamp < before, not_(or_(flow_run, task_run))]
    some = select(log.sequence).where(*lost).order_by(log.timestamp).limit(limit)
    return connection.change(delete(t.logs).where(log.sequence.in_(some)))


def delete_passing_events(connection: Connection, workspace_id: UUID, before: int, limit: int) -> int:
    """Delete some events from before an instant that are no states of runs; how many."""
    event = t.events.c
    passed = [event.workspace_id == workspace_id, event.occurred < before, PASSING]
    some = select(event.id).where(*passed).order_by(event.occurred).limit(limit)
    return connection.change(delete(t.events).where(event.id.in_(some)))


def delete_silent(connection: Connection, workspace_id: UUID, before: int, limit: int) -> int:
    """Delete marks of journals and workers that nobody has heard of since an instant; how many."""
    journal, worker = t.journals.c, t.workers.c
    old = select(journal.journal_id).where(journal.workspace_id == workspace_id, journal.updated < before).limit(limit)
    gone = connection.change(
        delete(t.journals).where(journal.workspace_id == workspace_id, journal.journal_id.in_(old))
    )
    silent = select(worker.id).where(worker.workspace_id == workspace_id, worker.last_heartbeat_time < before)
    return gone + connection.change(
        delete(t.workers).where(worker.workspace_id == workspace_id, worker.id.in_(silent.limit(limit)))
    )


def delete_lost_statuses(connection: Connection, workspace_id: UUID, limit: int) -> int:
    """Forget what was told of pools, queues, deployments and workers that are gone; how many."""
    told = t.told_statuses.c
    lost: list[ColumnElement[bool]] = []
    for kind, table in SUBJECTS.items():
        there = exists().where(table.c.workspace_id == workspace_id, table.c.id == told.subject_id)
        lost.append(and_(told.kind == kind, ~there))
    some = select(told.subject_id).where(told.workspace_id == workspace_id, or_(*lost)).limit(limit)
    return connection.change(
        delete(t.told_statuses).where(told.workspace_id == workspace_id, told.subject_id.in_(some))
    )


SUBJECTS: dict[str, Table] = {
    "deployment": t.deployments,
    "work-pool": t.work_pools,
    "work-queue": t.work_queues,
    "worker": t.workers,
}
"""Of what it is told whether it is served."""


def delete_task_runs(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> int:
    """Delete task runs with all that they left; how many there were."""
    artifact, run = t.artifacts.c, t.task_runs.c
    left: list[tuple[Table, Any]] = [
        (t.events, t.events.c.subject_id),
        (t.task_run_tags, t.task_run_tags.c.run_id),
        (t.background_runs, t.background_runs.c.task_run_id),
        (t.logs, t.logs.c.task_run_id),
        (t.results, t.results.c.task_run_id),
    ]
    for table, column in left:
        connection.change(delete(table).where(table.c.workspace_id == workspace_id, column.in_(ids)))
    delete_artifacts(
        connection,
        workspace_id,
        select(artifact.id).where(artifact.workspace_id == workspace_id, artifact.task_run_id.in_(ids)),
    )
    return connection.change(delete(t.task_runs).where(run.workspace_id == workspace_id, run.id.in_(ids)))


def _of_runs(table: Table, flow_run_id: UUID | None, task_run_ids: Sequence[UUID]) -> list[ColumnElement[bool]]:
    """Rows of a flow run, and rows of task runs: each on its own, because no index serves an OR of the two."""
    found: list[ColumnElement[bool]] = []
    if task_run_ids:
        found.append(table.c.task_run_id.in_(task_run_ids))
    if flow_run_id is not None:
        found.append(table.c.flow_run_id == flow_run_id)
    return found
