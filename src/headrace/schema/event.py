"""The event log: every accepted transition, in the order of its cursor."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct, field

from headrace.schema.state import State
from headrace.schema.wire import Wire

EventKind = Literal["flow-run", "task-run", "custom", "slots", "background"]


class Cursor(Struct, frozen=True, order=True, array_like=True):
    """A place in the event log. Events after it are those not seen yet; the beginning is `Cursor(0, 0)`."""

    transaction: int = 0
    sequence: int = 0


class LoggedEvent(Wire, kw_only=True):
    """Something that happened to `subject_id`: the states it entered, in order.

    Of kind `slots` it tells the request for slots with that id, which waits in line, that it may get them now. Of kind
    `background` it tells that the background run with that id, of the task `body["task_key"]`, is due (`body["due"]`) or has
    ended.
    """

    cursor: Cursor
    kind: EventKind
    subject_id: UUID
    occurred: datetime
    flow_run_id: UUID | None = None
    states: list[State] = field(default_factory=list[State])
    body: dict[str, Any] | None = None


class EventPage(Wire, kw_only=True):
    """A stretch of the event log, and where to read on."""

    events: list[LoggedEvent]
    cursor: Cursor
