"""Units of work, on each kind of database."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from headrace.base.errors import Unavailable
from headrace.storage.database import Connection, Database
from headrace.storage.databases import open_database
from tests.unit.storage import marks


class Refusal(Exception):
    """What a unit raises to be undone."""


def refuse(mark: int) -> Callable[[Connection], None]:
    def unit(connection: Connection) -> None:
        marks.write(mark)(connection)
        raise Refusal

    return unit


def test_a_unit_returns_its_result_once_it_is_committed(database: Database) -> None:
    assert database.write(marks.write(1, 2, 3)) == 3
    assert database.read(marks.read) == [1, 2, 3]


def test_a_unit_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(Refusal):
        database.write(refuse(1))
    assert database.read(marks.read) == []
    database.write(marks.write(2))
    assert database.read(marks.read) == [2]


def test_a_unit_that_fails_does_not_sink_its_neighbours(database: Database) -> None:
    """All wait while one unit is held up, so on SQLite they share the next transaction."""
    begun, go_on = threading.Event(), threading.Event()

    def hold_up(_: Connection) -> None:
        begun.set()
        go_on.wait()

    with ThreadPoolExecutor(32) as pool:
        held = pool.submit(database.write, hold_up)
        begun.wait()
        good = [pool.submit(database.write, marks.write(number)) for number in range(0, 20, 2)]
        bad: list[Future[Any]] = [pool.submit(database.write, refuse(number)) for number in range(1, 20, 2)]
        go_on.set()
        assert [future.result() for future in (held, *good)] == [None, *[1] * 10]
        assert all(isinstance(future.exception(), Refusal) for future in bad)
    assert database.read(marks.read) == list(range(0, 20, 2))


def test_an_error_of_the_database_is_the_units_own(database: Database) -> None:
    database.write(marks.write(1))
    with pytest.raises(Exception, match=r"(?i)unique"):
        database.write(marks.write(2, 1))
    assert database.read(marks.read) == [1]


def test_a_read_sees_one_moment(database: Database) -> None:
    def unit(connection: Connection) -> tuple[list[int], list[int]]:
        before = marks.read(connection)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(database.write, marks.write(1)).result()
        return before, marks.read(connection)

    assert database.read(unit) == ([], [])
    assert database.read(marks.read) == [1]


def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)read"):
        database.read(marks.write(1))
    assert database.read(marks.read) == []


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C means what it means in a script, whatever ran in this process before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_of_the_thread_that_waits_does_not_reach_the_unit(database: Database) -> None:
    interrupted = threading.Event()

    def unit(connection: Connection) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        interrupted.wait()
        marks.write(1)(connection)

    try:
        with pytest.raises(KeyboardInterrupt):
            database.write(unit)
    finally:
        interrupted.set()
    assert database.write(marks.write(2)) == 1
    assert database.read(marks.read) == [1, 2]


def test_an_interrupted_read_leaves_others_unharmed(database: Database) -> None:
    database.write(marks.write(1))

    def end_in(error: type[BaseException]) -> Callable[[Connection], None]:
        def unit(connection: Connection) -> None:
            assert marks.read(connection) == [1]
            raise error

        return unit

    for _ in range(3):
        for error in (KeyboardInterrupt, Refusal):
            with pytest.raises(error):
                database.read(end_in(error))
        assert database.read(marks.read) == [1]


def test_a_unit_cannot_wait_for_another(database: Database) -> None:
    with pytest.raises(RuntimeError, match="cannot wait for another"):
        database.write(lambda _: database.write(marks.write(1)))


def test_an_answer_that_does_not_come_is_unavailable(database_url: str) -> None:
    go_on = threading.Event()
    with open_database(database_url, patience=0.05) as database:
        with pytest.raises(Unavailable, match="has not answered"):
            database.write(lambda connection: (go_on.wait(), marks.write(1)(connection)))
        go_on.set()
    with open_database(database_url) as database:
        assert database.read(marks.read) == [1]


def test_closing_finishes_what_was_submitted(database_url: str) -> None:
    database = open_database(database_url)
    begun, go_on = threading.Event(), threading.Event()

    def hold_up(connection: Connection) -> int:
        begun.set()
        go_on.wait()
        return marks.write(1)(connection)

    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(database.write, hold_up)
        begun.wait()
        closing = pool.submit(database.close)
        go_on.set()
        assert held.result() == 1
        closing.result()
    database.close()
    for ask in (database.write, database.read):
        with pytest.raises(Unavailable, match="was closed"):
            ask(marks.read)
    for ask in (database.moment, database.presence):
        with pytest.raises(Unavailable, match="was closed"):
            ask()
    with open_database(database_url) as database:
        assert database.read(marks.read) == [1]


def test_many_threads_lose_nothing(database: Database) -> None:
    def write(number: int) -> None:
        for mark in range(number, 400, 16):
            database.write(marks.write(mark))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    assert database.read(marks.read) == list(range(400))
