"""An app over a database of its own, asked without a socket."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.execution import OrchestratedExecution
from headrace.outbound.vault import Vault
from headrace.server.app import Application, build_app
from headrace.server.auth import Access
from headrace.storage.databases import open_database
from tests.conformance.remote import Served

URL = "http://127.0.0.1:4200"

Asker = Callable[..., httpx2.Client]


@pytest.fixture
def execution(home: Path) -> Iterator[OrchestratedExecution]:
    with open_database(f"sqlite:///{home}/headrace.db") as database:
        yield OrchestratedExecution(database)


@pytest.fixture
def administration(execution: OrchestratedExecution, home: Path) -> OrchestratedAdministration:
    database = execution._desk.database  # pyright: ignore[reportPrivateUsage]
    return OrchestratedAdministration(database, vault=Vault(home / "secrets.key"))


@pytest.fixture
def build(execution: OrchestratedExecution, administration: OrchestratedAdministration) -> Callable[..., Application]:
    """Builds an app over the test's database."""

    def build_one(key: str | None = None, **more: Any) -> Application:
        return build_app(execution, administration, Access(key), **more)

    return build_one


@pytest.fixture(scope="session")
def apps() -> Iterator[Callable[[str | None], Served]]:
    """One app for each key: making one takes longer than most tests."""
    made: dict[str | None, Served] = {}

    def make(key: str | None) -> Served:
        if key not in made:
            made[key] = Served(Access(key))
        return made[key]

    yield make
    for served in made.values():
        served.stop()


@pytest.fixture
def serve(
    apps: Callable[[str | None], Served], execution: OrchestratedExecution, administration: OrchestratedAdministration
) -> Iterator[Asker]:
    """Serves the test's database, with a key or without one, and gives a client."""
    with ExitStack() as opened:

        def serve_one(key: str | None = None) -> httpx2.Client:
            served = apps(key)
            served.open(execution, administration)
            opened.callback(served.end)
            return opened.enter_context(httpx2.Client(transport=_Lent(served), base_url=URL))

        yield serve_one


class _Lent(httpx2.BaseTransport):
    """A transport that its client does not close."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._served.handle_request(request)


@pytest.fixture
def ask(serve: Asker) -> httpx2.Client:
    """A client of a server without a key."""
    return serve()
