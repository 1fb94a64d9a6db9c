"""The event log: appended to in the transaction of whatever happened, read by cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.orchestration.unit import Unit
from headrace.rules.bookkeeping import in_order
from headrace.schema.event import Cursor, EventKind, EventPage, LoggedEvent
from headrace.schema.fact import EventFact, StateFact
from headrace.schema.report import EventReport
from headrace.schema.state import State
from headrace.schema.wire import decode_json
from headrace.storage import compiled
from headrace.storage.rows import to_facts, to_state
from headrace.storage.texts import storable_json

FLOW_RUN: Final = "flow-run"
TASK_RUN: Final = "task-run"
CUSTOM: Final = "custom"
SLOTS: Final = "slots"
"""Somebody who waits for slots, named as the subject, may have them now."""

BACKGROUND: Final = "background"
"""A background run, named as the subject, is due, or has ended."""

LATE: Final = "late"
"""States reported under an epoch that is over, or after the run was ended from outside: part of its history, but nothing
that happened to it."""

KINDS: Final[tuple[EventKind, ...]] = (FLOW_RUN, TASK_RUN, CUSTOM, SLOTS, BACKGROUND)
"""What happened; what is late is no news."""

EventRow = tuple[str, UUID, UUID | None, int, str]
"""A row of events: kind, subject, flow run, occurred, body."""


def pack(states: Sequence[StateFact]) -> str:
    """The states of one run in as few bytes as they can be told in."""
    return storable_json([_short(state) for state in states])


def event_row(
    kind: Literal["flow-run", "task-run", "late"], subject: UUID, flow_run_id: UUID | None, states: Sequence[StateFact]
) -> EventRow:
    """The row that tells of states a run entered."""
    return kind, subject, flow_run_id, states[-1].timestamp, pack(states)


def append(unit: Unit, rows: Sequence[EventRow]) -> None:
    """Append events."""
    if rows:
        unit.insert(compiled.insert_events, rows)


def append_custom(unit: Unit, told: Sequence[EventFact | EventReport]) -> None:
    """Append what is no state of a run, each once by its id."""
    if not told:
        return
    each_once = {event.id: event for event in told}
    for subject, _, _ in unit.fetch(compiled.find_history, ids=list(each_once)):
        each_once.pop(subject, None)
    append(
        unit,
        [
            (CUSTOM, event.id, event.flow_run_id, event.occurred, storable_json(event.body))
            for event in each_once.values()
        ],
    )


def load_histories(unit: Unit, ids: Iterable[UUID], *, late: bool = False) -> dict[UUID, list[StateFact]]:
    """The states that moved each of the runs, and the `late` ones if wanted, in the order in which they were recorded."""
    told = {FLOW_RUN, TASK_RUN, LATE} if late else {FLOW_RUN, TASK_RUN}
    histories: dict[UUID, list[StateFact]] = {}
    for subject, kind, body in unit.fetch(compiled.find_history, ids=list(ids)):
        if kind in told:
            histories.setdefault(subject, []).extend(to_facts(body))
    return histories


def list_states(unit: Unit, run_id: UUID) -> list[State]:
    """Every state a run was in or was said to be in, oldest first, each once."""
    rows = unit.fetch(compiled.find_history, ids=[run_id])
    told = {FLOW_RUN, TASK_RUN, LATE}
    facts = [fact for _, kind, body in rows if kind in told for fact in to_facts(body)]
    return [to_state(run_id, fact) for fact in in_order(facts)]


def read_events(unit: Unit, after: Cursor, limit: int, kinds: tuple[EventKind, ...]) -> EventPage:
    """The events after a cursor, in order; of some kinds, if any are given."""
    rows = unit.fetch(compiled.read_events, transaction=after.transaction, sequence=after.sequence, limit=limit)
    if not rows:
        return EventPage(events=[], cursor=after)
    wanted = (row for row in rows if (row[2] in kinds if kinds else row[2] != LATE))
    events = [to_event(*row) for row in wanted]
    return EventPage(events=events, cursor=Cursor(rows[-1][0], rows[-1][1]))


def last_cursor(unit: Unit) -> Cursor:
    """Where the log ends now."""
    return Cursor(*unit.fetch(compiled.find_end_of_log)[0])


def _short(state: StateFact) -> StateFact | tuple[Any, ...]:
    """A state without the fields at its end that say nothing."""
    if state.details or state.data is not None:
        return state
    told = (state.ordinal, state.type, state.name, state.timestamp)
    return told if state.message is None else (*told, state.message)


def to_event(
    xid: int, sequence: int, kind: Any, subject: UUID, flow_run_id: UUID | None, occurred: int, body: str
) -> LoggedEvent:
    """The event of a row."""
    of_run = kind in {FLOW_RUN, TASK_RUN}
    return LoggedEvent(
        cursor=Cursor(xid, sequence),
        kind=kind,
        subject_id=subject,
        occurred=to_datetime(occurred),
        flow_run_id=flow_run_id,
        states=[to_state(subject, fact) for fact in to_facts(body)] if of_run else [],
        body=None if of_run else decode_json(body),
    )
