"""Kept values: written whole or not at all, and opened only under this user's signature."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.base import clock, errors
from headrace.engine.options import find_folder
from headrace.engine.results import Result, ResultStore, StoredResult, result_fact
from headrace.engine.serializers import JSONSerializer
from headrace.testing import frozen_clock

HOUR = timedelta(hours=1) // clock.MICROSECOND


class Shouting:
    """A user's own serializer."""

    type = "shouting"

    def dumps(self, value: Any) -> bytes:
        return str(value).upper().encode()

    def loads(self, payload: bytes) -> Any:
        return payload.decode()


@pytest.fixture
def store(home: Path) -> ResultStore:
    return ResultStore(home / "results", home)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def rewrite(store: ResultStore, change: Callable[[bytes], bytes]) -> None:
    (path,) = files(store.folder)
    path.write_bytes(change(path.read_bytes()))


# writing and reading


@pytest.mark.parametrize("serializer", ["pickle", "json", JSONSerializer()])
def test_a_value_is_found_and_read_again(store: ResultStore, home: Path, serializer: Any) -> None:
    record = store.write("key", {"rmse": 6.5}, serializer, expiration=None)
    assert record == StoredResult("key", str(store.folder), record.serializer, record.size)
    elsewhere = ResultStore(store.folder, home)
    assert elsewhere.find("key") == record
    assert elsewhere.read("key") == {"rmse": 6.5}


def test_a_value_may_be_kept_in_another_folder(store: ResultStore, tmp_path: Path) -> None:
    record = store.write("key", 3, "pickle", folder=tmp_path / "shared")
    assert record.location == str(tmp_path / "shared")
    assert store.find("key") is None
    assert store.find("key", tmp_path / "shared") == record
    assert store.read("key", tmp_path / "shared") == 3


def test_the_last_value_of_a_key_counts(store: ResultStore) -> None:
    store.write("key", 1, "pickle")
    store.write("key", 2, "json")
    assert store.read("key") == 2
    assert len(files(store.folder)) == 1


def test_what_a_serializer_of_the_users_own_wrote_is_read_by_it(store: ResultStore) -> None:
    store.write("key", "loud", Shouting())
    assert store.read("key") == "LOUD"


def test_a_value_is_found_for_calls_with_its_cache_key_only(store: ResultStore) -> None:
    store.write("key", 1, "pickle", cache_key="one")
    assert store.find("key", cache_key="one") is not None
    assert store.find("key", cache_key="other") is None
    assert store.find("key") is None


def test_a_value_expires(store: ResultStore) -> None:
    with frozen_clock() as now:
        record = store.write("key", 1, "pickle", expiration=clock.micros() + HOUR)
        assert store.find("key") == record
        now.advance(3600)
        assert store.find("key") is None
    assert store.read("key") == 1


def test_nothing_is_found_where_nothing_was_kept(store: ResultStore) -> None:
    assert store.find("key") is None
    with pytest.raises(errors.MissingResult, match="cannot be read: No such file or directory"):
        store.read("key")


# keys


@settings(max_examples=50)
@given(
    st.text(st.characters(codec="utf-8"))
    | st.sampled_from(["..", ".", "../../etc/passwd", "/etc/passwd", "a/b", "a\0b"])
)
def test_no_key_leaves_the_folder(key: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        inside = Path(name) / "results"
        store = ResultStore(inside, Path(name))
        store.write(key, key, "json")
        (path,) = files(inside)
        assert path.resolve().is_relative_to(inside.resolve())
        assert store.find(key) is not None
        assert store.read(key) == key
        assert {entry.name for entry in Path(name).iterdir()} == {"results", "results.key"}


@pytest.mark.parametrize("key", ["k" * 128, "k" * 129, ".hidden", "é", "a b", ""])
def test_any_text_may_be_a_key(store: ResultStore, key: str) -> None:
    store.write(key, 1, "pickle")
    assert store.read(key) == 1


def test_a_file_name_that_is_no_utf_8_may_be_a_key(store: ResultStore) -> None:
    records = [store.write(f"caf{half}", half, "pickle", cache_key=half) for half in ("\udce9", "\udcea")]
    assert [store.find(f"caf{half}", cache_key=half) for half in ("\udce9", "\udcea")] == records
    assert store.read("caf\udce9") == store.read(records[0].storage_key) == "\udce9"


# tampering


def test_a_payload_that_was_changed_is_not_opened(store: ResultStore) -> None:
    store.write("key", "value", "json")
    rewrite(store, lambda content: content.replace(b'"value"', b'"other"'))
    with pytest.raises(errors.MissingResult, match="does not carry this user's signature"):
        store.read("key")


@pytest.mark.parametrize(
    ("before", "after"),
    [(b'"json"', b'"pickle"'), (b'"expiration":null', b'"expiration":99'), (b'"cache_key":null', b'"cache_key":"x"')],
)
def test_a_header_that_was_changed_is_not_believed(store: ResultStore, before: bytes, after: bytes) -> None:
    store.write("key", "value", "json")
    rewrite(store, lambda content: content.replace(before, after))
    with pytest.raises(errors.MissingResult, match="signature"):
        store.read("key")


def test_what_another_user_signed_is_not_opened(store: ResultStore, tmp_path: Path) -> None:
    ResultStore(store.folder, tmp_path / "another home").write("key", "value", "json")
    with pytest.raises(errors.MissingResult, match="signature"):
        store.read("key")


def test_the_value_of_another_key_is_not_opened(store: ResultStore) -> None:
    store.write("one", 1, "json")
    (path,) = files(store.folder)
    (store.folder / "tw").mkdir()
    path.rename(store.folder / "tw" / "two")
    assert store.find("two") is None
    with pytest.raises(errors.MissingResult, match="holds the value of 'one', not of 'two'"):
        store.read("two")


@pytest.mark.parametrize("content", [b"", b"no header\npayload", b'{"storage_key": 3}\n'])
def test_a_file_that_is_none_of_ours_is_not_opened(store: ResultStore, content: bytes) -> None:
    store.write("key", 1, "json")
    rewrite(store, lambda _: content)
    assert store.find("key") is None
    with pytest.raises(errors.MissingResult, match="holds no value of ours"):
        store.read("key")


# writing that fails


def test_a_value_that_cannot_be_written_leaves_nothing(store: ResultStore) -> None:
    with pytest.raises(errors.SerializationError, match="cannot be written as JSON"):
        store.write("key", object(), "json")
    assert not files(store.folder)


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(store: ResultStore) -> None:
    (store.folder / "ke" / "key").mkdir(parents=True)
    with pytest.raises(errors.SerializationError, match=r"could not be kept in .*/results/ke/key: Is a directory"):
        store.write("key", 1, "json")
    assert not files(store.folder)


def test_a_folder_that_cannot_be_made_is_named(store: ResultStore) -> None:
    store.folder.parent.mkdir()
    store.folder.write_text("in the way")
    with pytest.raises(errors.SerializationError, match="Not a directory"):
        store.write("key", 1, "json")


def test_an_interrupted_write_leaves_what_was_there(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("key", 1, "json")

    def interrupt(_path: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.write("key", 2, "json")
    assert store.read("key") == 1
    assert len(files(store.folder)) == 1


# the key that signs


def test_the_key_is_its_owners_alone(store: ResultStore, home: Path) -> None:
    store.write("key", 1, "json")
    path = home / "results.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert len(path.read_bytes()) == 32


def test_many_who_begin_at_once_make_one_key(home: Path) -> None:
    stores = [ResultStore(home / "results", home) for _ in range(16)]
    together = threading.Barrier(len(stores))

    def write(number: int) -> None:
        together.wait(30)
        stores[number].write(f"key-{number}", number, "json")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [stores[0].read(f"key-{number}") for number in range(16)] == list(range(16))
    assert [path.name for path in home.iterdir() if "key" in path.name] == ["results.key"]


def test_a_key_that_another_made_meanwhile_is_taken(
    store: ResultStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = os.urandom

    def somebody_is_faster(size: int) -> bytes:
        if size == 32:
            (home / "results.key").write_bytes(b"the key of somebody who was faster")
        return draw(size)

    monkeypatch.setattr(os, "urandom", somebody_is_faster)
    store.write("key", 1, "json")
    assert (home / "results.key").read_bytes() == b"the key of somebody who was faster"
    assert ResultStore(store.folder, home).read("key") == 1


# handles


def test_a_handle_gives_the_value_at_hand() -> None:
    result = Result(None)
    assert result.in_memory
    assert result.load() is None
    result.forget()
    assert result.in_memory


def test_a_value_that_is_kept_can_be_let_go_of(store: ResultStore) -> None:
    value = [1, 2]
    result = Result(value, store.write("key", value, "pickle"), store)
    result.forget()
    assert not result.in_memory
    read: Any = result.load()
    assert read == value
    assert read is not value


@pytest.mark.parametrize("record", [None, StoredResult("key", "/nowhere", "json", 1)])
def test_a_value_that_was_not_kept_is_missing(record: StoredResult | None) -> None:
    with pytest.raises(errors.MissingResult, match="give the task or flow persist_result=True"):
        Result(record=record).load()


def test_folders_are_named_as_people_write_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert find_folder(None) is None
    assert find_folder("~/kept") == tmp_path / "kept"
    assert find_folder(Path("kept")) == tmp_path / "kept"
    with pytest.raises(errors.UsageError, match=r"Results are kept in a folder: .*, not a int"):
        find_folder(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_fact_tells_of_the_record() -> None:
    flow_run, task_run = uuid4(), uuid4()
    with frozen_clock(5_000_000):
        fact = result_fact(StoredResult("key", "/results", "json", 3, 7_000_000), flow_run, task_run)
    told = (fact.storage_key, fact.location, fact.serializer, fact.size, fact.created, fact.expiration)
    assert told == ("key", "/results", "json", 3, 5_000_000, 7_000_000)
    assert (fact.flow_run_id, fact.task_run_id) == (flow_run, task_run)
