"""The journal: in order, within its memory, none lost and none twice, whatever the orchestrator does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.engine import journal as journals
from headrace.engine.journal import CHUNK, Journal, weigh
from headrace.schema.fact import ArtifactFact, Batch, LogFact, StateFact, TaskNameFact, TaskStateFact
from headrace.schema.state import StateType
from headrace.testing import frozen_clock


def line(number: int, size: int = 0) -> LogFact:
    return LogFact(uuid7(), "test", 20, f"{number}{'.' * size}", 0)


def number_of(fact: object) -> int:
    assert isinstance(fact, LogFact)
    return int(fact.message.rstrip("."))


class Receiver:
    """Stores batches as the orchestrator does: what it has it skips, a gap it refuses. `before` may fail or wait."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.marks: dict[UUID, int] = {}
        self.stored: list[int] = []
        self.spooled: list[Batch] = []
        self.attempts: dict[UUID, int] = {}
        self.before: Callable[[Batch], None] = lambda batch: None
        self.after: Callable[[Batch], None] = lambda batch: None
        self.reached = threading.Event()

    def deliver(self, batch: Batch) -> int:
        self.before(batch)
        with self.lock:
            mark = self.marks.get(batch.journal_id, 0)
            if batch.first > mark + 1:
                raise errors.LostFacts("a gap")
            self.stored += (number_of(fact) for fact in batch.facts[mark + 1 - batch.first :])
            self.marks[batch.journal_id] = max(mark, batch.last)
        self.after(batch)
        self.reached.set()
        return self.marks[batch.journal_id]

    def spool(self, batch: Batch) -> None:
        self.spooled.append(batch)

    def open(self, limit: int = 64 * 2**20, outage_limit: float = 1800.0) -> Journal:
        return Journal(self.deliver, self.attempts, self.spool, limit, outage_limit)

    def deliver_spool(self) -> None:
        for batch in self.spooled:
            self.deliver(batch)


def fail_times(count: int, error: Exception | None = None) -> Callable[[Batch], None]:
    """Fail so often, then no more."""
    left = [count]

    def before(_batch: Batch) -> None:
        if left[0]:
            left[0] -= 1
            raise error or errors.Unavailable("away")

    return before


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@contextmanager
def gate(receiver: Receiver) -> Generator[tuple[threading.Event, threading.Event]]:
    """Deliveries wait at a gate: (somebody is waiting, open it)."""
    waiting, opened = threading.Event(), threading.Event()

    def before(_batch: Batch) -> None:
        waiting.set()
        opened.wait()

    receiver.before = before
    try:
        yield waiting, opened
    finally:
        opened.set()


def test_facts_arrive_in_the_background_and_in_order(receiver: Receiver) -> None:
    journal = receiver.open()
    for number in range(10):
        journal.emit(line(number))
    assert receiver.reached.wait(10)
    journal.close()
    assert receiver.stored == list(range(10))
    assert not receiver.spooled


def test_nothing_is_delivered_where_nothing_was_emitted(receiver: Receiver) -> None:
    journal = receiver.open()
    journal.flush()
    with journal.carry() as batch:
        assert batch is None
    journal.close()
    journal.close()
    assert not receiver.marks


def test_flush_delivers_in_chunks(receiver: Receiver) -> None:
    journal = receiver.open()
    sizes: list[int] = []
    receiver.before = lambda batch: sizes.append(len(batch.facts))
    with journal._alone():  # pyright: ignore[reportPrivateUsage]
        for number in range(CHUNK * 2 + 1):
            journal.emit(line(number))
        journal.flush()
    assert sizes == [CHUNK, CHUNK, 1]
    assert receiver.stored == list(range(CHUNK * 2 + 1))
    journal.close()


def test_a_batch_names_the_attempts(receiver: Receiver) -> None:
    journal = receiver.open()
    run = uuid7()
    receiver.attempts[run] = 3
    journal.emit(line(1))
    with journal.carry() as batch:
        assert batch is not None
        receiver.attempts[run] = 4
        assert batch.attempts == {run: 3}
        receiver.deliver(batch)
    journal.close()
    assert receiver.stored == [1]


def test_what_is_carried_and_not_stored_is_delivered_later(receiver: Receiver) -> None:
    journal = receiver.open()
    with journal._alone():  # pyright: ignore[reportPrivateUsage]
        for number in range(CHUNK + 1):
            journal.emit(line(number))
        with suppress(errors.Unavailable), journal.carry() as batch:
            assert batch is not None
            assert batch.first == CHUNK + 1
            raise errors.Unavailable("the request failed")
    journal.close()
    assert receiver.stored == list(range(CHUNK + 1))


def test_an_outage_is_outlasted(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.before = fail_times(2)
    journal = receiver.open()
    journal.emit(line(1))
    assert receiver.reached.wait(30)
    journal.close()
    assert receiver.stored == [1]
    assert [record.message.partition(",")[0] for record in caplog.records] == [
        "The orchestrator cannot be reached",
        "The orchestrator is reached again; what was journaled meanwhile is being recorded.",
    ]


def test_an_error_nobody_thought_of_is_an_outage_as_well(receiver: Receiver) -> None:
    receiver.before = fail_times(1, LookupError("what?"))
    journal = receiver.open()
    journal.emit(line(1))
    assert receiver.reached.wait(30)
    journal.close()
    assert receiver.stored == [1]
    assert not receiver.spooled


def test_after_the_outage_limit_facts_go_to_the_spool_under_another_journal(receiver: Receiver) -> None:
    journal = receiver.open(outage_limit=60.0)
    with frozen_clock() as clock:
        failures: list[Batch] = []
        spooled = threading.Event()

        def before(batch: Batch) -> None:
            failures.append(batch)
            clock.advance(61)
            raise errors.Unavailable("away")

        receiver.before = before
        keep = receiver.spool
        receiver.spool = lambda batch: (keep(batch), spooled.set())[0]  # type: ignore[method-assign]
        journal = receiver.open(outage_limit=60.0)
        journal.emit(line(1))
        assert spooled.wait(30)
    receiver.before = lambda batch: None
    journal.emit(line(2))
    journal.close()
    assert len(failures) == 2
    (batch,) = receiver.spooled
    assert batch.journal_id not in receiver.marks
    assert receiver.stored == [2]
    receiver.deliver_spool()
    assert receiver.stored == [2, 1]


def test_an_outage_that_is_over_does_not_count_for_the_next(receiver: Receiver) -> None:
    journal = receiver.open(outage_limit=60.0)
    with frozen_clock() as clock:
        journal._outage(errors.Unavailable("away"))  # pyright: ignore[reportPrivateUsage]
        clock.advance(30)
        with journal.carry():
            pass
        clock.advance(3600)
        journal.emit(line(1))
        journal._outage(errors.Unavailable("away again"))  # pyright: ignore[reportPrivateUsage]
    journal.close()
    assert not receiver.spooled
    assert receiver.stored == [1]


def test_what_is_refused_goes_to_the_spool(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    spooled = threading.Event()
    keep = receiver.spool
    receiver.spool = lambda batch: (keep(batch), spooled.set())[0]  # type: ignore[method-assign]
    receiver.before = fail_times(1, errors.InvalidRequest("nonsense"))
    journal = receiver.open()
    journal.emit(line(1))
    assert spooled.wait(30)
    journal.emit(line(2))
    journal.close()
    assert receiver.stored == [2]
    assert "1 facts could not be recorded and are kept in the spool until the next start: nonsense" in caplog.messages


def test_a_journal_that_gave_all_up_waits_for_more(receiver: Receiver) -> None:
    spooled = threading.Event()
    keep = receiver.spool
    receiver.spool = lambda batch: (keep(batch), spooled.set())[0]  # type: ignore[method-assign]
    receiver.before = fail_times(1, errors.InvalidRequest("nonsense"))
    journal = receiver.open()
    journal.emit(line(1))
    assert spooled.wait(30)
    journal.close()
    assert receiver.stored == []


def test_closing_in_an_outage_does_not_wait_for_its_end(receiver: Receiver) -> None:
    receiver.before = fail_times(1_000_000)
    journal = receiver.open()
    journal.emit(line(1))
    journal.close()
    assert [number_of(fact) for batch in receiver.spooled for fact in batch.facts] == [1]


def test_what_comes_after_closing_goes_to_the_spool(receiver: Receiver) -> None:
    journal = receiver.open()
    journal.emit(line(1))
    journal.close()
    journal.emit(line(2))
    journal.emit(line(3))
    assert receiver.stored == [1]
    receiver.deliver_spool()
    assert receiver.stored == [1, 2, 3]


def test_a_spool_that_cannot_be_written_keeps_facts_in_memory(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_batch: Batch) -> None:
        raise OSError("no space left")

    spool, receiver.spool = receiver.spool, full  # type: ignore[method-assign]
    receiver.before = fail_times(1, errors.InvalidRequest("nonsense"))
    journal = receiver.open()
    journal.emit(line(1))
    with pytest.raises(errors.InvalidRequest):
        journal.flush()
    journal._abandon("nonsense")  # pyright: ignore[reportPrivateUsage]
    assert "1 facts can be neither recorded (nonsense) nor kept in the spool: no space left" in caplog.messages
    receiver.spool = spool  # type: ignore[method-assign]
    journal.close()
    assert receiver.stored == [1]


def test_who_waits_for_room_is_let_go_when_the_spool_can_be_written_again(receiver: Receiver) -> None:
    refused = threading.Event()

    def full(_batch: Batch) -> None:
        refused.set()
        raise ValueError("whatever keeping may raise")

    spool, receiver.spool = receiver.spool, full  # type: ignore[method-assign]
    receiver.before = fail_times(1, errors.InvalidRequest("nonsense"))
    journal = receiver.open(limit=1_000)
    thread = threading.Thread(target=journal.emit, args=(line(1, size=5_000),))
    thread.start()
    assert refused.wait(10)
    thread.join(30)
    assert receiver.stored == [1]
    receiver.spool = spool  # type: ignore[method-assign]
    journal.close()


def test_what_is_emitted_by_the_last_delivery_is_kept_once(receiver: Receiver) -> None:
    journal = receiver.open()

    def before(_batch: Batch) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise errors.Unavailable("away")
        journal.emit(line(2))

    receiver.before = before
    journal.emit(line(1))
    journal.close()
    assert receiver.stored == [1]
    receiver.before = lambda batch: None
    receiver.deliver_spool()
    assert receiver.stored == [1, 2]


def test_a_process_without_a_thread_to_spare_delivers_at_the_end(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    journal = receiver.open(limit=1_000)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        journal.emit(line(1, size=5_000))
    journal.emit(line(2))
    assert receiver.reached.wait(10)
    journal.close()
    assert receiver.stored == [1, 2]


def test_surrender_leaves_no_gap(receiver: Receiver) -> None:
    journal = receiver.open()
    kept: list[Batch | None] = []
    with journal._alone():  # pyright: ignore[reportPrivateUsage]
        for number in range(CHUNK + 5):
            journal.emit(line(number))
        journal.surrender(kept.append)
    journal.surrender(kept.append)
    journal.emit(line(CHUNK + 5))
    journal.close()
    assert receiver.stored == [CHUNK + 5]
    receiver.deliver_spool()
    last, nothing = kept
    assert nothing is None
    assert last is not None
    receiver.deliver(last)
    assert sorted(receiver.stored) == list(range(CHUNK + 6))


def test_a_full_journal_waits_for_room(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    journal = receiver.open(limit=10_000)
    emitted = threading.Event()

    def work() -> None:
        for number in range(3):
            journal.emit(line(number, size=5_000))
        emitted.set()

    with gate(receiver) as (waiting, opened):
        thread = threading.Thread(target=work)
        thread.start()
        assert waiting.wait(10)
        while not journal.is_full():
            pass
        assert not emitted.is_set()
        opened.set()
        thread.join()
    journal.close()
    assert receiver.stored == [0, 1, 2]
    assert not journal.is_full()
    assert "The journal is full (0 MiB); the run waits until what it did so far is recorded." in caplog.messages


def test_what_delivers_never_waits_for_itself(receiver: Receiver) -> None:
    journal = receiver.open(limit=1_000)
    receiver.before = lambda batch: journal.emit(line(2, size=5_000)) if batch.first == 1 else None
    journal.emit(line(1))
    journal.flush()
    journal.close()
    assert receiver.stored == [1, 2]


def test_a_full_journal_that_is_closed_lets_go_of_who_waits(receiver: Receiver) -> None:
    def full(_batch: Batch) -> None:
        raise OSError("no space left")

    receiver.spool = full  # type: ignore[method-assign]
    receiver.before = fail_times(1_000_000)
    journal = receiver.open(limit=1_000)
    thread = threading.Thread(target=journal.emit, args=(line(1, size=5_000),))
    thread.start()
    while not journal.is_full():
        pass
    journal.close()
    thread.join()
    journal.emit(line(2, size=5_000))
    assert receiver.stored == []


def test_weight_grows_with_what_is_heavy() -> None:
    assert weigh(line(1, size=1_000)) > weigh(line(1)) + 900
    artifact = ArtifactFact(uuid7(), None, "markdown", None, "x" * 1_000, 0)
    assert weigh(artifact) > 1_000
    assert weigh(ArtifactFact(uuid7(), None, "table", None, {"a": 1}, 0)) > 1_000
    assert weigh(TaskNameFact(uuid7(), "x")) > 0


@settings(max_examples=60)
@given(data=st.data())
def test_none_is_lost_and_none_is_doubled(data: st.DataObject) -> None:
    """Deliveries fail before or after storing, requests carry batches and fail, journals are given up and closed."""
    receiver = Receiver()
    failures = st.sampled_from([None, None, errors.Unavailable("away"), errors.InvalidRequest("no"), LookupError("?")])

    def maybe_fail(_batch: Batch) -> None:
        error = data.draw(failures)
        if error is not None:
            raise error

    journal = receiver.open()
    journal._wake = lambda: None  # type: ignore[method-assign]  # pyright: ignore[reportPrivateUsage]
    emitted = 0
    receiver.before = receiver.after = maybe_fail
    for action in data.draw(st.lists(st.sampled_from(["emit", "flush", "carry", "surrender", "abandon"]), max_size=30)):
        match action:
            case "emit":
                for _ in range(data.draw(st.integers(1, 3))):
                    journal.emit(line(emitted))
                    emitted += 1
            case "flush":
                with suppress(errors.GatewayError, LookupError):
                    journal.flush()
            case "carry":
                with suppress(errors.GatewayError, LookupError), journal.carry() as batch:
                    if batch is not None:
                        receiver.deliver(batch)
            case "surrender":
                journal.surrender(lambda batch: None if batch is None else receiver.spool(batch))
            case _:
                journal._abandon("for a test")  # pyright: ignore[reportPrivateUsage]
    journal.close()
    receiver.before = receiver.after = lambda batch: None
    receiver.deliver_spool()
    assert sorted(receiver.stored) == list(range(emitted))


def test_a_lone_fact_waits_for_company(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "GATHER", 3600.0)
    journal = receiver.open()
    sizes: list[int] = []
    receiver.before = lambda batch: sizes.append(len(batch.facts))
    for number in range(100):
        journal.emit(line(number))
    journal.close()
    assert sizes == [100]


def test_an_orchestrator_put_back_to_an_earlier_moment_still_gets_what_follows(receiver: Receiver) -> None:
    journal = receiver.open()
    for number in range(4):
        journal.emit(line(number))
    journal.flush()
    receiver.marks = dict.fromkeys(receiver.marks, 2)
    for number in range(4, CHUNK + 10):
        journal.emit(line(number))
    journal.close()
    assert receiver.stored == list(range(CHUNK + 10))
    assert not receiver.spooled


def test_a_fact_that_nobody_can_record_holds_up_no_other(receiver: Receiver) -> None:
    bad = TaskStateFact(uuid7(), None, StateFact(1, StateType.RUNNING, "Running", 0), 1)
    told: list[LogFact] = []

    def refuse(batch: Batch) -> None:
        if bad in batch.facts:
            raise OverflowError("too large")
        for fact in batch.facts:
            if isinstance(fact, LogFact) and fact.task_run_id == bad.id:
                told.append(msgspec.structs.replace(fact))
                fact.message = "-1"

    receiver.before = refuse
    journal = receiver.open()
    for fact in (line(0), line(1), bad, line(2)):
        journal.emit(fact)
    journal.close()
    assert receiver.stored == [0, 1, -1, 2]
    assert "could not be recorded (OverflowError: too large)" in told[0].message
    assert not receiver.spooled


# what somebody else journals


def test_what_is_taken_out_is_not_delivered() -> None:
    receiver = Receiver()
    journal = Journal(receiver.deliver, receiver.attempts, receiver.spool)
    journal.emit(line(1))
    journal.flush()
    journal.emit(line(2))
    assert [number_of(fact) for fact in journal.take_out()] == [2]
    assert journal.take_out() == []
    journal.emit(line(3))
    journal.close()
    assert receiver.stored == [1, 3]
    assert len(receiver.marks) == 1


def test_numbers_of_facts_that_may_have_been_stored_are_not_used_again() -> None:
    receiver = Receiver()
    journal = Journal(receiver.deliver, receiver.attempts, receiver.spool)

    def lose(_batch: Batch) -> None:
        receiver.after = lambda batch: None
        raise errors.Unavailable("the answer was lost")

    receiver.after = lose
    with journal.carry():
        pass
    journal.emit(line(1))
    with pytest.raises(errors.Unavailable):
        journal.flush()
    assert [number_of(fact) for fact in journal.take_out()] == [1]
    journal.emit(line(2))
    journal.close()
    assert receiver.stored == [1, 2]
    assert len(receiver.marks) == 2
