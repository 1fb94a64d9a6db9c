"""Waiting for commits, whoever makes them."""

import threading

import psycopg
import pytest

from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.unit.storage import marks


def test_a_commit_since_the_moment_ends_the_wait_at_once(database: Database) -> None:
    moment = database.moment()
    database.write(marks.write(1))
    assert database.wait(60, moment)


def test_nothing_committed_means_waiting_in_vain(database: Database) -> None:
    assert not database.wait(0.05, database.moment())
    assert not database.wait(0)


def test_a_commit_of_this_process_is_noticed(database: Database) -> None:
    waiting = threading.Thread(target=lambda: seen.append(database.wait(60)))
    seen: list[bool] = []
    waiting.start()
    mark = 0
    while waiting.is_alive():  # the thread may not have begun to wait yet
        database.write(marks.write(mark := mark + 1))
        waiting.join(0.02)
    assert seen == [True]


def test_a_commit_of_another_process_is_noticed(database: Database, database_url: str) -> None:
    script = """
        with open_database(sys.argv[1]) as database:
            sys.stdin.readline()
            database.write(marks.write(1))
    """
    other = marks.start(script, database_url)
    moment = database.moment()
    assert other.stdin is not None
    other.stdin.write("\n")
    other.stdin.flush()
    while not database.read(marks.read):
        assert database.wait(60, moment)
        moment = database.moment()
    marks.end(other)


def test_closing_ends_a_wait(database_url: str) -> None:
    database = open_database(database_url)
    moment = database.moment()
    waiting = threading.Thread(target=database.wait, args=(60, moment))
    waiting.start()
    database.close()
    waiting.join()


@pytest.mark.postgresql
def test_a_lost_ear_is_mended_and_missed_commits_are_assumed(postgresql_url: str) -> None:
    with open_database(postgresql_url) as database, psycopg.connect(postgresql_url, autocommit=True) as admin:
        moment = database.moment()
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN headrace'")
        assert database.wait(60, moment)
        moment = database.moment()
        database.write(marks.write(1))
        assert database.wait(60, moment)
