"""Processes that die, and what others see of it."""

import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from headrace.base import clock
from headrace.storage import locks
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from headrace.storage.databases.postgresql import database as postgresql
from tests.unit.storage import marks

PRESENT = """
    database = open_database(sys.argv[1])
    print(database.presence(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(database_url: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that has taken its presence lock and lives until it is told to end."""
    process = marks.start(PRESENT, database_url)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("threads", [1, 8])
def test_what_was_acknowledged_survives_a_kill(database_url: str, threads: int) -> None:
    script = """
        import os, threading
        database = open_database(sys.argv[1])
        def write(first, step):
            for mark in range(first, 1_000_000, step):
                database.write(marks.write(mark))
                os.write(1, b"%d\\n" % mark)
        for number in range(int(sys.argv[2])):
            threading.Thread(target=write, args=(number, int(sys.argv[2]))).start()
    """
    process = marks.start(script, database_url, threads)
    acknowledged = [int(marks.said(process)) for _ in range(200)]
    process.kill()
    rest, _ = process.communicate()
    acknowledged += [int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    with open_database(database_url) as database:
        assert set(acknowledged) <= set(database.read(marks.read))
        if database.dialect == "sqlite":
            with sqlite3.connect(database.name) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            connection.close()


# Presence ------------------------------------------------------------------------------------------------------------


def test_presence_is_held_for_as_long_as_the_process_lives(
    database: Database, holder: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "GRACE", 0.0)
    name = marks.said(holder)
    assert name != database.presence() == database.presence()
    assert database.is_held(name)
    assert database.is_alive(name)
    assert database.is_alive(database.presence())
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    if database.dialect == "sqlite":
        assert not database.is_alive(name), "the kernel has freed the lock by now"
    while database.is_alive(name):  # the server notices the closed socket by itself
        pass
    assert not database.is_held(name)


def test_presence_ends_with_the_database(database: Database, database_url: str) -> None:
    with open_database(database_url) as other:
        name = other.presence()
        assert database.is_held(name)
    assert not database.is_held(name)


@pytest.mark.parametrize(
    "name", ["", "alive-", "alive-0", "alive-/../../headrace.db", "../headrace.db", "lock-0", "\0"]
)
def test_a_name_nobody_ever_took_is_not_held(database: Database, name: str) -> None:
    assert not database.is_held(name)
    assert database.read(marks.read) == []


def test_a_fork_does_not_keep_presence_alive(database: Database, database_url: str) -> None:
    """A child that outlives its parent, forked by user code and knowing nothing of us."""
    script = """
        import os
        database = open_database(sys.argv[1])
        name = database.presence()
        if os.fork() == 0:
            print(name, os.getpid(), flush=True)
            sys.stdin.read()
            os._exit(0)
        os.waitpid(-1, 0)
    """
    parent = marks.start(script, database_url)
    name, child = marks.said(parent).split()
    assert database.is_held(name)
    parent.kill()
    parent.wait()
    while database.is_held(name):
        assert database.dialect == "postgresql"
    os.kill(int(child), 0)  # still there
    parent.communicate()


def test_files_of_the_dead_are_cleared_away(sqlite_url: str, home: Path) -> None:
    with open_database(sqlite_url) as living:
        names = {living.presence()}
        for _ in range(3):
            dead = marks.start(PRESENT, sqlite_url)
            names.add(marks.said(dead))
            dead.kill()
            dead.communicate()
        with open_database(sqlite_url) as other:
            left = {path.name for path in (home / "headrace.db.locks").glob("alive-*")}
            assert left == {living.presence()} or left < names
            assert other.presence() != living.presence()
            left = {path.name for path in (home / "headrace.db.locks").glob("alive-*")}
            assert left == {living.presence(), other.presence()}


def test_a_presence_whose_file_was_taken_for_a_dead_ones_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody looks at the file between its making and its locking."""
    acquire = locks.FileLock.acquire
    looked: list[str] = []

    def look_first(lock: locks.FileLock, *, shared: bool = False) -> None:
        if not looked:
            looked.append(lock.path.name)
            assert not locks.is_present(tmp_path, lock.path.name)
        acquire(lock, shared=shared)

    monkeypatch.setattr(locks.FileLock, "acquire", look_first)
    lock = locks.take_presence(tmp_path)
    assert lock.path.name not in looked
    assert locks.is_present(tmp_path, lock.path.name)
    locks.give_up_presence(lock)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgresql
def test_a_free_lock_means_death_only_after_a_while(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    with open_database(postgresql_url) as database:
        assert database.is_alive("lock-00000000000000aa")
        now += 29
        assert database.is_alive("lock-00000000000000aa")
        now += 2
        assert not database.is_alive("lock-00000000000000aa")
        assert database.is_alive("lock-00000000000000bb", suspect_since=clock.micros() - 29_000_000)
        assert not database.is_alive("lock-00000000000000bb", suspect_since=clock.micros() - 31_000_000)


@pytest.mark.postgresql
def test_presence_comes_back_when_its_connection_was_lost(postgresql_url: str) -> None:
    with open_database(postgresql_url) as database, psycopg.connect(postgresql_url, autocommit=True) as admin:
        name = database.presence()
        moment = database.moment()
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
        )
        while not (database.wait(1, moment) and database.is_held(name)):
            pass
        assert database.presence() == name
        assert database.is_alive(name)


# Forks ---------------------------------------------------------------------------------------------------------------


def test_a_child_forked_in_the_middle_of_writing_has_a_database_of_its_own(database_url: str) -> None:
    """Parent and children write, the parent closes first, and nothing of either is lost."""
    script = """
        import os, threading
        database = open_database(sys.argv[1])
        over = threading.Event()
        written = []
        def write(number):
            mark = number * 1_000_000
            while not over.is_set():
                database.write(marks.write(mark))
                database.read(marks.read)
                written.append(mark)
                mark += 1
        threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        children = []
        for number in range(10, 14):
            while len(written) < 20 * (number - 9):
                pass
            child = os.fork()
            if child == 0:
                try:
                    database.write(marks.write(1))
                except Exception as error:
                    assert "was closed" in str(error)
                with open_database(sys.argv[1]) as mine:
                    for mark in range(20):
                        mine.write(marks.write(number * 1_000_000 + mark))
                os._exit(0)
            children.append(child)
        over.set()
        for thread in threads:
            thread.join()
        database.close()
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        print(*written)
    """
    written = [int(mark) for mark in marks.end(marks.start(script, database_url)).split()]
    expected = {*written, *(number * 1_000_000 + mark for number in range(10, 14) for mark in range(20))}
    with open_database(database_url) as database:
        assert set(database.read(marks.read)) == expected


def test_a_fork_waits_for_the_statement_that_runs(sqlite_url: str) -> None:
    with open_database(sqlite_url) as database:
        begun, go_on, forked = threading.Event(), threading.Event(), threading.Event()

        def read(_: object) -> None:
            begun.set()
            go_on.wait()
            assert not forked.is_set()

        def fork() -> None:
            child = os.fork()
            if child == 0:
                os._exit(0)
            forked.set()
            os.waitpid(child, 0)

        reading = threading.Thread(target=database.read, args=(read,))
        forking = threading.Thread(target=fork)
        reading.start()
        begun.wait()
        forking.start()
        go_on.set()
        reading.join()
        forking.join()
        assert forked.is_set()
        assert database.read(marks.read) == []


def test_a_child_torn_from_a_statement_leaves_the_file_alone(sqlite_url: str) -> None:
    script = """
        import os, threading
        from headrace.storage import forks
        forks.PATIENCE = 0
        database = open_database(sys.argv[1])
        def fork(_):
            child = os.fork()
            if child == 0:
                try:
                    open_database(sys.argv[1])
                except Exception as error:
                    print(type(error).__name__, error, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
        database.read(fork)
        database.write(marks.write(1))
        print(database.read(marks.read))
    """
    said = marks.end(marks.start(script, sqlite_url)).splitlines()
    assert said[0].startswith("UnusableDatabase")
    assert "spawn" in said[0]
    assert said[1] == "[1]"
