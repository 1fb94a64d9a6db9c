"""Where the values of cache keys are kept, remembered in a folder of its own: the key storage of a cache policy.

What stands there is only believed when the value itself says under its signature that it is the one of the key.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from headrace.base import errors
from headrace.engine.digests import digest, random_name
from headrace.engine.results import StoredResult


def note_key(folder: Path, cache_key: str, record: StoredResult) -> None:
    """Remember where the value of a key is. Raises `SerializationError` when that cannot be written."""
    path = _path(folder, cache_key)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{random_name()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(path)
    except OSError as error:
        raise errors.SerializationError(f"The cache key could not be kept in {path}: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def find_key(folder: Path, cache_key: str) -> StoredResult | None:
    """Where the value of a key should be, if that is known."""
    try:
        return msgspec.json.decode(_path(folder, cache_key).read_bytes(), type=StoredResult)
    except (OSError, msgspec.DecodeError):
        return None


def _path(folder: Path, cache_key: str) -> Path:
    name = digest(cache_key.encode(errors="backslashreplace"), size=20)
    return folder / name[:2] / name
