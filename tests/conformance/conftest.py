"""The gateways under test: every implementation of the two protocols over every kind of database."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from headrace.base.clock import FrozenClock
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.execution import OrchestratedExecution
from headrace.schema.workspace import DEFAULT_SCOPE, Scope
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.conformance.remote import Served, serve
from tests.conformance.scenes import Stage


class Gateways(NamedTuple):
    """Both protocols to one workspace of one database."""

    execution: Execution
    administration: Administration


class Orchestrations:
    """The implementation over storage: opens gateways to the same database, as other processes would."""

    def __init__(self, url: str, clock: FrozenClock) -> None:
        self.url = url
        self.clock = clock
        self.databases: list[Database] = []

    def open(self, scope: Scope = DEFAULT_SCOPE) -> Gateways:
        self.databases.append(open_database(self.url))
        database = self.databases[-1]
        return Gateways(
            OrchestratedExecution(database, scope, self.clock), OrchestratedAdministration(database, scope, self.clock)
        )

    def close(self) -> None:
        for database in self.databases:
            database.close()


class Remotes(Orchestrations):
    """The implementation over HTTP: each gateway asks a server of its own, over the same database."""

    def __init__(self, url: str, clock: FrozenClock) -> None:
        super().__init__(url, clock)
        self.served: list[Served] = []

    def open(self, scope: Scope = DEFAULT_SCOPE) -> Gateways:
        execution, administration, served = serve(*super().open(scope))
        self.served.append(served)
        return Gateways(execution, administration)

    def close(self) -> None:
        for served in self.served:
            served.stop()
        super().close()


IMPLEMENTATIONS: dict[str, Callable[[str, FrozenClock], Orchestrations]] = {
    "orchestration": Orchestrations,
    "client": Remotes,
}


@pytest.fixture
def clock() -> FrozenClock:
    """The orchestrator's clock: a minute behind the real one, and standing still until a test moves it."""
    return FrozenClock(time.time_ns() // 1000 - 60_000_000)


@pytest.fixture(params=[*IMPLEMENTATIONS])
def implementation(request: pytest.FixtureRequest, database_url: str, clock: FrozenClock) -> Iterator[Orchestrations]:
    opened = IMPLEMENTATIONS[request.param](database_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def gateways(implementation: Orchestrations) -> Gateways:
    return implementation.open()


@pytest.fixture
def execution(gateways: Gateways) -> Execution:
    return gateways.execution


@pytest.fixture
def administration(gateways: Gateways) -> Administration:
    return gateways.administration


@pytest.fixture
def stage(execution: Execution, clock: FrozenClock) -> Stage:
    """What most tests begin with: a flow, runs of it, facts about tasks."""
    return Stage(execution, clock)
