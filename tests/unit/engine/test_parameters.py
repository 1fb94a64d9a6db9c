"""Arguments: bound, checked and converted by their annotations, with errors that name what does not fit."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Protocol, TypedDict, TypeVar, runtime_checkable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from headrace.base import errors
from headrace.engine.parameters import Signature

T = TypeVar("T")


class Model(BaseModel):
    depth: int
    rate: float = 0.1


@dataclass
class Point:
    x: int
    y: int = 0


class Row(TypedDict):
    name: str


class Plain:
    pass


class Reads(Protocol):
    def read(self) -> str: ...


@runtime_checkable
class Closes(Protocol):
    def close(self) -> None: ...


class Called:
    def __call__(self, count: int, name: str = "x") -> int:
        return count

    def method(self, count: int) -> int:
        return count


@functools.wraps(Called().method)
def wrapped(*args: Any) -> Any:
    return args


def every_kind(a: int, /, b: int, *rest: int, c: int, d: int = 4, **named: int) -> tuple[Any, ...]:
    return a, b, rest, c, d, named


def of(function: Callable[..., Any]) -> Signature:
    return Signature(function, "load")


def check(function: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    signature = of(function)
    return signature.validate(signature.bind(args, kwargs))


def typed(parameters: str) -> Callable[..., Any]:
    """A function with parameters that no type checker would let pass."""
    made: dict[str, Any] = {"Any": Any, "T": T, "sys": sys, "date": date}
    exec(f"def load({parameters}): ...", made)
    return made["load"]


# binding


def test_arguments_are_bound_by_name_with_defaults() -> None:
    bound = of(every_kind).bind((1, 2, 3, 4), {"c": 5, "e": 6})
    assert bound == {"a": 1, "b": 2, "rest": (3, 4), "c": 5, "d": 4, "named": {"e": 6}}
    assert of(every_kind).bind((1,), {"b": 2, "c": 5}) == {"a": 1, "b": 2, "rest": (), "c": 5, "d": 4, "named": {}}


@settings(max_examples=50)
@given(
    st.integers(),
    st.integers(),
    st.lists(st.integers()),
    st.integers(),
    st.dictionaries(st.sampled_from(["e", "f", "rest", "a"]), st.integers()),
)
def test_a_call_with_what_was_bound_is_the_same_call(
    a: int, b: int, rest: list[int], c: int, named: dict[str, int]
) -> None:
    signature = of(every_kind)
    args, kwargs = signature.call_arguments(signature.bind((a, b, *rest), {"c": c, **named}))
    assert every_kind(*args, **kwargs) == every_kind(a, b, *rest, c=c, **named)


def test_simple_functions_are_called_by_place() -> None:
    def simple(a: int, b: int = 2) -> int:
        return a + b

    signature = of(simple)
    assert signature.names == ("a", "b")
    assert signature.bind((1, 3), {}) == signature.bind((1,), {"b": 3}) == {"a": 1, "b": 3}
    assert signature.call_arguments({"a": 1, "b": 3}) == ((1, 3), {})


@pytest.mark.parametrize(
    ("args", "kwargs", "reason"),
    [
        ((1,), {}, "missing a required argument: 'b'"),
        ((1, 2), {}, "missing a required.* argument: 'c'"),
        ((), {"a": 1, "b": 2, "c": 3}, "'a'"),
        ((1, 2), {"b": 3, "c": 4}, "multiple values for argument 'b'"),
    ],
)
def test_arguments_that_do_not_fit_are_told_with_the_signature(
    args: tuple[Any, ...], kwargs: dict[str, Any], reason: str
) -> None:
    with pytest.raises(errors.ParameterBindError, match=reason) as caught:
        of(every_kind).bind(args, kwargs)
    assert str(caught.value).startswith("load(a: 'int', /, b: 'int', *rest: 'int', c: 'int', d: 'int' = 4, **named")
    assert isinstance(caught.value, TypeError)


def test_places_have_the_names_of_their_parameters() -> None:
    assert [of(every_kind).place(index) for index in range(3)] == ["a", "b", "argument 3"]


@pytest.mark.parametrize("name", ["wait_for", "return_state"])
def test_keywords_of_every_call_are_no_parameters(name: str) -> None:
    with pytest.raises(errors.ReservedArgumentError, match=f"'load' cannot have a parameter '{name}'"):
        of(typed(name))


# what needs no conversion


def test_what_fits_is_passed_on_as_it_is() -> None:
    plain = typed("a: int, b: str, c: list, d: dict, e: None, f: Any, g, h: bytes = b''")
    given_list = [1]
    bound = of(plain).bind((1, "b", given_list, {}, None, object(), object()), {})
    assert of(plain).validate(bound) is bound
    assert bound["c"] is given_list


def test_plain_types_do_without_pydantic() -> None:
    code = """
import sys
from headrace.engine.parameters import Signature
def train(path: str, depth: int, rate: float, dry: bool, names: list, extra: dict, other, anything: object = None): ...
signature = Signature(train, "train")
signature.validate(signature.bind(("a", 3, 0.5, True, [], {}, object()), {}))
assert "pydantic" not in sys.modules
signature.validate(signature.bind(("a", "3", 0.5, True, [], {}, object()), {}))
assert "pydantic" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_default_may_be_what_its_annotation_does_not_say() -> None:
    lenient = typed("path: str = None")
    assert check(lenient) == check(lenient, None) == {"path": None}


def test_a_default_is_converted_like_what_is_given() -> None:
    dated = typed("day: date = '2026-03-01', of: int = 'five'")
    assert check(dated, of=5) == {"day": date(2026, 3, 1), "of": 5}
    with pytest.raises(errors.ParameterTypeError, match="of='five'"):
        check(dated)


# conversions


def converted(x: int, y: float, d: date, o: int | None, m: Model, p: Point, n: list[int]) -> None: ...


def test_values_are_converted_as_their_annotations_say() -> None:
    found = check(converted, "3", 1, "2021-01-31", None, {"depth": "30"}, {"x": 1}, ("1", 2))
    assert found == {
        "x": 3, "y": 1.0, "d": date(2021, 1, 31), "o": None, "m": Model(depth=30), "p": Point(1), "n": [1, 2],
    }  # fmt: skip
    assert isinstance(found["y"], float)


def test_models_and_dataclasses_may_be_given_as_they_are() -> None:
    model, point = Model(depth=1), Point(1)
    found = check(converted, 3, 1.5, date(2021, 1, 31), 1, model, point, [1])
    assert found["m"] is model
    assert found["p"] == point


def test_arguments_by_the_handful_are_converted_one_by_one() -> None:
    assert check(every_kind, "1", "2", "3", c="4", e="5") == {
        "a": 1, "b": 2, "rest": (3,), "c": 4, "d": 4, "named": {"e": 5},
    }  # fmt: skip


def test_every_parameter_that_does_not_fit_is_named() -> None:
    with pytest.raises(errors.ParameterTypeError) as caught:
        check(converted, "three", 1, "2021-01-31", 2, {"depth": "deep"}, Point(1), [1, "two"])
    assert str(caught.value) == (
        "load was given parameters of the wrong type: "
        "x='three': input should be a valid integer, unable to parse string as an integer; "
        "m['depth']='deep': input should be a valid integer, unable to parse string as an integer; "
        "n[1]='two': input should be a valid integer, unable to parse string as an integer."
    )


def test_long_values_are_shown_cut() -> None:
    def small(x: int) -> None: ...

    with pytest.raises(errors.ParameterTypeError, match=r"x='a{76}\.\.\.: input"):
        check(small, "a" * 1000)


def test_constraints_and_choices_are_checked() -> None:
    def careful(count: Annotated[int, Field(gt=0)], mode: Literal["fast", "slow"]) -> None: ...

    assert check(careful, 1, "fast")["count"] == 1
    with pytest.raises(errors.ParameterTypeError, match=r"count=0: input should be greater than 0; mode='no': input"):
        check(careful, 0, "no")


def test_any_class_is_an_annotation() -> None:
    def arbitrary(value: Plain, many: list[Plain]) -> None: ...

    value = Plain()
    assert check(arbitrary, value, [value]) == {"value": value, "many": [value]}
    with pytest.raises(errors.ParameterTypeError, match="value=3: input should be an instance of Plain"):
        check(arbitrary, 3, [])


def test_protocols_are_checked_where_python_can() -> None:
    def structural(source: Reads, sink: Closes, many: list[Reads]) -> None: ...

    closing = open(__file__)  # noqa: SIM115, PTH123
    with closing:
        assert check(structural, 3, closing, [3]) == {"source": 3, "sink": closing, "many": [3]}
        with pytest.raises(errors.ParameterTypeError, match="sink=3: input should be an instance of Closes"):
            check(structural, closing, 3, [])


def test_what_pydantic_makes_nothing_of_is_checked_by_its_class() -> None:
    made: dict[str, Any] = {"BaseModel": BaseModel}
    exec("class Open(BaseModel):\n    value: 'Missing'\ndef load(value: Open): ...", made)
    Open: Any = made["Open"]  # noqa: N806
    instance = Open.model_construct(value=1)
    assert check(made["load"], instance) == {"value": instance}
    with pytest.raises(errors.ParameterTypeError, match="value=3: input should be an instance of Open"):
        check(made["load"], 3)


def test_annotations_that_mean_nothing_here_leave_their_parameters_unchecked() -> None:
    unclear = typed("a: 'Fraction', b: 'the_path', c: 'a path', d: '1 / 0', e: 'sys.nothing', f: T, g: int")
    assert check(unclear, 1, 2, 3, 4, 5, 6, "7") == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}


def test_typed_dictionaries_may_be_given_as_they_are() -> None:
    def listing(row: Row) -> None: ...

    assert check(listing, {"name": "x"}) == {"row": {"name": "x"}}


def test_iterators_are_not_used_up() -> None:
    def streaming(values: Iterator[int]) -> None: ...

    assert list(check(streaming, iter([1, 2]))["values"]) == [1, 2]


@pytest.mark.parametrize(
    "function",
    [Called(), Called().method, functools.partial(Called().method), wrapped],
    ids=["callable object", "method", "partial", "wrapped"],
)
def test_whatever_can_be_called_is_checked(function: Callable[..., Any]) -> None:
    assert check(function, "3")["count"] == 3
    with pytest.raises(errors.ParameterTypeError, match="count='x'"):
        check(function, "x")
