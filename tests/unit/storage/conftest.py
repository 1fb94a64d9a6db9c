"""Databases that are open for one test."""

from collections.abc import Iterator

import pytest

from headrace.storage.database import Database
from headrace.storage.databases import open_database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database of each kind."""
    with open_database(database_url) as database:
        yield database


@pytest.fixture
def sqlite_url(home: object) -> str:
    """The URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{home}/headrace.db"
