"""Log lines of runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from headrace.schema.wire import Request, Stored, Wire


class LogCreate(Request, kw_only=True):
    """One line to keep. `level` is Python's logging level."""

    name: str
    level: int
    message: str
    timestamp: datetime
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class Log(Stored, kw_only=True):
    """One kept line."""

    name: str
    level: int
    message: str
    timestamp: datetime
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class LogTail(Wire, kw_only=True):
    """The newest lines, and the place in the order of writing from which to go on."""

    logs: list[Log]
    place: int


class LogSort(StrEnum):
    """Orders of a list of log lines."""

    TIMESTAMP_ASC = "TIMESTAMP_ASC"
    TIMESTAMP_DESC = "TIMESTAMP_DESC"
