"""Emitting events of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from headrace.base import clock
from headrace.base.errors import UsageError
from headrace.base.ids import uuid7
from headrace.connect import open_session
from headrace.engine.context import RunContext, TaskContext, current
from headrace.engine.here import session_here
from headrace.engine.opening import set_opener
from headrace.schema.fact import EventFact
from headrace.schema.wire import encode_leniently, simplify
from headrace.schema.wire_event import FLOW_RUN, ID, LARGEST_EVENT, NAME, ROLE, TASK_RUN, Resource, WireEvent

set_opener(open_session)


class Event(WireEvent, kw_only=True):
    """Something that happened to `resource`, which is named by its label `prefect.resource.id`."""


def emit_event(
    event: str,
    resource: Mapping[str, str],
    occurred: datetime | None = None,
    related: Sequence[Mapping[str, str]] | None = None,
    payload: Mapping[str, Any] | None = None,
    id: UUID | None = None,  # noqa: A002 - the field's own name for it
    follows: Event | UUID | None = None,
) -> Event:
    """Say that something happened to a resource, and return the event.

    It is in the log of events soon, in order with what else this process tells, and once, however often one of the same
    `id` is emitted. `resource` is its labels, `prefect.resource.id` among them; those of `related` also say how each has to
    do with it (`prefect.resource.role`). The run this is called in is added to them. A time without a zone is UTC.
    Raises `UsageError` for what cannot be an event.
    """
    if not isinstance(event, str) or not event:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"An event is called by a text, not {event!r}.")
    if event.startswith((FLOW_RUN, TASK_RUN)):
        raise UsageError(f"{event} is for the orchestrator to say: events of your own have names of their own.")
    about = _read_labels(resource, "resource", ID)
    others = [_read_labels(each, "related resource", ID, ROLE) for each in related or ()]
    run = current.get()
    if run is not None:
        named = {each[ID] for each in others}
        others += [each for each in _tell_run(run) if each[ID] not in named]
    moment = clock.now() if occurred is None else occurred
    told = Event(
        id=id or uuid7(),
        event=event,
        occurred=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
        resource=about,
        related=others,
        payload=simplify(dict(payload or {})),
        follows=follows.id if isinstance(follows, WireEvent) else follows,
    )
    _emit(told, run)
    return told


def _emit(told: Event, run: RunContext | None) -> None:
    body: dict[str, Any] = msgspec.to_builtins(told)
    body["received"] = clock.now().isoformat()
    size = len(encode_leniently(body))
    if size > LARGEST_EVENT:
        raise UsageError(f"Event {told.event} has {size} bytes; {LARGEST_EVENT} are the most that are kept.")
    session_here().emit(
        EventFact(told.id, clock.to_micros(told.occurred), body, run.flow_run_id if run is not None else None)
    )


def _read_labels(labels: Mapping[str, str], what: str, *needed: str) -> Resource:
    """The labels, as texts. Raises `UsageError`."""
    if not isinstance(labels, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"A {what} is labels by name, such as {{'{ID}': 'shop.order.7'}}, not {labels!r:.60}.")
    for name, value in labels.items():
        if not isinstance(name, str) or not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"The labels of a {what} are texts, which {name!r}: {value!r:.60} is not.")
    for name in needed:
        if not labels.get(name):
            raise UsageError(f"A {what} needs the label {name!r}; it has {', '.join(labels) or 'none'}.")
    return dict(labels)


def _tell_run(run: RunContext) -> list[Resource]:
    """The run that executes here, as resources."""
    found: list[Resource] = []
    if run.flow_run is not None:
        flow_run = run.flow_run
        found.append({ID: f"{FLOW_RUN}{flow_run.flow_run_id}", ROLE: "flow-run", NAME: flow_run.name})
    if isinstance(run, TaskContext):
        found.append({ID: f"{TASK_RUN}{run.task_run_id}", ROLE: "task-run", NAME: run.name})
    return found
