"""Schemas of parameters: what a form shows, and what the parameters of a run are checked by."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from headrace.base.errors import InvalidRequest
from headrace.engine.parameter_schemas import describe_parameters
from headrace.engine.parameters import Signature
from headrace.rules.arguments import check_arguments


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Tree(BaseModel):
    depth: int = Field(default=6, ge=1, description="How deep it may grow.")
    leaf: Callable[[], int] | None = None


class Forest(BaseModel):
    trees: list[Tree]
    seen: Any = Field(default=object())


@dataclass
class Point:
    x: int
    y: int = 0


class Plain:
    pass


def typed(parameters: str) -> Callable[..., Any]:
    """A function with parameters that no type checker would let pass."""
    made = {"Callable": Callable, "Plain": Plain, "Odd": Annotated[str, Field(pattern="(")]}
    exec("from __future__ import annotations\n" + f"def load({parameters}): ...", made)
    return made["load"]  # pyright: ignore[reportReturnType]


def describe(function: Callable[..., Any]) -> dict[str, Any]:
    schema = describe_parameters(Signature(function, "load"))
    json.dumps(schema, allow_nan=False)
    check = {"properties": schema["properties"], "definitions": schema.get("definitions", {})}
    check_arguments(check, {})
    return schema


def test_a_flow_without_parameters_has_an_empty_object() -> None:
    def load() -> None: ...

    assert describe(load) == {"title": "Parameters", "type": "object", "properties": {}}


def test_types_places_and_defaults_are_told() -> None:
    def load(
        url: str,
        limit: int = 3,
        *,
        rate: float | None = None,
        mode: Literal["fast", "slow"] = "fast",
        since: datetime = datetime(2026, 1, 2, tzinfo=UTC),
        names: list[str] = ["a"],  # noqa: B006 - people write it
        anything: Any = None,
    ) -> None: ...

    schema = describe(load)
    assert schema["required"] == ["url"]
    assert "definitions" not in schema
    assert schema["properties"] == {
        "url": {"type": "string", "title": "url", "position": 0},
        "limit": {"type": "integer", "title": "limit", "position": 1, "default": 3},
        "rate": {"anyOf": [{"type": "number"}, {"type": "null"}], "title": "rate", "position": 2, "default": None},
        "mode": {"type": "string", "enum": ["fast", "slow"], "title": "mode", "position": 3, "default": "fast"},
        "since": {
            "type": "string",
            "format": "date-time",
            "title": "since",
            "position": 4,
            "default": "2026-01-02T00:00:00Z",
        },
        "names": {"type": "array", "items": {"type": "string"}, "title": "names", "position": 5, "default": ["a"]},
        "anything": {"title": "anything", "position": 6, "default": None},
    }


def test_models_dataclasses_and_enums_are_definitions() -> None:
    origin = Point(1)

    def load(forest: Forest, start: Point = origin, colour: Colour = Colour.RED) -> None: ...

    schema = describe(load)
    assert schema["properties"]["forest"] == {"$ref": "#/definitions/Forest", "title": "forest", "position": 0}
    assert schema["properties"]["start"]["default"] == {"x": 1, "y": 0}
    assert schema["properties"]["colour"] == {
        "$ref": "#/definitions/Colour",
        "title": "colour",
        "position": 2,
        "default": "red",
    }
    assert schema["definitions"].keys() == {"Colour", "Forest", "Point", "Tree"}
    assert schema["definitions"]["Tree"]["properties"]["depth"]["minimum"] == 1
    assert "default" not in schema["definitions"]["Forest"]["properties"]["seen"]


def test_what_refers_to_definitions_is_checked_by_them() -> None:
    def load(start: Point, more: dict[str, list[Point]] = {}) -> None: ...  # noqa: B006 - people write it

    schema = describe(load)
    check_arguments(schema, {"start": {"x": 1}, "more": {"a": [{"x": 1, "y": 2}]}})
    with pytest.raises(InvalidRequest, match=r"more\.a\.0\.x"):
        check_arguments(schema, {"start": {"x": 1}, "more": {"a": [{"x": "one"}]}})
    with pytest.raises(InvalidRequest, match='"start" is a required property'):
        check_arguments(schema, {})


def test_what_says_nothing_in_json_may_be_anything() -> None:
    load = typed("one: Plain, two: Callable[[], int], three: Missing, four: type = 1, five: Odd = 2, six=3, *, seven")

    schema = describe(load)
    assert [schema["properties"][name] for name in ("one", "two", "three")] == [
        {"title": "one", "position": 0},
        {"title": "two", "position": 1},
        {"title": "three", "position": 2},
    ]
    assert schema["properties"]["five"] == {"title": "five", "position": 4, "default": 2}
    assert schema["properties"]["six"] == {"title": "six", "position": 5, "default": 3}
    assert schema["required"] == ["one", "two", "three", "seven"]


def test_a_default_that_json_cannot_hold_is_left_out() -> None:
    loop: list[Any] = []
    loop.append(loop)
    plain = Plain()

    def load(
        a: Any = plain, b: float = math.nan, c: Any = loop, d: Path = Path("x"), e: timedelta | None = None
    ) -> None: ...

    schema = describe(load)
    assert "required" not in schema
    assert [name for name, each in schema["properties"].items() if "default" in each] == ["d", "e"]
    assert schema["properties"]["d"]["default"] == "x"


def test_the_rest_of_a_call_is_a_list_and_a_mapping() -> None:
    def load(first: int, /, *rest: int, **named: date) -> None: ...

    free = typed("*rest, **named")

    assert describe(load)["required"] == ["first"]
    assert describe(load)["properties"]["rest"] == {
        "type": "array",
        "items": {"type": "integer"},
        "title": "rest",
        "position": 1,
        "default": [],
    }
    assert describe(load)["properties"]["named"]["additionalProperties"] == {"type": "string", "format": "date"}
    assert describe(free)["properties"]["rest"] == {
        "type": "array",
        "items": {},
        "title": "rest",
        "position": 0,
        "default": [],
    }
    assert describe(free)["properties"]["named"]["type"] == "object"


def test_what_a_field_says_is_kept() -> None:
    def load(depth: Annotated[int, Field(ge=1, title="Depth", description="How deep.")] = 2) -> None: ...

    assert describe(load)["properties"]["depth"] == {
        "type": "integer",
        "minimum": 1,
        "title": "depth",
        "description": "How deep.",
        "position": 0,
        "default": 2,
    }


def google(url: str, limit: int = 3, *rest: str) -> None:
    """Load it.

    Args:
        url: Where it is,
            in full.
        limit (int): How many.
        *rest: What else.
    """


def numpy(url: str, limit: int = 3, *rest: str) -> None:
    """Load it.

    Parameters
    ----------
    url : str
        Where it is,
        in full.
    limit
        How many.
    *rest
        What else.
    """


def sphinx(url: str, limit: int = 3, *rest: str) -> None:
    """Load it.

    :param url: Where it is,
        in full.
    :param limit: How many.
    :param rest: What else.
    """


@pytest.mark.parametrize("function", [google, numpy, sphinx])
def test_the_docstring_describes_parameters(function: Callable[..., Any]) -> None:
    told = {name: each.get("description") for name, each in describe(function)["properties"].items()}
    assert told == {"url": "Where it is, in full.", "limit": "How many.", "rest": "What else."}


def test_a_docstring_that_makes_no_sense_describes_nothing() -> None:
    def load(url: str) -> None:
        """: :param"""

    assert describe(load)["properties"] == {"url": {"type": "string", "title": "url", "position": 0}}


def test_nothing_is_imported_before_a_schema_is_asked_for() -> None:
    program = (
        "import sys, headrace.engine.parameter_schemas; print({'pydantic', 'docstring_parser'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
