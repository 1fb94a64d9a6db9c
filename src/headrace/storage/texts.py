"""Text and JSON as both databases can hold them: without NUL characters and without halves of surrogate pairs."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headrace.schema.wire import decode_json, encode_json

REPLACEMENT = "\ufffd"
"""Stands where a character was that no database can hold."""

_LONGEST_INTEGER = 14_000
"""In bits: Python writes no integer of more than 4,300 digits in decimal."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def storable(text: str) -> str:
    """The text, with what cannot be stored replaced."""
    if "\0" in text:
        text = text.replace("\0", REPLACEMENT)
    return text if text.isascii() else _SURROGATE.sub(REPLACEMENT, text)


def storable_json(value: Any) -> str:
    """JSON text of any value, with what cannot be stored replaced."""
    try:
        text = encode_json(value)
    except (ValueError, TypeError):
        text = encode_json(_mend(value))
    return _ESCAPED_NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text


def cut(text: str, limit: int) -> str:
    """The text, at most `limit` bytes of it; what was cut is said at its end."""
    if len(text) * 4 <= limit:
        return text
    data = text.encode()
    if len(data) <= limit:
        return text
    mark = f"… [cut: {len(data)} bytes were logged, {limit} are the most that are kept]"
    return data[: limit - len(mark.encode())].decode(errors="ignore") + mark


def _mend(value: Any) -> Any:
    """The value made of plain parts, each of which JSON can hold; keys become text."""
    match value:
        case str():
            return storable(value)
        case bool() | float() | None:
            return value
        case int():
            return value if value.bit_length() < _LONGEST_INTEGER else hex(value)
        case dict():
            return {storable(str(key)): _mend(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple() | set() | frozenset():
            return [_mend(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case msgspec.Struct():
            parts = {name: _mend(getattr(value, name)) for name in value.__struct_fields__}
            return list(parts.values()) if value.__struct_config__.array_like else parts
        case _:
            return _mend(decode_json(encode_json(value)))
