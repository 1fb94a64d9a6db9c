"""Loops that several processes share: each goes on in one of them, and goes on when that one dies."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from headrace.base.clock import FrozenClock
from headrace.base.errors import Unavailable
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.loops.runner import Runner
from headrace.orchestration.loops.table import Equipment, make_loops
from headrace.orchestration.loops.vacuum import Retention
from headrace.outbound.courier import Courier
from headrace.outbound.vault import Vault
from headrace.storage import loops as queries
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from headrace.storage.loops import LoopRow


class Counting(Loop):
    """Counts its looks, and notes since when it was told that nobody looked."""

    def __init__(self, name: str, database: Database, clock: FrozenClock, interval: float = 1.0) -> None:
        self.name = name
        super().__init__(database, clock, interval)
        self.missed: list[int] = []
        self.looked = threading.Event()

    def run_once(self) -> int:
        self.looked.set()
        return 1

    def resume(self, since: int) -> int:
        self.missed.append(since)
        return 0

    def _report(self, done: int) -> None:
        self._log.info("%d", done)


class Server:
    """A process on the database, as far as loops go."""

    def __init__(self, url: str, clock: FrozenClock, name: str, *loops: str) -> None:
        self.database = open_database(url)
        self.loops = [Counting(each, self.database, clock) for each in loops]
        self.runner = Runner(self.database, self.loops, name, clock, beat=5)

    def held(self) -> list[str]:
        return [loop.name for loop in self.loops if loop.may_look()]

    def rows(self) -> list[LoopRow]:
        return self.database.read(queries.list_loops)


class Servers:
    def __init__(self, url: str, clock: FrozenClock, stack: ExitStack) -> None:
        self.url, self.clock, self.stack = url, clock, stack

    def open(self, name: str, *loops: str) -> Server:
        server = Server(self.url, self.clock, name, *(loops or ("a", "b")))
        self.stack.callback(server.database.close)
        return server


@pytest.fixture
def servers(database_url: str, clock: FrozenClock) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(database_url, clock, stack)


def test_each_loop_goes_on_in_one_place(servers: Servers) -> None:
    one, other = servers.open("one", "a", "b"), servers.open("other", "b", "c")
    one.runner.attend()
    other.runner.attend()
    one.runner.attend()
    assert (one.held(), other.held()) == (["a", "b"], ["c"])
    assert [(row.name, row.place) for row in one.rows()] == [("a", "one"), ("b", "one"), ("c", "other")]


def test_loops_are_handed_over_by_who_stops(servers: Servers) -> None:
    one, other = servers.open("one"), servers.open("other")
    one.runner.attend()
    other.runner.attend()
    assert other.held() == []
    servers.clock.advance(3)
    one.runner.stop()
    assert one.held() == []
    left = servers.clock.now
    servers.clock.advance(100)
    other.runner.attend()
    assert other.held() == ["a", "b"]
    other.loops[0].catch_up()
    other.loops[0].catch_up()
    assert other.loops[0].missed == [left]


def test_the_loops_of_the_dead_go_on_elsewhere(servers: Servers) -> None:
    one, other = servers.open("one"), servers.open("other")
    one.runner.attend()
    one.database.close()
    other.runner.attend()
    assert other.held() == ["a", "b"]


def test_a_holder_that_stands_still_loses_its_loops_and_notices(servers: Servers) -> None:
    """It was stopped, say, and its lock is held all the same."""
    one, other = servers.open("one"), servers.open("other")
    one.runner.attend()
    for _ in range(3):
        other.runner.attend()
        servers.clock.advance(5)
        assert one.held() == ["a", "b"]
    servers.clock.advance(1)
    assert one.held() == []
    other.runner.attend()
    assert other.held() == ["a", "b"]
    one.runner.attend()
    assert one.held() == []


def test_a_holder_that_beats_keeps_its_loops(servers: Servers) -> None:
    one, other = servers.open("one"), servers.open("other")
    for _ in range(10):
        one.runner.attend()
        other.runner.attend()
        servers.clock.advance(5)
    assert (one.held(), other.held()) == (["a", "b"], [])


def test_who_was_away_begins_to_watch_anew(servers: Servers) -> None:
    one, other = servers.open("one"), servers.open("other")
    one.runner.attend()
    other.runner.attend()
    servers.clock.advance(3600)
    other.runner.attend()
    assert other.held() == []


def test_two_who_take_the_same_loop_do_not_both_have_it(servers: Servers) -> None:
    one, other = servers.open("one"), servers.open("other")
    one.runner.attend()
    one.runner.stop()
    (seen, _) = other.rows()
    take = [
        server.database.write(lambda connection, name=name: queries.take_loop(connection, seen, name, name, 0))
        for server, name in ((one, "x"), (other, "y"))
    ]
    assert take == [True, False]


def test_how_the_looks_went_is_told(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    server = servers.open("one", "a")
    (loop,) = server.loops
    server.runner.attend()
    loop.look()
    servers.clock.advance(3)
    loop.look()
    server.runner.attend()
    (row,) = server.rows()
    assert (row.looked, row.done, row.lag, row.error) == (servers.clock.now, 2, 2.0, None)

    def fail() -> int:
        raise Unavailable("nothing answers")

    loop.look(fail)
    server.runner.attend()
    assert server.rows()[0].error == "nothing answers"
    assert "The a cannot look just now: nothing answers" in caplog.text


def test_a_database_that_is_away_is_waited_for(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = servers.open("one")
    server.runner.attend()

    def fail(*_: object) -> None:
        raise Unavailable("nothing answers")

    with monkeypatch.context() as patch:
        patch.setattr(server.database, "read", fail)
        server.runner.attend()
        patch.setattr(server.database, "write", fail)
        server.runner.leases.release()
    assert caplog.messages[-2:] == [
        "Who looks after what cannot be told just now: nothing answers",
        "The loops cannot be handed over just now: nothing answers",
    ]


def test_a_runner_runs_and_stops_what_is_its(servers: Servers) -> None:
    one, other = servers.open("one", "a"), servers.open("other", "a", "b")
    one.runner.start()
    other.runner.start()
    assert one.loops[0].looked.wait(60)
    assert other.loops[1].looked.wait(60)
    other.runner.stop()
    one.runner.stop()
    one.runner.stop()
    assert not other.loops[0].looked.is_set()
    assert one.loops[0].missed
    assert {row.holder for row in one.rows()} == {None}


def test_the_table_makes_every_loop_once(database: Database, clock: FrozenClock, home: object) -> None:
    from headrace.base.settings import load_settings

    vault = Vault(load_settings().home / "secrets.key")
    equipment = Equipment(
        database=database,
        vault=vault,
        courier=Courier(),
        ui_url="http://headrace.example",
        kept=Retention(),
        clock=clock,
    )
    loops = make_loops(equipment)
    names = [loop.name for loop in loops]
    assert len(names) == len({*names}) >= 12
    for loop in loops:
        assert loop.interval > 0
        loop.look()
        assert loop.looks.error is None
