"""Opening a database: wherever it is, whoever opens it at the same time, and whatever is wrong with it."""

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from headrace.base.errors import DatabaseBusy, DatabaseError, HeadraceError, NewerSchema, Unavailable, UnusableDatabase
from headrace.storage import compiled
from headrace.storage.database import Synchronous
from headrace.storage.databases import open_database
from headrace.storage.databases.postgresql import schema
from headrace.storage.databases.sqlite import file
from headrace.storage.locks import FileLock
from tests.unit.storage import marks


def refusal(url: str, kind: type[HeadraceError] = UnusableDatabase) -> str:
    """Why the database cannot be opened, in one line."""
    with pytest.raises(kind) as caught:
        open_database(url)
    message = str(caught.value)
    assert "\n" not in message
    return message


def set_revision(url: str, revision: str) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("UPDATE schema_revision SET version_num = ?", [revision])
        connection.close()
    else:
        with psycopg.connect(url) as session:
            session.execute("UPDATE schema_revision SET version_num = %s", [revision])


# Where it is ---------------------------------------------------------------------------------------------------------


def test_every_form_of_an_address_leads_to_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    forms = [
        "sqlite:///new/folder/x.db",
        f"sqlite:///{tmp_path}/new/folder/x.db",
        f"sqlite+aiosqlite:///{tmp_path}/new/folder/x.db",
        "sqlite:///~/new/folder/x.db?timeout=5",
    ]
    for mark, form in enumerate(forms):
        with open_database(form) as database:
            assert database.name == str(tmp_path / "new/folder/x.db")
            database.write(marks.write(mark))
            assert database.read(marks.read) == list(range(mark + 1))


@pytest.mark.postgresql
def test_every_form_of_an_address_leads_to_the_same_server(postgresql_url: str) -> None:
    for mark, scheme in enumerate(["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"]):
        with open_database(postgresql_url.replace("postgresql", scheme, 1)) as database:
            database.write(marks.write(mark))
            assert database.read(marks.read) == list(range(mark + 1))


@pytest.mark.parametrize("url", ["", "x.db", "sqlite:", "sqlite://", "mysql://localhost/x", "postgresql://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    assert "no address" in refusal(url)


def test_a_database_in_memory_is_refused() -> None:
    assert "path of a file" in refusal("sqlite:///:memory:")


@pytest.mark.parametrize(("synchronous", "level"), [("normal", 1), ("full", 2)])
def test_how_much_a_power_loss_may_take_is_a_choice(sqlite_url: str, synchronous: Synchronous, level: int) -> None:
    with open_database(sqlite_url, synchronous=synchronous) as database:
        query = text("PRAGMA synchronous")
        assert database.write(lambda connection: connection.select(query)) == [(level,)]


def test_a_file_system_without_locks_is_refused(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(FileLock, "acquire", acquire)
    assert "no locks" in refusal(sqlite_url)


def test_nobody_else_may_read_what_is_kept(sqlite_url: str, home: Path) -> None:
    umask = os.umask(0)
    try:
        with open_database(sqlite_url) as database:
            database.write(marks.write(1))
            database.presence()
            modes = {path.name: path.stat().st_mode & 0o777 for path in [home, *home.rglob("*")]}
    finally:
        os.umask(umask)
    folders = {"home", "headrace.db.locks"}
    assert {name: mode for name, mode in modes.items() if mode != (0o700 if name in folders else 0o600)} == {}
    assert {"headrace.db", "headrace.db-wal", "headrace.db-shm"} <= modes.keys()


# Who else opens it ---------------------------------------------------------------------------------------------------


@pytest.fixture
def sixteen(database_url: str) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that open the database when they are told to, all at the same time."""
    script = """
        sys.stdin.readline()
        with open_database(sys.argv[1]) as database:
            for mark in range(int(sys.argv[2]), 160, 16):
                database.write(marks.write(mark))
    """
    processes = [marks.start(script, database_url, number) for number in range(16)]
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("_round", range(2))
def test_sixteen_processes_may_create_it_at_once(
    sixteen: list["subprocess.Popen[str]"], database_url: str, _round: int
) -> None:
    for process in sixteen:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [marks.end(process) for process in sixteen] == [""] * 16
    with open_database(database_url) as database:
        assert database.read(marks.read) == list(range(160))


def test_a_creation_that_was_killed_is_begun_anew(sqlite_url: str, home: Path) -> None:
    """All that it can leave is the file it was building, and the log of a database that is gone."""
    folder = home / "headrace.db.locks"
    folder.mkdir(parents=True)
    (folder / "new").write_bytes(b"half of a database")
    (home / "headrace.db").touch()
    (home / "headrace.db-wal").write_bytes(b"of another database")
    with open_database(sqlite_url) as database:
        assert database.read(marks.read) == []


def test_a_copy_without_a_write_ahead_log_gets_one(sqlite_url: str, home: Path) -> None:
    """As from a dump, which keeps the rows and forgets the mode."""
    with open_database(sqlite_url) as database:
        database.write(marks.write(1))
    with sqlite3.connect(home / "headrace.db") as connection:
        assert connection.execute("PRAGMA journal_mode=delete").fetchone() == ("delete",)
    connection.close()
    with open_database(sqlite_url) as database:
        assert database.read(lambda connection: connection.select(text("PRAGMA journal_mode"))) == [("wal",)]
        assert database.read(marks.read) == [1]


def test_a_script_loads_neither_sqlalchemy_nor_alembic(sqlite_url: str) -> None:
    script = """
        for _ in ("creating", "opening"):
            with open_database(sys.argv[1]) as database:
                database.write(marks.write())
                database.read(marks.read)
        print({"sqlalchemy", "alembic", "psycopg"} & sys.modules.keys())
    """
    assert marks.end(marks.start(script, sqlite_url)) == "set()\n"


# What is wrong with it -----------------------------------------------------------------------------------------------


def test_a_newer_schema_is_refused(database_url: str) -> None:
    open_database(database_url).close()
    set_revision(database_url, "9999")
    assert "newer Headrace" in refusal(database_url, NewerSchema)


def test_nobody_migrates_under_a_live_process(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "ALONE_AFTER", 0)
    monkeypatch.setattr(schema, "ALONE_AFTER", 0)
    live = open_database(database_url)
    set_revision(database_url, "0000")
    monkeypatch.setattr(compiled, "head", "0000")
    with open_database(database_url):
        monkeypatch.undo()
        monkeypatch.setattr(file, "ALONE_AFTER", 0)
        monkeypatch.setattr(schema, "ALONE_AFTER", 0)
        assert "stop them first" in refusal(database_url, DatabaseBusy)
    live.close()


def test_a_file_that_is_no_database(sqlite_url: str, home: Path) -> None:
    home.mkdir()
    (home / "headrace.db").write_text("What is this? " * 100)
    assert "is no SQLite database" in refusal(sqlite_url)
    assert (home / "headrace.db").read_text() == "What is this? " * 100


def test_a_database_of_another_program(sqlite_url: str, home: Path) -> None:
    home.mkdir()
    with sqlite3.connect(home / "headrace.db") as connection:
        connection.execute("CREATE TABLE cats (name TEXT)")
    connection.close()
    assert "another program" in refusal(sqlite_url)


def test_a_damaged_database(sqlite_url: str, home: Path) -> None:
    with open_database(sqlite_url) as database:
        database.write(marks.write(*range(2000)))
    path = home / "headrace.db"
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match="is damaged") as caught, open_database(sqlite_url) as database:
        database.read(marks.read)
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_place_of_the_file(sqlite_url: str, home: Path) -> None:
    (home / "headrace.db").mkdir(parents=True)
    assert "cannot be opened" in refusal(sqlite_url)


def test_a_directory_that_cannot_be_made(sqlite_url: str, home: Path) -> None:
    home.write_text("a file where the folder should be")
    assert "cannot be made" in refusal(sqlite_url)


@pytest.mark.parametrize("case", ["folder", "file"])
def test_a_directory_or_file_without_permission(tmp_path: Path, case: str) -> None:
    """Root may everything, so the test gives up being root first."""
    path = tmp_path / "x.db"
    tmp_path.chmod(0o755)
    if case == "folder":
        tmp_path.chmod(0o555)
    else:
        open_database(f"sqlite:///{path}").close()
        for part in (path, *path.with_name("x.db.locks").iterdir()):
            part.chmod(0o444 if part == path else 0o666)
        path.with_name("x.db.locks").chmod(0o777)
        tmp_path.chmod(0o777)
    script = """
        import os, pathlib
        import headrace.storage.databases.sqlite.database  # while the interpreter's own files can be read
        if os.getuid() == 0:
            for folder in pathlib.Path(sys.argv[1]).parents:
                if not folder.stat().st_mode & 0o001:
                    folder.chmod(folder.stat().st_mode | 0o011)
            os.setgid(65534)
            os.setuid(65534)
        try:
            with open_database("sqlite:///" + sys.argv[1]) as database:
                database.write(marks.write(1))
        except Exception as error:
            print(type(error).__name__, error)
    """
    said = marks.end(marks.start(script, path))
    assert said.startswith("UnusableDatabase " + str(path))
    assert said.count("\n") == 1


def test_another_program_that_holds_the_database(sqlite_url: str, home: Path) -> None:
    with open_database(sqlite_url, patience=0.2) as database:
        database.write(marks.write(1))
        rival = sqlite3.connect(home / "headrace.db", isolation_level=None)
        rival.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match=r"has not answered|held by another program"):
            database.write(marks.write(2))
        assert database.read(marks.read) == [1]
        rival.close()
        database.write(marks.write(3))
    with open_database(sqlite_url) as database:
        assert database.read(marks.read)[-1] == 3


@pytest.mark.postgresql
def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    assert "does not answer" in refusal(f"postgresql://user:secret@/x?host={tmp_path}", Unavailable)
    message = refusal("postgresql://user:secret@127.0.0.1:9/x", Unavailable)
    assert "127.0.0.1" in message
    assert "secret" not in message


@pytest.mark.postgresql
def test_a_server_that_refuses(postgresql_url: str) -> None:
    assert "does not exist" in refusal(postgresql_url.replace("/test_", "/no_such_database_"))


@pytest.mark.postgresql
def test_an_address_that_cannot_be_read() -> None:
    assert "cannot be read" in refusal("postgresql://host/x?no_such_option=1")


def test_a_missing_driver_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("headrace.storage.databases.postgresql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "headrace[postgres]" in refusal("postgresql://localhost/x")


def test_a_file_that_was_deleted_or_replaced_is_not_written_to_in_vain(sqlite_url: str, home: Path) -> None:
    path = home / "headrace.db"
    with open_database(sqlite_url) as database:
        database.write(marks.write(1))
        path.rename(home / "elsewhere.db")
        for _ in range(2):
            with pytest.raises(UnusableDatabase, match="deleted or replaced"):
                database.write(marks.write(2))
            path.touch()
        path.unlink()
        (home / "elsewhere.db").rename(path)
        database.write(marks.write(3))
        assert database.read(marks.read) == [1, 3]
