"""Where the values of runs are kept: plain files, written whole or not at all, signed with this user's key.

A file is a line of JSON (the header) and the serialized value. The header is covered by the signature, so a value can be
neither exchanged nor made by somebody who does not have the key: pickled values execute code when they are read.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.engine.digests import is_same, random_name, sign
from headrace.engine.packs import LARGEST, Packs
from headrace.engine.serializers import SERIALIZERS, Serializer, find_serializer
from headrace.schema.fact import ResultFact
from headrace.schema.result_file import file_of_key, split_location

Key = TypeVar("Key", str, str | None)


class StoredResult(Struct, frozen=True):
    """Where one value is kept; what a state's `data` says of it. `expiration` is in microseconds since the epoch."""

    storage_key: str
    location: str
    serializer: str
    size: int
    expiration: int | None = None


class _Header(Struct, frozen=True):
    storage_key: str
    serializer: str
    expiration: int | None
    size: int
    signature: str
    cache_key: str | None = None


class Result:
    """A live handle on a run's value: in memory, on disk, or both. The `data` of a completed state inside its process."""

    __slots__ = ("_store", "_value", "record")

    def __init__(
        self, value: Any = UNSET, record: StoredResult | None = None, store: ResultStore | None = None
    ) -> None:
        self._value = value
        self.record = record
        self._store = store

    def load(self) -> Any:
        """Return the value. Raises `MissingResult` when it is neither in memory nor readable from where it was kept."""
        if self._value is not UNSET:
            return self._value
        if self.record is None or self._store is None:
            raise errors.MissingResult("The value was not kept: give the task or flow persist_result=True.")
        return self._store.read(self.record.storage_key, Path(self.record.location))

    @property
    def in_memory(self) -> bool:
        """Whether the value is at hand without reading it."""
        return self._value is not UNSET

    def forget(self) -> None:
        """Let go of the value in memory; it is read from disk when asked for."""
        if self.record is not None:
            self._value = UNSET


class ResultStore:
    """Files under `folder`. The key that signs them lies in `home`, readable by its owner only."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self._home = home
        self._known_key: bytes | None = None
        self._packs = Packs()

    @property
    def _key(self) -> bytes:
        if self._known_key is None:
            self._known_key = self._read_key()
        return self._known_key

    def _read_key(self) -> bytes:
        path = self._home / "results.key"
        try:
            return path.read_bytes()
        except FileNotFoundError:
            pass
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".results.key.{os.getpid()}.{random_name()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(32))
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)  # the first to come wins, whole
        finally:
            fresh.unlink()
        return path.read_bytes()

    def write(
        self,
        storage_key: str,
        value: Any,
        serializer: Serializer | str,
        expiration: int | None = None,
        folder: Path | None = None,
        cache_key: str | None = None,
        *,
        packed: bool = False,
    ) -> StoredResult:
        """Keep a value under a key, replacing what was kept there; it is readable by others only when it is whole.

        With `packed` nobody will look for it by its key, so that it need not have a file of its own.

        Raises `SerializationError` when the value, or the place, does not allow it.
        """
        serializer = _serializer_of(serializer)
        storage_key, cache_key = _written(storage_key), _written(cache_key)
        payload = serializer.dumps(value)
        place = folder or self.folder
        path = file_of_key(storage_key, place)
        header = _Header(storage_key, serializer.type, expiration, len(payload), "", cache_key)
        try:
            header = msgspec.structs.replace(header, signature=self._sign(header, payload))
            content = msgspec.json.encode(header) + b"\n" + payload
            if packed and len(content) <= LARGEST:
                location = self._packs.append(place, content)
                return StoredResult(storage_key, location, serializer.type, len(payload), expiration)
            _write_whole(path, content)
        except OSError as error:
            raise errors.SerializationError(f"The value could not be kept in {path}: {error.strerror}.") from error
        return StoredResult(storage_key, str(place), serializer.type, len(payload), expiration)

    def find(self, storage_key: str, folder: Path | None = None, cache_key: str | None = None) -> StoredResult | None:
        """The record of the value kept under a key for calls with this cache key, if there is one that has not expired."""
        place = folder or self.folder
        storage_key, cache_key = _written(storage_key), _written(cache_key)
        try:
            with file_of_key(storage_key, place).open("rb") as file:
                header = msgspec.json.decode(file.readline(), type=_Header)
        except (OSError, msgspec.DecodeError):
            return None
        if (header.storage_key, header.cache_key) != (storage_key, cache_key):
            return None
        if header.expiration is not None and header.expiration <= clock.micros():
            return None
        return StoredResult(storage_key, str(place), header.serializer, header.size, header.expiration)

    def check(self, record: StoredResult) -> None:
        """Raise `MissingResult` unless a value is kept where the record says."""
        self._read(record.storage_key, Path(record.location), whole=False)

    def read(self, storage_key: str, folder: Path | None = None) -> Any:
        """Return the value kept under a key. Raises `MissingResult` when there is none or its signature is wrong.

        `folder` is a record's location, where there is a record.
        """
        storage_key = _written(storage_key)
        header, payload, path = self._read(storage_key, folder or self.folder)
        if not is_same(header.signature, self._sign(msgspec.structs.replace(header, signature=""), payload)):
            raise errors.MissingResult(
                f"The value in {path} does not carry this user's signature, so it is not opened."
            )
        return _serializer_of(header.serializer).loads(payload)

    def _read(self, storage_key: str, location: Path, whole: bool = True) -> tuple[_Header, bytes, Path]:
        """What is kept at a location, unsigned yet, and in which file; without its payload unless it is to be `whole`."""
        packed = split_location(location)
        path, place = packed or (file_of_key(storage_key, location), 0)
        try:
            with path.open("rb") as file:
                file.seek(place)
                header = msgspec.json.decode(file.readline(), type=_Header)
                payload = file.read(header.size if packed else -1) if whole else b""
        except OSError as error:
            raise errors.MissingResult(f"The value kept in {path} cannot be read: {error.strerror}.") from error
        except msgspec.DecodeError as error:
            raise errors.MissingResult(f"{path} holds no value of ours: {error}.") from error
        if header.storage_key != storage_key:
            raise errors.MissingResult(f"{path} holds the value of {header.storage_key!r}, not of {storage_key!r}.")
        return header, payload, path

    def reopen(self, data: Any) -> Any:
        """A state's data as read from the orchestrator, with a live handle in the place of the record of a value."""
        try:
            return Result(record=msgspec.convert(data, StoredResult), store=self)
        except msgspec.ValidationError:
            return data

    def close(self) -> None:
        """Let go of the files that are open."""
        self._packs.close()

    def remove(self, storage_key: str, folder: Path | None = None) -> None:
        """Forget the value kept under a key, if there is one."""
        file_of_key(_written(storage_key), folder or self.folder).unlink(missing_ok=True)

    def _sign(self, header: _Header, payload: bytes) -> str:
        return sign(self._key, msgspec.json.encode(header), payload)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that others see whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{random_name()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def _written(key: Key) -> Key:
    """A key as it can be written: half of a surrogate pair, say of a file name that is no UTF-8, by its number."""
    return key if key is None or key.isascii() else key.encode(errors="backslashreplace").decode()


def _serializer_of(chosen: Serializer | str) -> Serializer:
    return find_serializer(chosen) or SERIALIZERS["pickle"]


def result_fact(record: StoredResult, flow_run_id: UUID | None, task_run_id: UUID | None) -> ResultFact:
    """The fact that a value was kept."""
    return ResultFact(
        uuid7(),
        record.storage_key,
        record.location,
        record.serializer,
        record.size,
        clock.micros(),
        record.expiration,
        flow_run_id,
        task_run_id,
    )
