"""What all wire types have in common, and the one encoder and decoder for JSON kept in the database."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec import Struct

Parameters = dict[str, Any]
Labels = dict[str, bool | int | float | str]


class Wire(Struct, kw_only=True):
    """Base of the types that answers carry. Unknown fields are ignored when decoding."""


class Request(Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of the types that requests carry. A field that does not exist is an error, not a silent loss."""


class Stored(Wire, kw_only=True):
    """What every stored object has."""

    id: UUID
    created: datetime | None = None
    updated: datetime | None = None


def _plain(value: Any) -> Any:
    """Give values JSON has no form for a readable one, rather than refuse the whole document."""
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    if issubclass(kind, (set, frozenset)):
        return list(value)
    if issubclass(kind, PurePath):
        return str(value)
    if hasattr(kind, "model_dump"):  # a model of pydantic's
        return value.model_dump(mode="json")
    if getattr(value, "shape", None) == ():  # a number of numpy's
        return value.item()
    return repr(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_packer = msgspec.msgpack.Encoder(enc_hook=_plain)
_SURROGATE = re.compile("[\ud800-\udfff]")
_decode = msgspec.json.Decoder().decode

DEEPEST = 64
"""How deep lists and objects may be nested in what others send."""


class NestedTooDeeply(msgspec.DecodeError):
    """JSON is nested deeper than the interpreter can follow."""


def decode_json(text: str | bytes) -> Any:
    """Plain JSON to plain Python values; raises `msgspec.DecodeError` for what is none, or nested to do harm."""
    try:
        return _decode(text)
    except RecursionError:
        raise NestedTooDeeply("JSON is nested too deeply") from None


def measure_depth(value: Any) -> int:
    """How many lists and objects are around the innermost value."""
    level = [value]
    depth = 0
    while level := [
        each
        for holder in level
        if isinstance(holder, (dict, list))
        for each in (cast("dict[str, Any]", holder).values() if isinstance(holder, dict) else cast("list[Any]", holder))
    ]:
        depth += 1
    return depth


def encode_json(value: Any) -> str:
    """JSON text of any value; what JSON cannot hold becomes its `repr`."""
    return _encoder.encode(value).decode()


def encode_packed(value: Any) -> bytes:
    """MessagePack of any value of wire types; raises `ValueError` or `OverflowError` for what only JSON can hold."""
    return _packer.encode(value)


def simplify(value: Any) -> Any:
    """The value as plain values, without halves of surrogate pairs."""
    return _replace_surrogates(msgspec.to_builtins(value, str_keys=True, enc_hook=_plain))


def _replace_surrogates(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case list() | tuple():
            return [_replace_surrogates(each) for each in cast("list[Any]", value)]
        case dict():
            items = cast("dict[Any, Any]", value).items()
            return {_replace_surrogates(key): _replace_surrogates(each) for key, each in items}
        case _:
            return value


def encode_leniently(value: Any) -> bytes:
    """JSON of any value of wire types, with what no text can hold replaced."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(simplify(value))
