"""How triggers that are made of others get on: which of those have fired, and when."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct, field

from headrace.rules.windows import SECOND, Mood
from headrace.schema.action import read_seconds
from headrace.schema.trigger import CompoundTrigger, SequenceTrigger


class Composition(Struct, omit_defaults=True):
    """Where a composite trigger stands: for triggers of it, by their place, an instant.

    Of a compound trigger it is when each fired last. Of a sequence it is when the latest row of firings began that has come
    to that place.
    """

    fired: dict[int, int] = field(default_factory=dict[int, int])


class Progress(NamedTuple):
    """Where a composite trigger stands (None: nothing is remembered), and whether it fires."""

    composition: Composition | None
    fires: bool = False


def hear(
    trigger: CompoundTrigger | SequenceTrigger, composition: Composition | None, place: int, at: int, mood: Mood
) -> Progress:
    """What it makes of it that one of its triggers has fired, or that what one fired for is over."""
    fired = dict(composition.fired) if composition is not None else {}
    if isinstance(trigger, SequenceTrigger):
        return _go_on(trigger, fired, place, at) if mood == "Triggered" else Progress(_keep(fired))
    if mood == "Resolved":
        fired.pop(place, None)
        return Progress(_keep(fired))
    fired[place] = max(at, fired.get(place, at))
    last = max(fired.values())
    recent = {each: instant for each, instant in fired.items() if _is_within(trigger, instant, last)}
    if len(recent) >= count_required(trigger):
        return Progress(None, fires=True)
    return Progress(_keep(recent))


def count_required(trigger: CompoundTrigger) -> int:
    """How many of its triggers have to fire."""
    return {"any": 1, "all": len(trigger.triggers)}.get(str(trigger.require)) or int(trigger.require)


def _go_on(trigger: SequenceTrigger, fired: dict[int, int], place: int, at: int) -> Progress:
    begun = at if place == 0 else fired.get(place - 1)
    if begun is not None and _is_within(trigger, begun, at):
        if place == len(trigger.triggers) - 1:
            return Progress(None, fires=True)
        fired[place] = max(begun, fired.get(place, begun))
    return Progress(_keep(fired))


def _keep(fired: dict[int, int]) -> Composition | None:
    return Composition(fired) if fired else None


def _is_within(trigger: CompoundTrigger | SequenceTrigger, begun: int, last: int) -> bool:
    return trigger.within is None or last - begun <= read_seconds(trigger.within, "within") * SECOND
