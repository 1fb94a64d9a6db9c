"""What is noted before it is delivered, and what becomes of it when its process dies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headrace.base.ids import uuid7
from headrace.connect import open_execution
from headrace.engine import ledger as module
from headrace.engine.flow_definition import Flow
from headrace.engine.journal import Journal
from headrace.engine.ledger import Ledger
from headrace.engine.task_definition import Task
from headrace.schema.fact import Batch, Fact, LogFact, TaskStateFact
from headrace.schema.ledger import pack_entry, read_entries
from headrace.schema.state import StateType
from tests.unit.engine.conftest import Stage


def line(text: str) -> LogFact:
    return LogFact(uuid7(), "test", 20, text, 1)


def noted(folder: Path) -> list[Batch]:
    return [batch for path in sorted(folder.glob("ledger*")) for batch in read_entries(path.read_bytes())]


def leave_asleep(_journal: Journal) -> None:
    """In the place of what wakes a journal's thread."""


class Orchestrator:
    """Takes what is delivered, unless it is away."""

    def __init__(self) -> None:
        self.stored: list[Fact] = []

    def deliver(self, batch: Batch) -> int:
        self.stored += batch.facts
        return batch.last


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A journal with a ledger, whose thread delivers nothing."""
    monkeypatch.setattr(Journal, "_wake", leave_asleep)
    kept: list[Batch] = []
    return Journal(Orchestrator().deliver, {}, kept.append, find_ledger=lambda: str(tmp_path / "ledger"))


# the form


def test_an_entry_that_was_cut_short_was_never_noted() -> None:
    whole = [Batch(uuid7(), first, [line(str(first))]) for first in (1, 2)]
    content = b"".join(map(pack_entry, whole))
    assert list(read_entries(content)) == whole
    assert list(read_entries(content[:-1])) == whole[:1]
    assert list(read_entries(content + b"\0\0")) == whole
    assert list(read_entries(content + b"\0\0\0\1\xff")) == whole
    assert list(read_entries(b"")) == []


def test_files_go_when_what_is_in_them_was_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT", 10)
    ledger = Ledger(str(tmp_path / "ledger"))
    journal_id = uuid7()
    for first in (1, 2, 3):
        ledger.note(Batch(journal_id, first, [line(str(first))]))
    assert [batch.first for batch in noted(tmp_path)] == [1, 2, 3]
    ledger.forget(2)
    assert [batch.first for batch in noted(tmp_path)] == [3]
    ledger.forget(3)
    assert [batch.first for batch in noted(tmp_path)] == [3], "the file in use stays"
    ledger.clear()
    ledger.clear()
    assert noted(tmp_path) == []


# what a journal notes


def test_each_fact_is_noted_once(journal: Journal, tmp_path: Path) -> None:
    for text in "abc":
        journal.emit(line(text))
        if text != "a":
            journal.secure()
    journal.secure()
    assert [(batch.first, len(batch.facts)) for batch in noted(tmp_path)] == [(1, 2), (3, 1)]
    journal.flush()
    journal.emit(line("d"))
    journal.secure()
    assert [batch.first for batch in noted(tmp_path)] == [1, 3, 4]
    journal.close()
    assert noted(tmp_path) == []


def test_what_is_numbered_anew_is_noted_anew(journal: Journal, tmp_path: Path) -> None:
    journal.emit(line("given up"))
    journal.secure()
    (before,) = noted(tmp_path)
    assert len(journal.take_out()) == 1
    assert noted(tmp_path) == []
    journal.emit(line("later"))
    journal.secure()
    (after,) = noted(tmp_path)
    assert after.first == 1
    assert after.journal_id != before.journal_id


def test_what_is_left_when_numbers_begin_anew_stays_noted(journal: Journal, tmp_path: Path) -> None:
    journal.emit(line("left"))
    journal.secure()
    journal._begin_anew()  # pyright: ignore[reportPrivateUsage] - as when the orchestrator has lost what was before
    assert [(batch.first, len(batch.facts)) for batch in noted(tmp_path)] == [(1, 1)]


def test_what_cannot_be_noted_is_delivered_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Journal, "_wake", leave_asleep)
    orchestrator = Orchestrator()
    journal = Journal(orchestrator.deliver, {}, lambda _: None, find_ledger=lambda: str(tmp_path / "gone" / "ledger"))
    journal.emit(line("now"))
    journal.secure()
    assert len(orchestrator.stored) == 1
    assert "cannot be noted" in caplog.text


# what dies


def test_what_a_dead_process_had_noted_is_stored(stage: Stage, home: Path) -> None:
    """A child does its task, notes it, and dies before anything is delivered."""
    stage.close()
    child = os.fork()
    if child == 0:
        try:
            Stage()
            Journal._run = leave_asleep  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]

            def work() -> None:
                Task(lambda: 1, name="step", durable=True)()
                os._exit(7)

            Flow(work)()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    left = [path for path in (home / "headrace.db.locks").iterdir() if path.name.startswith("ledger-")]
    assert len(left) == 1
    told = [fact for batch in read_entries(left[0].read_bytes()) for fact in batch.facts]
    (ended,) = [fact for fact in told if isinstance(fact, TaskStateFact) and fact.state.type is StateType.COMPLETED]
    execution = open_execution(stage.settings)
    try:
        assert execution.crash_if_dead() == 1
        assert execution.read_task_run(ended.id).state_type is StateType.COMPLETED
        assert not left[0].exists()
        assert execution.crash_if_dead() == 0
    finally:
        execution.close()
