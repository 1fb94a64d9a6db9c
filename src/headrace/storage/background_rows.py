"""Rows of background runs and task workers, and the wire types they become. Imports no SQLAlchemy (`storage.rows`)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.schema.task_worker import TaskWorker
from headrace.schema.wire import decode_json


class BackgroundRow(NamedTuple):
    """A row of background_runs."""

    task_run_id: UUID
    task_key: str
    parameters_id: UUID | None
    scheduled: int
    due: int | None
    holder_id: UUID | None
    epoch: int
    deaths: int
    created: int
    updated: int


class TaskWorkerRow(NamedTuple):
    """A row of task_workers."""

    id: UUID
    name: str
    task_keys: str
    created: int
    updated: int


def to_task_worker(row: TaskWorkerRow) -> TaskWorker:
    """The worker of a row."""
    return TaskWorker(identifier=row.name, task_keys=decode_json(row.task_keys), timestamp=to_datetime(row.updated))
