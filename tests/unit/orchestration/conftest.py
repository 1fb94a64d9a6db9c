"""A gateway on a database of each kind, with a clock that stands still."""

import time
from collections.abc import Iterator

import pytest

from headrace.base.clock import FrozenClock
from headrace.orchestration.execution import OrchestratedExecution
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.conformance.scenes import Stage


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(time.time_ns() // 1000 - 60_000_000)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url) as opened:
        yield opened


@pytest.fixture
def stage(database: Database, clock: FrozenClock) -> Stage:
    return Stage(OrchestratedExecution(database, clock=clock), clock)
