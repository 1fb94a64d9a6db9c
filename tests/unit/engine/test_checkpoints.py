"""What earlier attempts have left behind, and how it is found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from headrace.engine.checkpoints import NOTHING_FINISHED, Checkpoints, Restored
from headrace.engine.results import ResultStore, StoredResult
from headrace.schema.checkpoint import Checkpoint
from headrace.schema.state import State, StateType

CHILD = uuid4()
COMPLETED, FAILED, CRASHED, RUNNING = StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.RUNNING


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "results", tmp_path)


@pytest.fixture
def record(store: ResultStore) -> StoredResult:
    return store.write("key", 42, "pickle")


def call(
    name: str = "a.0", kind: StateType | None = COMPLETED, record: Any = None, child: UUID | None = None, **state: Any
) -> Checkpoint:
    return Checkpoint(
        task_run_id=uuid4(),
        name=f"load {name}",
        task_key="load",
        call=name,
        state=None if kind is None else State(type=kind, **state),
        result=msgspec.to_builtins(record),
        child_flow_run_id=child,
    )


def test_the_first_attempt_finds_nothing() -> None:
    assert NOTHING_FINISHED.find("a.0", "load") is None
    assert NOTHING_FINISHED.find_child("a.0") is None
    assert NOTHING_FINISHED.describe_left() is None


def test_what_has_finished_is_found_once(store: ResultStore, record: StoredResult) -> None:
    finished = call(record=record)
    found = Checkpoints([finished], store)
    assert (found.finished, found.unfinished) == (1, 0)
    assert found.find("a.0", "load") == Restored(finished, finished.state or State(type=COMPLETED), record)
    assert found.find("a.0", "load") is None


@pytest.mark.parametrize(
    "left",
    [call(kind=FAILED), call(kind=CRASHED), call(kind=RUNNING), call(kind=None), call(name="a.0", kind=COMPLETED)],
)
def test_what_has_not_is_called_again(left: Checkpoint, store: ResultStore) -> None:
    if left.state is not None and left.state.is_completed():
        left.state.name = "RolledBack"
    found = Checkpoints([left], store)
    assert (found.finished, found.unfinished) == (0, 1)
    assert found.find("a.0", "load") is None
    assert found.describe_left() is None


def test_the_latest_of_several_attempts_counts(store: ResultStore, record: StoredResult) -> None:
    assert isinstance(Checkpoints([call(kind=CRASHED), call(record=record)], store).find("a.0", "load"), Restored)
    undone = Checkpoints([call(record=record), call(kind=CRASHED)], store)
    assert (undone.finished, undone.unfinished) == (0, 1)
    assert undone.find("a.0", "load") is None


def test_a_reason_is_given_where_there_is_something_to_say(store: ResultStore, record: StoredResult) -> None:
    found = Checkpoints([call("a.0", record=record), call("b.0", FAILED)], store)
    assert found.find("c.0", "save") is None  # never called before
    assert found.find("b.0", "load") is None  # called, and not finished
    assert found.find("c.0", "load") == "no finished call of it had these inputs"
    found.find("a.0", "load")
    assert found.find("c.0", "load") is None  # all that had finished were found


@pytest.mark.parametrize("record", [None, {"rows": 3}, "text"])
def test_a_value_that_was_not_kept_is_made_anew(record: Any, store: ResultStore) -> None:
    assert Checkpoints([call(record=record)], store).find("a.0", "load") == "the value it had was not kept"


def test_a_value_that_is_gone_is_made_anew(store: ResultStore, record: StoredResult) -> None:
    found = Checkpoints([call(record=record)], store)
    store.remove("key")
    reason = found.find("a.0", "load")
    assert isinstance(reason, str)
    assert reason.endswith("cannot be read: No such file or directory")


@pytest.mark.parametrize(
    ("content", "says"), [(b"no json", "holds no value of ours"), (None, "holds the value of 'other', not of 'key'")]
)
def test_what_is_no_value_of_that_call_is_not_taken_for_it(
    content: bytes | None, says: str, store: ResultStore, record: StoredResult
) -> None:
    (path,) = (path for path in store.folder.rglob("*") if path.is_file())
    if content is None:
        store.write("other", 1, "pickle")
        (foreign,) = (each for each in store.folder.rglob("other"))
        content = foreign.read_bytes()
    path.write_bytes(content)
    reason = Checkpoints([call(record=record)], store).find("a.0", "load")
    assert isinstance(reason, str)
    assert says in reason


def test_the_run_of_a_subflow_is_found_by_its_call(store: ResultStore) -> None:
    found = Checkpoints([call(kind=CRASHED, child=CHILD)], store)
    assert found.find_child("b.0") is None
    assert found.find_child("a.0") == CHILD
    assert found.find_child("a.0") is None


def test_it_is_found_although_an_attempt_died_before_it_had_taken_it_up(store: ResultStore) -> None:
    assert Checkpoints([call(kind=CRASHED, child=CHILD), call(kind=CRASHED)], store).find_child("a.0") == CHILD
    later = uuid4()
    assert (
        Checkpoints([call(kind=CRASHED, child=CHILD), call(kind=CRASHED, child=later)], store).find_child("a.0")
        == later
    )


def test_it_is_found_where_its_value_was_not_kept(store: ResultStore) -> None:
    found = Checkpoints([call(child=CHILD)], store)
    assert isinstance(found.find("a.0", "load"), str)
    assert found.find_child("a.0") == CHILD


def test_what_was_not_called_again_is_told(store: ResultStore, record: StoredResult) -> None:
    found = Checkpoints([call(f"{letter}.0", record=record) for letter in "abc"], store)
    found.find("b.0", "load")
    assert found.describe_left() == (
        "What earlier attempts had finished and this one did not call: load a.0, load c.0."
    )
    many = Checkpoints([call(f"{letter}.0", record=record) for letter in "abcdefg"], store)
    assert str(many.describe_left()).endswith("load d.0, load e.0 and 2 more.")
