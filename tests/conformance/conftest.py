"""The gateways under test: every implementation of the two protocols over every kind of database."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from headrace.base.clock import FrozenClock
from headrace.base.settings import load_settings
from headrace.client.administration import RemoteAdministration
from headrace.client.execution import RemoteExecution
from headrace.client.transport import Transport
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.execution import OrchestratedExecution
from headrace.outbound.vault import Vault
from headrace.schema.workspace import DEFAULT_SCOPE, Scope
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.conformance.remote import Served, Stands
from tests.conformance.scenes import Stage

URL = "http://localhost/api"


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
        vault = Vault(load_settings().home / "secrets.key")
        return Gateways(
            OrchestratedExecution(database, scope, self.clock),
            OrchestratedAdministration(database, scope, self.clock, vault),
        )

    def close(self) -> None:
        for database in self.databases:
            database.close()


class Remotes(Orchestrations):
    """The implementation over HTTP: each gateway asks a server of its own, over the same database."""

    def __init__(self, url: str, clock: FrozenClock, stands: Stands) -> None:
        super().__init__(url, clock)
        self._stands = stands
        self._served: list[Served] = []

    def open(self, scope: Scope = DEFAULT_SCOPE) -> Gateways:
        served = self._stands.take()
        self._served.append(served)
        served.open(*super().open(scope))
        return Gateways(RemoteExecution(Transport(URL, wire=served)), RemoteAdministration(Transport(URL, wire=served)))

    def close(self) -> None:
        for served in self._served:
            self._stands.give_back(served)
        super().close()


@pytest.fixture
def clock() -> FrozenClock:
    """The orchestrator's clock: a minute behind the real one, and standing still until a test moves it."""
    return FrozenClock(time.time_ns() // 1000 - 60_000_000)


@pytest.fixture(scope="session")
def stands() -> Iterator[Stands]:
    """The apps that answer over HTTP."""
    made = Stands()
    yield made
    made.close()


@pytest.fixture(params=["orchestration", "client"])
def implementation(
    request: pytest.FixtureRequest, database_url: str, clock: FrozenClock, stands: Stands
) -> Iterator[Orchestrations]:
    remote = request.param == "client"
    opened = Remotes(database_url, clock, stands) if remote else Orchestrations(database_url, clock)
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
