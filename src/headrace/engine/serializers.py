"""How values become bytes. `pickle` keeps anything Python can pickle; `json` keeps plain data others can read; either may be
compressed (`compressed/pickle`, `compressed-zlib/json`).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from headrace.base import errors


class Serializer(Protocol):
    """Turns values into bytes and back."""

    @property
    def type(self) -> str:
        """The name under which it is recorded beside what it wrote."""
        ...

    def dumps(self, value: Any) -> bytes:
        """Return the value as bytes. Raises `SerializationError`."""
        ...

    def loads(self, payload: bytes) -> Any:
        """Return the value of bytes written by `dumps`. Raises `SerializationError`."""
        ...


class PickleSerializer:
    """Pickle; what pickle refuses (a lambda, a class defined in a function) goes through cloudpickle.

    Unpickling executes code, so only what carries this user's signature is ever read (`engine/results.py`).
    """

    type = "pickle"

    def dumps(self, value: Any) -> bytes:
        """Return the value as bytes. Raises `SerializationError`."""
        try:
            import pickle

            return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception:  # whatever __reduce__ may raise
            pass
        try:
            import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

            return cloudpickle.dumps(value)  # pyright: ignore[reportUnknownMemberType]
        except Exception as error:
            raise errors.SerializationError(
                f"A value of type {type(value).__name__} cannot be pickled: {error}"
            ) from error

    def loads(self, payload: bytes) -> Any:
        """Return the value of bytes written by `dumps`. Raises `SerializationError`."""
        try:
            import pickle

            return pickle.loads(payload)  # noqa: S301 - only what carries this user's signature gets here
        except Exception as error:
            raise errors.SerializationError(f"A kept value cannot be unpickled: {error}") from error


class JSONSerializer:
    """JSON, for plain data: numbers, texts, lists, dictionaries, times, dataclasses (read back as dictionaries).

    JSON has no NaN: it is read back as None.
    """

    type = "json"

    def dumps(self, value: Any) -> bytes:
        """Return the value as bytes. Raises `SerializationError`."""
        from msgspec import json

        try:
            return json.encode(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise errors.SerializationError(
                f"A value of type {type(value).__name__} cannot be written as JSON: {error}"
            ) from error

    def loads(self, payload: bytes) -> Any:
        """Return the value of bytes written by `dumps`. Raises `SerializationError`."""
        from msgspec import DecodeError, json

        try:
            return json.decode(payload)
        except DecodeError as error:
            raise errors.SerializationError(f"A kept value is no JSON: {error}") from error


_COMPRESSED = "compressed"
_LIBRARIES = ("lzma", "bz2", "gzip", "zlib")


class CompressedSerializer:
    """Another serializer's bytes, compressed by a module of Python's: lzma, bz2, gzip or zlib."""

    def __init__(self, serializer: Serializer | str, compressionlib: str = "lzma") -> None:
        found = find_serializer(serializer)
        if found is None or compressionlib not in _LIBRARIES:
            raise errors.UsageError(f"Values are compressed by one of {', '.join(_LIBRARIES)}, not {compressionlib!r}.")
        self.serializer: Serializer = found
        self.compressionlib = compressionlib

    @property
    def type(self) -> str:
        """The name under which it is recorded, which says how to read what it wrote."""
        library = "" if self.compressionlib == "lzma" else f"-{self.compressionlib}"
        return f"{_COMPRESSED}{library}/{self.serializer.type}"

    def dumps(self, value: Any) -> bytes:
        """Return the value as bytes. Raises `SerializationError`."""
        return import_module(self.compressionlib).compress(self.serializer.dumps(value))

    def loads(self, payload: bytes) -> Any:
        """Return the value of bytes written by `dumps`. Raises `SerializationError`."""
        try:
            content = import_module(self.compressionlib).decompress(payload)
        except Exception as error:  # each of the modules has errors of its own
            raise errors.SerializationError(f"A kept value cannot be decompressed: {error}") from error
        return self.serializer.loads(content)


class CompressedPickleSerializer(CompressedSerializer):
    """Pickle, compressed."""

    def __init__(self, compressionlib: str = "lzma") -> None:
        super().__init__("pickle", compressionlib)


class CompressedJSONSerializer(CompressedSerializer):
    """JSON, compressed."""

    def __init__(self, compressionlib: str = "lzma") -> None:
        super().__init__("json", compressionlib)


SERIALIZERS: dict[str, Serializer] = {"pickle": PickleSerializer(), "json": JSONSerializer()}
_OURS = dict(SERIALIZERS)


def find_serializer(chosen: str | Serializer | None) -> Serializer | None:
    """The serializer chosen by name or given as an object; None when it was left to the settings.

    One given as an object is known by its type from then on: what it wrote is read by it. Raises `UsageError` for a name
    that does not exist, and for an object whose type is one of ours.
    """
    if chosen is None:
        return None
    if not isinstance(chosen, str):
        ours = _OURS.get(chosen.type)
        if ours is None:
            SERIALIZERS[chosen.type] = chosen
        elif not isinstance(chosen, type(ours)):
            name = type(chosen).__name__
            raise errors.UsageError(f"{name} cannot have the type {chosen.type!r}: that is one of ours.")
        return chosen
    prefix, sign, inner = chosen.partition("/")
    if sign and prefix.partition("-")[0] == _COMPRESSED:
        return CompressedSerializer(inner, prefix.partition("-")[2] or "lzma")
    if chosen not in SERIALIZERS:
        raise errors.UsageError(f"There is no serializer {chosen!r}: choose one of {', '.join(SERIALIZERS)}.")
    return SERIALIZERS[chosen]
