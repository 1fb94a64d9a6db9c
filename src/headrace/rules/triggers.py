"""How the trigger of an automation gets on: an event, or time, is taken to the triggers it matters to, and what those say is
told to those that are made of them.

What a trigger remembers is kept by its place: its id, and for event triggers the values of the labels for each of which it
counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from headrace.rules.chains import UNCAUSED, Cause, deeper
from headrace.rules.compositions import Composition, hear
from headrace.rules.metrics import Watching, look
from headrace.rules.resources import has_labels, has_related, is_among, read_values
from headrace.rules.windows import Mood, Window, pass_time, take
from headrace.schema.trigger import (
    AnyTrigger,
    CompositeTrigger,
    CompoundTrigger,
    EventTrigger,
    MetricTrigger,
    SequenceTrigger,
)
from headrace.schema.wire import encode_json
from headrace.schema.wire_event import ID, WireEvent

OF_AUTOMATIONS = ("prefect.automation", "headrace.automation")
"""With what the names of events, and of resources, begin that automations tell of themselves."""

Values = dict[str, str | None]
"""The values of labels for which something is counted."""
Bucket = Window | Composition | Watching
"""What one trigger remembers."""


class Place(NamedTuple):
    """Where what a trigger remembers is kept."""

    trigger_id: UUID
    key: str = ""


class Signal(NamedTuple):
    """What a trigger says, when that was so, for which values of labels, and what automations led to it."""

    mood: Mood
    at: int
    values: Values
    cause: Cause = UNCAUSED


class Kept(NamedTuple):
    """What is kept at a place: for which values of labels, and what automations led to what is remembered."""

    bucket: Bucket
    values: Values
    cause: Cause = UNCAUSED


class Memory:
    """What triggers remember, as it was (`found`) and as it has become."""

    def __init__(self, found: Mapping[Place, Kept]) -> None:
        self._now = dict(found)
        self._touched: dict[Place, None] = {}

    def get(self, place: Place) -> Kept | None:
        """What is kept at the place."""
        return self._now.get(place)

    def put(self, place: Place, bucket: Bucket | None, values: Values, cause: Cause) -> Cause:
        """Keep something at the place, or nothing; what automations led to it, or to what was there, if those were more."""
        before = self._now.get(place)
        deepest = cause if before is None else deeper(before.cause, cause)
        self._touched[place] = None
        if bucket is None:
            self._now.pop(place, None)
        else:
            self._now[place] = Kept(bucket, values, deepest)
        return deepest

    def changes(self) -> Iterator[tuple[Place, Kept | None]]:
        """The places something was done to, and what is kept there now."""
        for place in self._touched:
            yield place, self._now.get(place)


def key_of(values: Values) -> str:
    """The key of values of labels: short, however long they are."""
    return sha256(encode_json(values).encode()).hexdigest()[:32] if values else ""


def may_matter(trigger: AnyTrigger, kind: str) -> bool:
    """Whether an event whose name begins with `kind` may matter to a trigger, as far as names tell."""
    if isinstance(trigger, CompositeTrigger):
        return any(may_matter(child, kind) for child in trigger.triggers)
    if isinstance(trigger, MetricTrigger):
        return False
    wanted = [*trigger.after, *trigger.expect]
    starts = [name.removesuffix("*") for name in wanted]
    return not trigger.expect or any(start.startswith(kind) or kind.startswith(start) for start in starts)


def find_places(trigger: AnyTrigger, event: WireEvent) -> list[Place]:
    """The places that an event may change."""
    if isinstance(trigger, EventTrigger):
        return [_place(trigger, event)] if any(_says(trigger, event)) else []
    if isinstance(trigger, MetricTrigger):
        return []
    below = [place for child in trigger.triggers for place in find_places(child, event)]
    return [Place(_id(trigger)), *below] if below else []


def take_event(trigger: AnyTrigger, event: WireEvent, at: int, memory: Memory, cause: Cause = UNCAUSED) -> list[Signal]:
    """What an event that occurred `at` an instant makes a trigger say. `cause` is what automations led to it."""
    if isinstance(trigger, MetricTrigger):
        return []
    if isinstance(trigger, CompositeTrigger):
        # From the last on, so that no event is two steps of a sequence.
        children = reversed([*enumerate(trigger.triggers)])
        heard = [(number, take_event(child, event, at, memory, cause)) for number, child in children]
        return [said for number, signals in heard for said in _tell(trigger, number, signals, memory)]
    expected, opens = _says(trigger, event)
    if not (expected or opens):
        return []
    values = read_values(trigger.for_each, event.resource, event.related)
    place = Place(_id(trigger), key_of(values))
    kept = memory.get(place)
    window = kept.bucket if kept is not None and isinstance(kept.bucket, Window) else None
    step = take(trigger, window, at, expected=expected, opens=opens)
    deepest = memory.put(place, step.window, values, cause)
    return [Signal(mood, at, values, deepest) for mood in step.says]


def take_time(trigger: AnyTrigger, place: Place, now: int, memory: Memory) -> list[Signal]:
    """What it makes a trigger say that time has come for what is kept at a place."""
    if isinstance(trigger, CompositeTrigger):
        heard = [(number, take_time(child, place, now, memory)) for number, child in enumerate(trigger.triggers)]
        return [said for number, signals in heard for said in _tell(trigger, number, signals, memory)]
    kept = memory.get(place)
    if kept is None or trigger.id != place.trigger_id:
        return []
    if not isinstance(trigger, EventTrigger) or not isinstance(kept.bucket, Window):
        return []
    step = pass_time(trigger, kept.bucket, now)
    deepest = memory.put(place, step.window, kept.values, UNCAUSED)
    return [Signal(mood, now, kept.values, deepest) for mood in step.says]


def take_figures(trigger: AnyTrigger, figures: Mapping[UUID, float | None], now: int, memory: Memory) -> list[Signal]:
    """What figures, by the triggers that watch them, make a trigger say."""
    if isinstance(trigger, CompositeTrigger):
        heard = [(number, take_figures(child, figures, now, memory)) for number, child in enumerate(trigger.triggers)]
        return [said for number, signals in heard for said in _tell(trigger, number, signals, memory)]
    if not isinstance(trigger, MetricTrigger):
        return []
    place = Place(_id(trigger))
    kept = memory.get(place)
    watching = kept.bucket if kept is not None and isinstance(kept.bucket, Watching) else None
    reading = look(trigger.metric, watching, figures.get(place.trigger_id), now)
    if reading.watching != watching:
        memory.put(place, reading.watching, {}, UNCAUSED)
    return [] if reading.says is None else [Signal(reading.says, now, {})]


def _tell(
    trigger: CompoundTrigger | SequenceTrigger, number: int, signals: list[Signal], memory: Memory
) -> Iterator[Signal]:
    """What a composite trigger says to what one of its triggers said."""
    place = Place(_id(trigger))
    for signal in signals:
        kept = memory.get(place)
        composition = kept.bucket if kept is not None and isinstance(kept.bucket, Composition) else None
        progress = hear(trigger, composition, number, signal.at, signal.mood)
        deepest = memory.put(place, progress.composition, {}, signal.cause)
        if progress.fires:
            yield Signal("Triggered", signal.at, signal.values, deepest)


def _says(trigger: EventTrigger, event: WireEvent) -> tuple[bool, bool]:
    """Whether an event is one that a trigger expects, and whether it is one that others have to follow."""
    opens = bool(trigger.after) and is_among(event.event, trigger.after)
    expected = is_among(event.event, trigger.expect)
    if not (opens or expected) or (event.event.startswith(OF_AUTOMATIONS) and not _hears_automations(trigger)):
        return False, False
    meant = has_labels(event.resource, trigger.match) and has_related(event.related, trigger.match_related)
    return expected and meant, opens and meant


def _hears_automations(trigger: EventTrigger) -> bool:
    """Whether a trigger names what automations tell of themselves. Who asks for everything means what others do."""
    resources = trigger.match.get(ID, ())
    names = [*trigger.after, *trigger.expect, *([resources] if isinstance(resources, str) else resources)]
    return any(name.startswith(OF_AUTOMATIONS) for name in names)


def _place(trigger: EventTrigger, event: WireEvent) -> Place:
    return Place(_id(trigger), key_of(read_values(trigger.for_each, event.resource, event.related)))


def _id(trigger: AnyTrigger) -> UUID:
    assert trigger.id is not None
    return trigger.id
