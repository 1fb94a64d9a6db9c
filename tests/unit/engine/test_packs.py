"""Small values that share a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from headrace.base import errors
from headrace.engine import packs
from headrace.engine.results import ResultStore, StoredResult
from headrace.schema.result_file import split_location


@pytest.fixture
def store(home: Path) -> ResultStore:
    return ResultStore(home / "results", home)


def keep(store: ResultStore, key: str, value: Any) -> StoredResult:
    return store.write(key, value, "pickle", packed=True)


def read(store: ResultStore, record: StoredResult) -> Any:
    store.check(record)
    return store.read(record.storage_key, Path(record.location))


def files(store: ResultStore) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def test_values_share_a_file_and_are_found_by_their_records(store: ResultStore) -> None:
    records = [keep(store, f"key-{number}", [number]) for number in range(20)]
    assert len(files(store)) == 1
    assert [read(store, record) for record in records] == [[number] for number in range(20)]
    assert store.find("key-0") is None, "nobody looks for it by its key"
    store.close()
    assert read(ResultStore(store.folder, store._home), records[7]) == [7]  # pyright: ignore[reportPrivateUsage]


def test_a_large_value_has_a_file_of_its_own(store: ResultStore) -> None:
    record = keep(store, "large", "x" * packs.LARGEST)
    assert record.location == str(store.folder)
    assert len(read(store, record)) == packs.LARGEST


def test_a_full_pack_is_followed_by_another(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "FULL", 100)
    records = [keep(store, f"key-{number}", number) for number in range(3)]
    assert len(files(store)) == 3
    assert [read(store, record) for record in records] == [0, 1, 2]


def test_a_pack_that_cannot_be_written_to_is_left(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keep(store, "before", 1)

    def fail(_descriptor: int, _content: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(errors.SerializationError, match="No space left on device"):
            keep(store, "lost", 2)
    after = keep(store, "after", 3)
    assert [read(store, record) for record in (before, after)] == [1, 3]
    assert len(files(store)) == 2


def test_a_value_is_opened_only_as_what_its_record_says(store: ResultStore) -> None:
    one, other = keep(store, "one", 1), keep(store, "other", 2)
    with pytest.raises(errors.MissingResult, match="holds the value of 'one', not of 'other'"):
        store.read(other.storage_key, Path(one.location))
    (path,) = files(store)
    path.write_bytes(path.read_bytes().replace(b'"size"', b'"s\\u0069ze"', 1)[:-1] + b"!")
    with pytest.raises(errors.MissingResult):
        read(store, other)


@pytest.mark.parametrize("location", ["/results", "/results/packs/abc", "/results/abc@1", "/results/packs/abc@x"])
def test_other_locations_are_folders(location: str) -> None:
    assert split_location(Path(location)) is None


def test_a_pack_that_was_deleted_is_written_to_no_more(store: ResultStore) -> None:
    """Nobody has written to it for so long that it was taken for old."""
    keep(store, "one", 1)
    files(store)[0].unlink()
    assert read(store, keep(store, "other", 2)) == 2
