"""What people do to a database as a whole: its schema forth and back, copies of it, and whether it is whole."""

import sqlite3
from pathlib import Path

import pytest

from headrace.base.errors import DatabaseBusy, UnusableDatabase, UsageError
from headrace.storage import compiled, migrations, revision
from headrace.storage.databases import open_database, open_upkeep
from headrace.storage.databases.postgresql import schema
from headrace.storage.databases.sqlite import file
from tests.migration.catalogue import read_catalogue
from tests.unit.storage import marks

DOWNGRADE = """
    import os, signal
    from headrace.storage import migrations
    from headrace.storage.databases import open_upkeep

    downgrade = migrations.downgrade
    def downgrade_and_die(connection, revision):
        downgrade(connection, revision)
        os.kill(os.getpid(), signal.SIGKILL)

    if sys.argv[2] == "kill":
        migrations.downgrade = downgrade_and_die
    open_upkeep(sys.argv[1]).downgrade("0001")
"""


def previous() -> str:
    return migrations.list_revisions()[-2]


def test_a_database_goes_back_and_forth(database_url: str, home: Path) -> None:
    home.mkdir()
    upkeep = open_upkeep(database_url)
    assert upkeep.read_revision() is None
    upkeep.upgrade()
    with open_database(database_url) as database:
        database.write(marks.write(1))
        declared = read_catalogue(database)
    assert upkeep.read_revision() == compiled.head
    for wanted in (previous(), "0001"):
        upkeep.downgrade(wanted)
        assert upkeep.read_revision() == wanted
    upkeep.upgrade(previous())
    assert upkeep.read_revision() == previous()
    assert upkeep.check() == []
    upkeep.upgrade()
    with open_database(database_url) as database:
        assert read_catalogue(database) == declared
        assert database.read(marks.read) == [1]


def test_a_downgrade_that_is_killed_is_done_again(database_url: str) -> None:
    with open_database(database_url) as database:
        database.write(marks.write(1))
        declared = read_catalogue(database)
    killed = marks.start(DOWNGRADE, database_url, "kill")
    killed.communicate()
    assert killed.returncode == -9
    with open_database(database_url) as database:
        assert read_catalogue(database) == declared
        assert database.read(marks.read) == [1]
    marks.end(marks.start(DOWNGRADE, database_url, "live"))
    assert open_upkeep(database_url).read_revision() == "0001"


def test_a_database_is_emptied(database_url: str) -> None:
    upkeep = open_upkeep(database_url)
    with open_database(database_url) as database:
        database.write(marks.write(1))
        declared = read_catalogue(database)
    upkeep.reset()
    with open_database(database_url) as database:
        assert database.read(marks.read) == []
        assert read_catalogue(database) == declared
    upkeep.downgrade("base")
    upkeep.empty()
    assert upkeep.read_revision() is None
    upkeep.upgrade()
    with open_database(database_url) as database:
        assert read_catalogue(database) == declared


def test_a_database_is_marked(database_url: str) -> None:
    open_database(database_url).close()
    upkeep = open_upkeep(database_url)
    upkeep.stamp("0001")
    assert upkeep.read_revision() == "0001"
    upkeep.stamp("head")
    assert upkeep.read_revision() == compiled.head


def test_what_cannot_be_done_is_said_in_one_line(database_url: str, home: Path) -> None:
    home.mkdir()
    upkeep = open_upkeep(database_url)
    for name, todo in {
        "no schema that could be taken back": lambda: upkeep.downgrade("0001"),
        "is made with the newest schema": lambda: upkeep.upgrade("0001"),
        "cannot be marked": lambda: upkeep.stamp("head"),
        "There is no revision '7': the schema has 0001, ": lambda: upkeep.upgrade("7"),
    }.items():
        with pytest.raises(UsageError, match=name):
            todo()
    upkeep.create()
    upkeep.downgrade("0002")
    with pytest.raises(UsageError, match="which is newer than 0001: downgrade it"):
        upkeep.upgrade("0001")
    with pytest.raises(UsageError, match="which is older than 0003: upgrade it"):
        upkeep.downgrade("0003")
    upkeep.downgrade("0002")
    upkeep.upgrade()
    upkeep.alter(lambda connection: migrations.stamp(connection, "0001"))
    assert upkeep.read_revision() == "0001"


def test_a_newer_database_is_left_to_a_newer_version(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(database_url).close()
    monkeypatch.setattr(compiled, "head", previous())
    with pytest.raises(UsageError, match="of a newer Headrace, which alone can take it back"):
        open_upkeep(database_url).downgrade("0001")


def test_a_database_in_use_is_left_alone(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "ALONE_AFTER", 0)
    monkeypatch.setattr(schema, "ALONE_AFTER", 0)
    with open_database(database_url) as database:
        database.write(marks.write(1))
        with pytest.raises(DatabaseBusy, match="is in use: stop the servers, workers and scripts that use it first"):
            open_upkeep(database_url).reset()
        assert database.read(marks.read) == [1]
    open_upkeep(database_url).reset()


def test_a_database_that_is_nowhere_says_so(home: Path) -> None:
    upkeep = open_upkeep(f"sqlite:///{home}/none.db")
    assert upkeep.check() == [f"{home}/none.db does not exist."]
    with pytest.raises(UsageError, match="there is nothing to copy"):
        upkeep.back_up(home / "copy.db")
    with pytest.raises(UnusableDatabase, match="is no address of a database"):
        open_upkeep("mysql://x")


def test_a_copy_is_whole_and_used_like_the_original(home: Path, tmp_path: Path) -> None:
    url, copy = f"sqlite:///{home}/headrace.db", tmp_path / "copy.db"
    with open_database(url) as database:
        database.write(marks.write(1))
        open_upkeep(url).back_up(copy)
        database.write(marks.write(2))
    assert copy.stat().st_mode & 0o077 == 0
    assert open_upkeep(f"sqlite:///{copy}").check() == []
    with open_database(f"sqlite:///{copy}") as database:
        assert database.read(marks.read) == [1]
    with pytest.raises(UsageError, match="exists already: a copy never replaces a file"):
        open_upkeep(url).back_up(copy)
    with pytest.raises(UsageError, match="cannot be made: No such file or directory"):
        open_upkeep(url).back_up(tmp_path / "nowhere" / "copy.db")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".", "copy"))) == [
        "copy.db",
        "copy.db.locks",
    ]


def test_a_damaged_database_is_told_of(home: Path) -> None:
    path = home / "headrace.db"
    with open_database(f"sqlite:///{path}") as database:
        database.write(marks.write(*range(1, 3000)))
    upkeep = open_upkeep(f"sqlite:///{path}")
    assert upkeep.check() == []
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 2, len(content), 4096):
        content[place : place + 64] = b"\xff" * 64
    path.write_bytes(content)
    assert upkeep.check()
    path.write_bytes(b"no database at all" * 100)
    assert upkeep.check() == [f"{path} is no SQLite database."]


def test_another_programs_database_is_left_alone(home: Path) -> None:
    home.mkdir()
    connection = sqlite3.connect(home / "other.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(UnusableDatabase, match="was made by another program"):
        open_upkeep(f"sqlite:///{home}/other.db").upgrade()


@pytest.mark.postgresql
def test_postgresql_is_copied_by_its_own_tools(postgresql_url: str, tmp_path: Path) -> None:
    upkeep = open_upkeep(postgresql_url)
    assert upkeep.check() == [f"{upkeep.name} has no tables of Headrace."]
    with pytest.raises(UsageError, match="pg_dump --format=custom --file="):
        upkeep.back_up(tmp_path / "copy")


def test_revisions_are_numbers_in_order() -> None:
    known = migrations.list_revisions()
    assert known[-1] == compiled.head
    assert known == sorted(known)
    assert not revision.is_current(known[0], "x")
