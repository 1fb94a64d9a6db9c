"""The event log: every accepted transition, in the order of its cursor."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from headrace.schema.state import State
from headrace.schema.wire import Request, Wire

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


class EventStretch(Request, kw_only=True):
    """Asks for a stretch of the log by time: what was recorded from about `since` until about `until`, newest first if
    `descending`. `place` is where the stretch before it ended.

    Only events of some `kinds` and about some `subjects`, if any are named: runs, what clients reported of those that are
    flow runs, and if `with_task_runs` their task runs.
    """

    since: datetime | None = None
    until: datetime | None = None
    descending: bool = True
    place: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    kinds: list[EventKind] | None = None
    subjects: Annotated[list[UUID], Meta(max_length=200)] | None = None
    with_task_runs: bool = False
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class StretchOfEvents(Wire, kw_only=True):
    """A stretch of the log, and the place to go on from; none at its end.

    There may be no events in it and more behind it: not all that was asked for may be looked at in one go.
    """

    events: list[LoggedEvent]
    place: int | None = None


class EventPage(Wire, kw_only=True):
    """A stretch of the event log, and where to read on."""

    events: list[LoggedEvent]
    cursor: Cursor
