"""An app over a database of its own, asked without a socket."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.execution import OrchestratedExecution
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
def administration(execution: OrchestratedExecution) -> OrchestratedAdministration:
    return OrchestratedAdministration(execution._desk.database)  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def build(execution: OrchestratedExecution, administration: OrchestratedAdministration) -> Callable[..., Application]:
    """Builds an app over the test's database."""

    def build_one(key: str | None = None, **more: Any) -> Application:
        return build_app(execution, administration, Access(key), **more)

    return build_one


@pytest.fixture
def serve(build: Callable[..., Application]) -> Iterator[Asker]:
    """Serves an app with a key, or without one, and gives a client of it."""
    with ExitStack() as opened:

        def serve_one(key: str | None = None, **more: Any) -> httpx2.Client:
            transport = Served(build(key, **more))
            opened.callback(transport.stop)
            return opened.enter_context(httpx2.Client(transport=transport, base_url=URL))

        yield serve_one


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of a server without a key that all tests share which leave no trace there."""
    with open_database(f"sqlite:///{tmp_path_factory.mktemp('shared')}/headrace.db") as database:
        transport = Served(build_app(OrchestratedExecution(database), OrchestratedAdministration(database)))
        with httpx2.Client(transport=transport, base_url=URL) as client:
            yield client
        transport.stop()


@pytest.fixture
def ask(serve: Asker) -> httpx2.Client:
    """A client of a server without a key."""
    return serve()
