"""The official client against our server: in `make test` on SQLite, in `make judge` on PostgreSQL as well."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.gateway.administration import Administration
from tests.acceptance.serving import ServerProcess
from tests.judge.environment import make_environment
from tests.judge.official import Official

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that needs a server is run once per kind of database that is asked for."""
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", KINDS if os.environ.get("JUDGE") == "everywhere" else KINDS[:1])


@pytest.fixture(scope="session")
def official_python() -> Path:
    """The interpreter that has the official client. What cannot be installed skips on a laptop and fails where CI=true."""
    try:
        return make_environment()
    except (RuntimeError, OSError) as error:
        reason = f"The official client cannot be installed here: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def database(kind: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings that name an empty database."""
    return {"HEADRACE_DATABASE_URL": request.getfixturevalue("postgresql_url")} if kind == "postgresql" else {}


@pytest.fixture
def server(tmp_path: Path, database: dict[str, str]) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "server", tmp_path / "server.log", **database)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def administration(server: ServerProcess) -> Iterator[Administration]:
    opened: Any = server.open_administration()
    yield opened
    opened.close()


@pytest.fixture
def official(official_python: Path, server: ServerProcess, tmp_path: Path) -> Official:
    """The client of a user of the server."""
    return Official(official_python, server.url, tmp_path / "user")
