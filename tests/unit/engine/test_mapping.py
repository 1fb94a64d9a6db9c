from __future__ import annotations

import io
from typing import Any

import pytest

from headrace.base import errors
from headrace.engine.futures import FutureList, UpstreamFailed, allow_failure, quote, unmapped
from headrace.engine.mapping import spread
from headrace.engine.parameters import Signature
from headrace.states import Completed
from tests.unit.engine.test_futures import ended, failed


def add(x: Any, y: Any = 10, *more: Any, **named: Any) -> Any:
    return x + y


def mapped(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
    return spread(Signature(add, "add"), "add", args, kwargs)


def pairs(*args: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
    return [(run["x"], run["y"]) for run in mapped(*args, **kwargs)]


def test_each_run_gets_one_item_of_each_argument() -> None:
    assert pairs([1, 2], y=(3, 4)) == [(1, 3), (2, 4)]
    assert pairs([1, 2], range(2)) == [(1, 0), (2, 1)]


def test_what_cannot_be_iterated_is_given_to_every_run() -> None:
    assert pairs([1, 2], 3) == [(1, 3), (2, 3)]
    assert pairs([1, 2]) == [(1, 10), (2, 10)]


@pytest.mark.parametrize("value", ["text", b"bytes", io.StringIO("lines"), quote([1, 2])])
def test_texts_files_and_quotes_are_not_taken_apart(value: Any) -> None:
    assert pairs([1, 2], value) == [(1, value), (2, value)]


def test_what_is_unmapped_is_given_to_every_run() -> None:
    assert pairs([1, 2], unmapped([3, 4])) == [(1, [3, 4]), (2, [3, 4])]


def test_iterators_are_taken_apart_once() -> None:
    assert pairs(iter([1, 2]), (value for value in [3, 4])) == [(1, 3), (2, 4)]


def test_dictionaries_give_their_keys() -> None:
    assert pairs({"a": 1, "b": 2}) == [("a", 10), ("b", 10)]


def test_nothing_to_map_over_makes_no_runs() -> None:
    assert pairs([]) == []


def test_a_future_of_a_list_is_waited_for_and_taken_apart() -> None:
    assert pairs(ended([1, 2]), Completed(data=[3, 4])) == [(1, 3), (2, 4)]


def test_futures_in_a_list_are_left_to_the_runs() -> None:
    futures = FutureList([ended(1), ended(2)])
    assert [run["x"] for run in mapped(futures)] == [*futures]


def test_a_future_that_failed_makes_no_runs() -> None:
    with pytest.raises(UpstreamFailed):
        mapped(failed())


def test_failures_are_allowed_run_by_run() -> None:
    runs = mapped(allow_failure([failed(), 2]), allow_failure(unmapped([3])))
    assert [type(run["x"]) for run in runs] == [allow_failure, allow_failure]
    assert runs[1]["x"].value == 2
    assert [run["y"].value for run in runs] == [[3], [3]]


def test_a_failure_that_is_allowed_and_cannot_be_iterated_is_given_to_every_run() -> None:
    marked = allow_failure(failed())
    assert pairs([1, 2], marked) == [(1, marked), (2, marked)]


def test_lengths_must_be_the_same() -> None:
    with pytest.raises(
        errors.MappingLengthMismatch, match=r"add.map needs arguments of the same length; got {'x': 2, 'y': 1}"
    ):
        mapped([1, 2], y=[3])


def test_something_must_be_iterable() -> None:
    with pytest.raises(
        errors.MappingMissingIterable, match=r"add.map needs an argument to iterate; got only \['x', 'y'\]"
    ):
        mapped(1, y=unmapped([3]))


def test_arguments_must_fit_the_function() -> None:
    with pytest.raises(errors.ParameterBindError, match="add"):
        mapped([1], x=[2])
    with pytest.raises(errors.UsageError, match="'argument 3': 1"):
        mapped([1, 2], [3, 4], [5])


def test_places_and_names_beyond_the_parameters_are_mapped_as_well() -> None:
    runs = mapped([1, 2], [3, 4], [5, 6], z=[7, 8])
    assert runs == [
        {"x": 1, "y": 3, "more": (5,), "named": {"z": 7}},
        {"x": 2, "y": 4, "more": (6,), "named": {"z": 8}},
    ]
