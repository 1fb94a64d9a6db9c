"""The sessions of PostgreSQL: as many as are needed, and units tried again when another try may succeed."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql

from headrace.base.errors import DatabaseError, Unavailable
from headrace.storage.database import Connection, Database
from headrace.storage.databases import open_database
from tests.chaos.proxy import Proxy
from tests.unit.storage import marks

pytestmark = pytest.mark.postgresql


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    with open_database(postgresql_url, connections=3, patience=20) as database:
        yield database


@pytest.fixture
def admin(postgresql_url: str) -> Iterator["psycopg.Connection[tuple[int]]"]:
    """A session of somebody else's."""
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        yield admin


def pid(connection: Connection) -> int:
    from sqlalchemy import func, select

    return connection.select(select(func.pg_backend_pid()))[0][0]


def test_one_after_the_other_needs_one_session(database: Database) -> None:
    assert len({database.read(pid) for _ in range(20)}) == 1


def test_as_many_at_once_as_there_may_be_connections(database: Database) -> None:
    all_there = threading.Barrier(3)

    def unit(connection: Connection) -> int:
        all_there.wait()
        return pid(connection)

    with ThreadPoolExecutor(9) as pool:
        asked = [pool.submit(database.write, unit) for _ in range(9)]
    assert len({future.result() for future in asked}) == 3


def test_a_lost_connection_is_made_anew_and_the_unit_done_again(
    database: Database, admin: "psycopg.Connection[tuple[int]]"
) -> None:
    pids: list[int] = []

    def unit(connection: Connection) -> int:
        pids.append(pid(connection))
        if len(pids) == 1:
            admin.execute("SELECT pg_terminate_backend(%s, 10000)", [pids[0]])
        return marks.write(1)(connection)

    assert database.write(unit) == 1
    assert len({*pids}) == 2
    assert database.read(marks.read) == [1]


def test_who_is_in_a_hurry_waits_for_no_database_that_is_away(postgresql_url: str) -> None:
    proxy = Proxy(postgresql_url)
    with open_database(proxy.url, connections=3, patience=100) as database:
        database.write(marks.write(1))
        proxy.cut()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(database.read, marks.read)
            database.hurry()
            with pytest.raises(Unavailable):
                waiting.result(60)
        with pytest.raises(Unavailable):
            database.read(marks.read)
        proxy.mend()
        assert database.read(marks.read) == [1]
    proxy.close()


def test_who_is_in_a_hurry_makes_a_lost_connection_anew(
    database: Database, admin: "psycopg.Connection[tuple[int]]"
) -> None:
    database.hurry()
    admin.execute("SELECT pg_terminate_backend(%s, 10000)", [database.read(pid)])
    assert database.write(marks.write(1)) == 1


def test_a_connection_lost_between_units_is_not_noticed(
    database: Database, admin: "psycopg.Connection[tuple[int]]"
) -> None:
    for mark in range(3):
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [database.read(pid)])
        assert database.write(marks.write(mark)) == 1
    assert database.read(marks.read) == [0, 1, 2]


def test_of_two_that_wait_for_each_other_one_is_tried_again(database: Database) -> None:
    database.write(marks.write(1, 2))
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    def unit(first: int, second: int) -> Callable[[Connection], None]:
        def lock(connection: Connection) -> None:
            from sqlalchemy import update

            from headrace.storage.tables import journals

            tries.append(first)
            for mark in (first, second):
                row = journals.c.journal_id == f"00000000-0000-0000-0000-{mark:012}"
                connection.change(update(journals).where(row).values(updated=journals.c.updated + 1))
                if mark == first and len(tries) <= 2:
                    both_hold_one.wait()

        return lock

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(database.write, [unit(1, 2), unit(2, 1)]))
    assert sorted(tries) in ([1, 1, 2], [1, 2, 2])


def test_a_failed_serialization_is_tried_again(database: Database) -> None:
    database.write(marks.write(0))
    tries: list[int] = []

    def unit(connection: Connection) -> None:
        from sqlalchemy import text

        connection.change(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        (mark,) = marks.read(connection)
        tries.append(mark)
        if len(tries) == 1:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(database.write, add).result()
        add(connection)

    def add(connection: Connection) -> None:
        connection.execute(marks.raise_all, {"by": 1})

    database.write(unit)
    assert tries == [0, 1]
    assert database.read(marks.read) == [2]


def test_a_unit_that_hides_a_statements_error_fails(database: Database) -> None:
    def unit(connection: Connection) -> None:
        marks.write(1)(connection)
        with pytest.raises(psycopg.errors.UniqueViolation):
            marks.write(1)(connection)

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        database.write(unit)
    assert database.read(marks.read) == []


def test_a_server_that_is_gone_for_good_is_unavailable_in_the_end(postgresql_server: str, postgresql_url: str) -> None:
    name = sql.Identifier(postgresql_url.partition("?")[0].rpartition("/")[2])
    with (
        psycopg.connect(postgresql_server, autocommit=True) as admin,
        open_database(postgresql_url, patience=0.3) as database,
    ):
        database.write(marks.write(1))
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [database.read(pid)])
        with pytest.raises(DatabaseError, match="not currently accepting connections"):
            database.write(marks.write(2))
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        database.write(marks.write(3))
        assert database.read(marks.read) == [1, 3]
