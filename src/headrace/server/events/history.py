"""The events of the past, as the contract asks for them: pages of those that a filter chooses.

The log is read in stretches, by time or by what the filter names. How much is looked at for one answer is bounded, so a
filter that hardly chooses anything gets short pages, each with the place to go on from, and nothing waits long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import structs

from headrace.gateway.administration import Administration
from headrace.rules.selection import chooses, is_called, is_then, may_choose
from headrace.schema.event import EventKind, EventStretch, LoggedEvent
from headrace.schema.wire_event import FLOW_RUN, TASK_RUN, EventFilter, EventOrder, WireEvent
from headrace.server.events.derivation import PREFIXES, Narrator

STRETCH = 500
"""How many rows of the log are read at once."""

LOOKED_AT = 10
"""How many stretches are read for one page, and to count what there is in all."""


MOST_RUNS = 200
"""How many runs may be named for the log to be asked about them alone."""


class Place(NamedTuple):
    """Where a page begins: a place in the log, and how many events of the row that is there were sent already.

    Without a number it is the beginning.
    """

    row: int | None = None
    sent: int = 0


BEGINNING = Place()


class Chosen(NamedTuple):
    """Events that were chosen, and where to go on; nowhere, after the last."""

    events: list[WireEvent]
    next: Place | None


class History:
    """The events that one filter chooses. Asks the administration, so it blocks."""

    def __init__(self, administration: Administration, wanted: EventFilter) -> None:
        self._administration = administration
        self._narrator = Narrator(administration)
        self._wanted = wanted
        self._descending = wanted.order is EventOrder.DESC
        self._kinds: list[EventKind] = [kind for kind, prefix in _KINDS if may_choose(wanted, prefix)]
        self._narrowed = narrow(wanted, "custom" in self._kinds)

    @property
    def needs_looking(self) -> bool:
        """Whether more of an event has to be known than its name and its time, to tell whether it is chosen."""
        wanted = self._wanted
        conditions = (wanted.resource, wanted.related, wanted.any_resource, wanted.text, wanted.id.id)
        return any(condition for condition in conditions)

    def take(self, limit: int, begin: Place = BEGINNING) -> Chosen:
        """At most so many events from a place on."""
        events: list[WireEvent] = []
        seen: set[str] = set()
        following: Place | None = None
        for rows, place in self._read(begin.row):
            for row, told in self._choose(rows):
                here = row + self._descending
                for number, event in enumerate(told):
                    if here == begin.row and number < begin.sent:
                        continue
                    if len(events) == limit:
                        return Chosen(events, Place(here, number))
                    if self._is_first(event, seen):
                        events.append(event)
            following = None if place is None else Place(place)
        return Chosen(events, following)

    def count(self) -> int:
        """How many events there are in all, as far as they are looked at."""
        if self.needs_looking:
            return sum(len(told) for rows, _ in self._read(None) for _, told in self._choose(rows))
        return sum(len(each.states) or 1 for rows, _ in self._read(None) for each in self.preselect(rows))

    def preselect(self, rows: list[LoggedEvent]) -> list[LoggedEvent]:
        """The rows with the states whose names and times are asked for."""
        chosen: list[LoggedEvent] = []
        for row in rows:
            if row.kind == "custom":
                if self._is_asked_for(str((row.body or {}).get("event")), row.occurred):
                    chosen.append(row)
                continue
            states = [
                state
                for state in row.states
                if self._is_asked_for(
                    f"{PREFIXES[row.kind]}{state.name or state.type.capitalize()}", state.timestamp or row.occurred
                )
            ]
            if states:
                chosen.append(structs.replace(row, states=states))
        return chosen

    def _is_asked_for(self, name: str, occurred: datetime) -> bool:
        return is_called(self._wanted.event, name) and is_then(self._wanted.occurred, occurred)

    def read_all(self, stretches: int) -> Iterator[tuple[list[LoggedEvent], int | None]]:
        """The rows of so many stretches, with the place after each."""
        return self._read(None, stretches)

    def tell(self, rows: list[LoggedEvent]) -> list[WireEvent]:
        """The events of rows that the filter chooses."""
        return [event for event in self._narrator.tell(self.preselect(rows)) if chooses(self._wanted, event)]

    def _read(self, row: int | None, stretches: int | None = None) -> Iterator[tuple[list[LoggedEvent], int | None]]:
        if not self._kinds or self._narrowed == Narrowed([]):
            return
        asked = EventStretch(
            since=self._wanted.occurred.since,
            until=self._wanted.occurred.until,
            descending=self._descending,
            place=row,
            kinds=self._kinds,
            subjects=self._narrowed.runs,
            with_task_runs=self._narrowed.with_task_runs,
            limit=STRETCH,
        )
        for _ in range(LOOKED_AT if stretches is None else stretches):
            page = self._administration.read_event_stretch(asked)
            yield page.events, page.place
            if page.place is None:
                return
            asked.place = page.place

    def _choose(self, rows: list[LoggedEvent]) -> Iterator[tuple[int, list[WireEvent]]]:
        """The events that each row gives, in order."""
        rows_of: dict[UUID, int] = {}
        for row in rows:
            ids = [state.id for state in row.states if state.id is not None] or [row.subject_id]
            rows_of.update(dict.fromkeys(ids, row.cursor.sequence))
        told: dict[int, list[WireEvent]] = {}
        for event in self.tell(rows):
            told.setdefault(rows_of[event.id], []).append(event)
        for number, events in told.items():
            yield number, events[::-1] if self._descending else events

    def _is_first(self, event: WireEvent, seen: set[str]) -> bool:
        """Whether no event of its resource is in this page, where only the newest of each is wanted."""
        if self._wanted.resource is None or not self._wanted.resource.distinct:
            return True
        name = event.resource.get("prefect.resource.id", "")
        known = name in seen
        seen.add(name)
        return not known


_KINDS: tuple[tuple[EventKind, str], ...] = (("flow-run", FLOW_RUN), ("task-run", TASK_RUN), ("custom", ""))


class Narrowed(NamedTuple):
    """The runs that all events asked for have to do with, if the filter says so; of flow runs, their task runs as well."""

    runs: list[UUID] | None = None
    with_task_runs: bool = False


def narrow(wanted: EventFilter, custom: bool) -> Narrowed:
    """What a filter says of runs: the log can tell the events of a run without looking at others.

    What a client reported of a flow run is found by it as well (`custom`), of a task run not.
    """
    prefixes = (FLOW_RUN,) if custom else (FLOW_RUN, TASK_RUN)
    if wanted.resource is not None and (runs := _read_runs(wanted.resource.id, prefixes)) is not None:
        return Narrowed(runs)
    for filters in (wanted.any_resource, wanted.related):
        for each in filters if isinstance(filters, list) else [filters]:
            if each is not None and (runs := _read_runs(each.id, (FLOW_RUN,))) is not None:
                return Narrowed(runs, with_task_runs=True)
    return Narrowed()


def _read_runs(names: list[str] | None, prefixes: tuple[str, ...]) -> list[UUID] | None:
    """The ids in names of runs; none, where something else is named."""
    if names is None or len(names) > MOST_RUNS or not all(name.startswith(prefixes) for name in names):
        return None
    found: list[UUID] = []
    for name in names:
        with suppress(ValueError):
            found.append(UUID(name.removeprefix(FLOW_RUN).removeprefix(TASK_RUN)))
    return found
