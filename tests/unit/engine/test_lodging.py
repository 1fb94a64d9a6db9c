"""Sessions for others: one for each orchestrator, for as long as somebody needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from headrace.base.ids import uuid7
from headrace.base.settings import Settings, load_settings
from headrace.engine import lodging
from headrace.engine.lodging import Lodgings
from headrace.engine.session import Session, current_session, process_session, swap_session
from headrace.schema.fact import TaskNameFact
from headrace.testing import RecordingSession

LIMIT = 60


class Closing(RecordingSession):
    """A session that says when it is closed."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class House:
    """Lodgings, and the sessions that were opened for them."""

    def __init__(self) -> None:
        self.lodgings = Lodgings()
        self.opened: list[Closing] = []
        self.at_exit: list[Callable[[], None]] = []

    def open(self, settings: Settings) -> Session:
        self.opened.append(Closing(settings))
        return self.opened[-1]

    def lodge(self, settings: Settings, flow_run_id: Any = None, epoch: int = 1) -> Any:
        return self.lodgings.lodge(settings, self.open, flow_run_id or uuid7(), epoch)


@pytest.fixture
def house(home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    made = House()
    monkeypatch.setattr(lodging, "at_exit", made.at_exit.append)
    before = swap_session(None)
    yield made
    made.lodgings.close()
    swap_session(before)


def other(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, outage_limit_seconds=1.0)


def test_a_session_serves_all_runs_with_its_settings(house: House) -> None:
    settings, run = load_settings(), uuid7()
    with house.lodge(settings, run, 3) as stay:
        session = stay.session
        assert current_session() is session
        assert process_session() is session
        assert session.attempts == {run: 3}
        with house.lodge(settings, run, 2) as again:
            assert again.session is session
            assert session.attempts == {run: 3}
        assert session.attempts == {run: 3}
    assert session.attempts == {}
    assert len(house.opened) == len(house.at_exit) == 1


def test_another_orchestrator_has_a_session_of_its_own(house: House) -> None:
    settings = load_settings()
    with house.lodge(settings) as first, house.lodge(other(settings)) as second:
        assert first.session is not second.session
        assert current_session() is second.session
        assert process_session() is first.session
    assert len(house.opened) == 2
    assert len(house.at_exit) == 1
    house.at_exit[0]()
    assert all(session.closed.is_set() for session in house.opened)
    assert process_session() is None


def test_the_session_of_a_process_that_executes_the_flow_itself_is_used(house: House) -> None:
    own = Closing(load_settings())
    own.attempts[run := uuid7()] = 5
    swap_session(own)
    with house.lodge(own.settings, run, 1) as stay:
        assert stay.session is own
        own.journal.emit(TaskNameFact(uuid7(), "own"))
        assert stay.take_out() == []
        assert len(own.journal.take_out()) == 1
    assert own.attempts == {run: 5}
    assert not house.opened
    with house.lodge(other(own.settings)) as second:
        assert second.session is not own
        assert process_session() is own


def test_what_others_may_have_told_is_not_taken_out(house: House) -> None:
    settings, fact = load_settings(), TaskNameFact(uuid7(), "told")
    with house.lodge(settings, run := uuid7()) as first:
        with house.lodge(settings, run) as second:
            assert first.take_out() is second.take_out() is None
            first.session.journal.emit(fact)
        with house.lodge(settings):
            assert first.take_out() is None
        assert first.take_out() == [fact]


def test_a_session_that_nobody_needs_is_closed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lodging, "IDLE", 0.05)
    settings = load_settings()
    with house.lodge(settings), house.lodge(other(settings)):
        pass
    for session in house.opened:
        assert session.closed.wait(LIMIT)
    assert process_session() is None
    with house.lodge(settings):
        assert len(house.opened) == 3
    assert house.opened[2].closed.wait(LIMIT)


def test_a_session_that_is_needed_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lodging, "IDLE", 0.02)
    settings = load_settings()
    with house.lodge(settings):
        with house.lodge(other(settings)):
            pass
        assert house.opened[1].closed.wait(LIMIT)
        assert not house.opened[0].closed.is_set()


def test_a_forked_child_has_none(house: House) -> None:
    with house.lodge(load_settings()) as stay:
        pass
    house.lodgings.forget()
    assert stay.session.inherited
    house.lodgings.close()
    assert not house.opened[0].closed.is_set()
    swap_session(None)
