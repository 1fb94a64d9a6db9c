import enum
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from headrace.storage.texts import cut, storable, storable_json


class Colour(enum.Enum):
    RED = "red"


class Point(msgspec.Struct):
    x: int
    label: str


class Pair(msgspec.Struct, array_like=True):
    left: Any
    right: Any


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("plain", "plain"),
        ("ünïcødé 🐟", "ünïcødé 🐟"),
        ("nul \0 here", "nul \ufffd here"),
        ("half \ud83d of 🐟", "half \ufffd of 🐟"),
        ("", ""),
    ],
)
def test_text_is_stored_as_it_is_or_with_what_cannot_be_replaced(text: str, stored: str) -> None:
    assert storable(text) == stored
    stored.encode()


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"a": [1, 2.5, None, True]}, '{"a":[1,2.5,null,true]}'),
        ("nul \0", '"nul \\ufffd"'),
        ("backslash \\u0000 written out", '"backslash \\\\u0000 written out"'),
        ("backslash \\\0", '"backslash \\\\\\ufffd"'),
        ("half \ud83d", '"half \ufffd"'),
        ({"\ud83d": {"\ud83d": (1, 2)}}, '{"\ufffd":{"\ufffd":[1,2]}}'),
        ([2**70, -(2**70)], f"[{2**70},{-(2**70)}]"),
        ([16**5000], f'["0x1{5000 * "0"}"]'),
        (float("nan"), "null"),
        ({(1, 2): 3}, '{"(1, 2)":3}'),
        ([Colour.RED, "\ud800"], '["red","\ufffd"]'),
        ([Point(1, "\ud800"), 1], '[{"x":1,"label":"\ufffd"},1]'),
        (Pair(Point(1, "\ud800"), [False]), '[{"x":1,"label":"\ufffd"},[false]]'),
        ([UUID(int=1), "\ud800"], f'["{UUID(int=1)}","\ufffd"]'),
        ([datetime(2026, 1, 2, tzinfo=UTC), "\ud800"], '["2026-01-02T00:00:00Z","\ufffd"]'),
    ],
)
def test_json_is_stored_whatever_it_holds(value: Any, stored: str) -> None:
    assert storable_json(value) == stored


def test_what_json_has_no_form_for_is_shown() -> None:
    assert storable_json([object, "\ud800"]) == """["<class 'object'>","\ufffd"]"""
    assert sorted(msgspec.json.decode(storable_json([{1, 2}, "\ud800"]))[0]) == [1, 2]


@pytest.mark.parametrize("text", ["x" * 100, "é" * 50, "short"])
def test_what_fits_is_not_cut(text: str) -> None:
    assert cut(text, 100) == text


@pytest.mark.parametrize("text", ["x" * 301, "é" * 151, "🐟" * 76])
def test_what_does_not_fit_is_cut_and_says_so(text: str) -> None:
    short = cut(text, 300)
    assert len(short.encode()) <= 300
    assert short.endswith(f"… [cut: {len(text.encode())} bytes were logged, 300 are the most that are kept]")
    assert text.startswith(short.partition("…")[0])
