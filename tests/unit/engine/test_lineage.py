from __future__ import annotations

import gc
from typing import Any
from uuid import uuid4

import pytest

from headrace.engine import lineage
from headrace.engine.lineage import Lineage

RUN = uuid4()


class Model:
    pass


class Slotted:
    __slots__ = ()


@pytest.mark.parametrize("value", [Model(), [1], (1, 2), {"a": 1}, {1}, frozenset({1}), len])
def test_a_value_is_known_by_its_identity(value: Any) -> None:
    made = Lineage()
    made.record(value, RUN)
    assert made.origin(value) == RUN
    assert made.origin(Model()) is None


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "text", b"bytes", 1j])
def test_plain_values_come_from_nowhere(value: Any) -> None:
    made = Lineage()
    made.record(value, RUN)
    made.record([value], RUN)
    assert made.origin(value) is None


def test_nothing_is_known_before_anything_is_recorded() -> None:
    assert Lineage().origin([]) is None


def test_what_short_sequences_hold_is_known_as_well() -> None:
    made = Lineage()
    train, dictionary, validation = Model(), {"a": 1}, [Model()]
    made.record((train, dictionary, 3, validation), RUN)
    assert [made.origin(value) for value in (train, dictionary, validation)] == [RUN] * 3
    assert made.origin(validation[0]) is None


def test_what_long_sequences_hold_is_not() -> None:
    made = Lineage()
    values = [Model() for _ in range(33)]
    made.record(values, RUN)
    assert made.origin(values) == RUN
    assert made.origin(values[0]) is None


def test_values_are_not_kept_alive() -> None:
    made = Lineage()
    model = Model()
    made.record(model, RUN)
    origins: dict[int, Any] = made._origins  # pyright: ignore[reportPrivateUsage]
    _, mark, _ = origins[id(model)]
    del model
    gc.collect()
    assert mark() is None


def test_what_can_be_neither_watched_nor_measured_is_let_be() -> None:
    made, value = Lineage(), Slotted()
    made.record(value, RUN)
    assert made.origin(value) is None


@pytest.mark.parametrize("later", [Model(), Slotted(), {1: 1, 2: 2, 3: 3}, [1, 2], 3.5 + 2j, len])
def test_another_value_at_the_same_place_in_memory_is_told_apart(later: Any) -> None:
    made, before = Lineage(), [1, 2, 3]
    made.record(before, RUN)
    origins: dict[int, Any] = made._origins  # pyright: ignore[reportPrivateUsage]
    origins[id(later)] = origins.pop(id(before))  # as if `before` were gone and `later` had got its place
    assert made.origin(later) is None


def test_another_object_at_the_place_of_a_watched_one_is_told_apart() -> None:
    made, before, later = Lineage(), Model(), Model()
    made.record(before, RUN)
    origins: dict[int, Any] = made._origins  # pyright: ignore[reportPrivateUsage]
    origins[id(later)] = origins.pop(id(before))
    assert made.origin(later) is None


def test_a_value_belongs_to_the_run_that_made_it_last() -> None:
    made, value, again = Lineage(), Model(), uuid4()
    made.record(value, RUN)
    made.record(value, again)
    assert made.origin(value) == again


def test_the_oldest_are_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "_REMEMBERED", 2)
    made = Lineage()
    models = [Model() for _ in range(3)]
    for model in models:
        made.record(model, RUN)
    assert [made.origin(model) for model in models] == [None, RUN, RUN]
