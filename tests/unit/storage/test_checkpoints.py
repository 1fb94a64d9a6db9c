"""The write-ahead log of SQLite is copied into the file before it grows without bound."""

from pathlib import Path

import pytest

from headrace.storage.database import Connection
from headrace.storage.databases import open_database
from headrace.storage.databases.sqlite import writer
from tests.unit.storage import marks

LIMIT = 100_000


@pytest.fixture
def wal(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the log is, with a small limit."""
    monkeypatch.setattr(writer, "WAL_LIMIT", LIMIT)
    monkeypatch.setattr(writer, "LOOK_EVERY", 50)
    return home / "headrace.db-wal"


def test_the_log_stays_small(sqlite_url: str, wal: Path) -> None:
    with open_database(sqlite_url) as database:
        for start in range(0, 10_000, 50):
            database.write(marks.write(*range(start, start + 50)))
            assert wal.stat().st_size < 2 * LIMIT
        assert database.read(marks.read) == list(range(10_000))
    assert not wal.exists(), "the last to close leaves one file"


def test_a_reader_in_the_way_is_not_waited_for(sqlite_url: str, wal: Path) -> None:
    with open_database(sqlite_url) as database:

        def read_long(connection: Connection) -> int:
            assert marks.read(connection) == []
            for start in range(0, 5_000, 50):
                database.write(marks.write(*range(start, start + 50)))
            assert marks.read(connection) == []
            return wal.stat().st_size

        assert database.read(read_long) > LIMIT, "what the reader sees must stay"
        for start in range(5_000, 5_500, 50):
            database.write(marks.write(*range(start, start + 50)))
        assert wal.stat().st_size < 2 * LIMIT
        assert len(database.read(marks.read)) == 5_500


def test_a_short_script_beside_a_long_reader_does_its_part(sqlite_url: str, wal: Path) -> None:
    """Someone has the database open for ever; scripts that write little come and go."""
    with open_database(sqlite_url) as lasting:
        for start in range(0, 3_000, 30):
            with open_database(sqlite_url) as script:
                script.write(marks.write(*range(start, start + 30)))
            lasting.read(marks.read)
        assert wal.stat().st_size < 2 * LIMIT
