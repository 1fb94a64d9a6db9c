"""How triggers that are made of others hear of those."""

from typing import Any

import pytest

from headrace.rules.compositions import Composition, hear
from headrace.rules.windows import SECOND, Mood
from headrace.schema.trigger import AnyTrigger, CompoundTrigger, EventTrigger, SequenceTrigger

ONE = [EventTrigger(), EventTrigger(), EventTrigger()]
Heard = tuple[int, int] | tuple[int, int, Mood]
"""A second, and which of the triggers says something then; that it fires, unless it says otherwise."""


def compound(require: Any, within: float | None = None) -> CompoundTrigger:
    triggers: list[AnyTrigger] = [*ONE]
    return CompoundTrigger(triggers=triggers, require=require, within=within)


def sequence(within: float | None = None) -> SequenceTrigger:
    triggers: list[AnyTrigger] = [*ONE]
    return SequenceTrigger(triggers=triggers, within=within)


CASES: dict[str, tuple[CompoundTrigger | SequenceTrigger, list[Heard], list[int]]] = {
    "any": (compound("any"), [(1, 2), (2, 2), (3, 0)], [1, 2, 3]),
    "all": (compound("all"), [(1, 2), (2, 2), (3, 0), (900, 1), (901, 1)], [900]),
    "all in time": (compound("all", 10), [(0, 0), (5, 1), (12, 2), (14, 0)], [14]),
    "two": (compound(2), [(0, 0), (1, 0), (2, 1), (3, 2)], [2]),
    "out of order": (compound(2, 10), [(8, 0), (0, 1)], [0]),
    "over meanwhile": (compound(2), [(0, 0), (1, 0, "Resolved"), (2, 1), (3, 2)], [3]),
    "over, and never was": (compound(2), [(1, 0, "Resolved"), (2, 1), (3, 2)], [3]),
    "in a row": (sequence(), [(0, 0), (1, 1), (2, 2), (3, 2)], [2]),
    "not in a row": (sequence(), [(0, 1), (1, 0), (2, 2), (3, 1), (4, 2)], [4]),
    "the later beginning counts": (sequence(10), [(0, 0), (8, 0), (9, 1), (17, 2)], [17]),
    "an earlier row goes on": (sequence(10), [(0, 0), (1, 1), (5, 0), (9, 2)], [9]),
    "too slow": (sequence(10), [(0, 0), (5, 1), (11, 2)], []),
    "too slow between": (sequence(10), [(0, 0), (11, 1), (12, 2)], []),
    "what is over is no step": (sequence(), [(0, 0), (1, 1, "Resolved"), (2, 2)], []),
}


@pytest.mark.parametrize(("trigger", "heard", "fires"), CASES.values(), ids=CASES)
def test_it_fires_when_enough_have(
    trigger: CompoundTrigger | SequenceTrigger, heard: list[Heard], fires: list[int]
) -> None:
    fired: list[int] = []
    composition: Composition | None = None
    for second, place, *mood in heard:
        progress = hear(trigger, composition, place, second * SECOND, mood[0] if mood else "Triggered")
        composition = progress.composition
        if progress.fires:
            fired.append(second)
    assert fired == fires


def test_nothing_heard_is_nothing_remembered() -> None:
    assert hear(compound("all"), None, 0, 1, "Resolved").composition is None
    assert hear(sequence(), None, 2, 1, "Triggered").composition is None
