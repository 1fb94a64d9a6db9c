from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.base import errors
from headrace.engine.serializers import (
    SERIALIZERS,
    CompressedJSONSerializer,
    CompressedPickleSerializer,
    CompressedSerializer,
    JSONSerializer,
    PickleSerializer,
    find_serializer,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@dataclass
class Point:
    x: int
    y: int


class Unpicklable:
    def __reduce__(self) -> NoReturn:
        raise OSError("a socket, say")


class Backwards:
    """A user's own serializer, for texts."""

    type = "backwards"

    def dumps(self, value: Any) -> bytes:
        return str(value)[::-1].encode()

    def loads(self, payload: bytes) -> Any:
        return payload.decode()[::-1]


@settings(max_examples=50)
@given(PLAIN)
def test_plain_data_survives_both(value: Any) -> None:
    for serializer in (PickleSerializer(), JSONSerializer()):
        assert serializer.loads(serializer.dumps(value)) == value


def test_pickle_keeps_objects() -> None:
    serializer = PickleSerializer()
    assert serializer.loads(serializer.dumps({Point(1, 2).x: (Point(1, 2), {3})})) == {1: (Point(1, 2), {3})}


def test_what_pickle_refuses_goes_through_cloudpickle() -> None:
    offset = 2

    def add(value: int) -> int:
        return value + offset

    restored = PickleSerializer().loads(PickleSerializer().dumps(add))
    assert restored(40) == 42


def test_what_neither_can_pickle_is_named() -> None:
    with pytest.raises(errors.SerializationError, match=r"type Unpicklable cannot be pickled: a socket, say"):
        PickleSerializer().dumps(Unpicklable())


@pytest.mark.parametrize("payload", [b"", b"no pickle", pickle.dumps(Point(1, 2)).replace(b"Point", b"Paint")])
def test_bytes_that_are_no_pickle_are_refused(payload: bytes) -> None:
    with pytest.raises(errors.SerializationError, match="cannot be unpickled"):
        PickleSerializer().loads(payload)


def test_json_writes_times_and_dataclasses() -> None:
    written = JSONSerializer().dumps([Point(1, 2), datetime(2026, 3, 1, tzinfo=UTC)])
    assert JSONSerializer().loads(written) == [{"x": 1, "y": 2}, "2026-03-01T00:00:00Z"]


@pytest.mark.parametrize("value", [object(), "half \ud83d", {(1, 2): 3}])
def test_what_json_cannot_write_is_refused(value: object) -> None:
    with pytest.raises(errors.SerializationError, match=rf"type {type(value).__name__} cannot be written as JSON"):
        JSONSerializer().dumps(value)


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff"])
def test_bytes_that_are_no_json_are_refused(payload: bytes) -> None:
    with pytest.raises(errors.SerializationError, match="is no JSON"):
        JSONSerializer().loads(payload)


def test_serializers_are_found_by_name() -> None:
    assert find_serializer(None) is None
    assert find_serializer("json") is SERIALIZERS["json"]
    with pytest.raises(errors.UsageError, match="no serializer 'yaml': choose one of pickle, json"):
        find_serializer("yaml")


def test_a_serializer_of_the_users_own_is_known_by_its_type_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERIALIZERS, "backwards", JSONSerializer())
    own = Backwards()
    assert find_serializer(own) is own
    assert find_serializer("backwards") is own


def test_ours_may_be_given_as_objects() -> None:
    own = PickleSerializer()
    assert find_serializer(own) is own
    assert find_serializer("pickle") is not own


def test_nobody_takes_the_name_of_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backwards, "type", "pickle")
    with pytest.raises(errors.UsageError, match="Backwards cannot have the type 'pickle'"):
        find_serializer(Backwards())


@pytest.mark.parametrize("library", ["lzma", "bz2", "gzip", "zlib"])
@pytest.mark.parametrize("inner", ["pickle", "json"])
def test_compressed_values_come_back_and_their_type_says_how(library: str, inner: str) -> None:
    value = [{"rows": "a" * 10_000}]
    made = CompressedSerializer(inner, library)
    payload = made.dumps(value)
    assert len(payload) < 1_000
    again = find_serializer(made.type)
    assert again is not None
    assert again.loads(payload) == value
    assert find_serializer(made) is made


def test_compressed_serializers_by_name_and_class() -> None:
    assert CompressedPickleSerializer().type == "compressed/pickle"
    assert CompressedJSONSerializer("zlib").type == "compressed-zlib/json"
    with pytest.raises(errors.UsageError, match="one of lzma, bz2, gzip, zlib, not 'brotli'"):
        find_serializer("compressed-brotli/json")
    with pytest.raises(errors.UsageError, match="There is no serializer 'xml'"):
        find_serializer("compressed/xml")
    with pytest.raises(errors.SerializationError, match="cannot be decompressed"):
        CompressedPickleSerializer().loads(b"no such thing")
