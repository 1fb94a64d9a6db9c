"""Fixtures for the whole suite: a home of its own for every test, and databases of both kinds."""

import faulthandler
import os
import signal
import sys
import uuid
from asyncio import get_running_loop
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import postgresql

END = 120.0
"""Within how many seconds a process of the suite has ended after its last test."""

BROWSER_TESTS = Path(__file__).with_name("e2e")

# Settings from outside would change what the suite sees, and without byte code every subprocess would compile all.
for _name in [*os.environ]:
    if _name.startswith("HEADRACE_") or _name == "PYTHONDONTWRITEBYTECODE":
        del os.environ[_name]


# A suite started in the background ignores Ctrl-C, and so would every script that it starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# As everywhere here, no example is too slow: the machine may be busy with other things.
settings.register_profile("unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Each process of a session ends its own server; the first one, those of processes that were killed.

    Tests have time limits, but what comes after the last of them has none: a process that does not end shows where it
    stands and is ended, so that nobody waits for it.
    """
    capture: Any = session.config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture()  # what hangs is shown by a thread of its own, straight to the terminal
    is_first = "PYTEST_XDIST_WORKER" not in os.environ  # it waits for the others
    faulthandler.dump_traceback_later(2 * END if is_first else END, exit=True, file=sys.__stderr__ or 2)
    postgresql.stop_server(postgresql.process_folder(os.getpid()))
    if is_first:
        postgresql.stop_left_behind()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A test leaves no event loop running in the thread of all tests: the next one that ran its own would be refused.

    Only playwright may, as long as tests with a browser follow each other.
    """
    yield
    if all(one is not None and BROWSER_TESTS in one.path.parents for one in (item, nextitem)):
        return
    try:
        loop = get_running_loop()
    except RuntimeError:
        return
    pytest.fail(f"This test, or a fixture that ended with it, left an event loop running in its thread: {loop!r}")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HEADRACE_HOME: a fresh folder, so that no test sees another's records or the user's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("HEADRACE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The URL of this process's PostgreSQL. One that does not start skips on a laptop and fails where CI=true."""
    try:
        return postgresql.start_server(postgresql.process_folder(os.getpid()))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
        reason = f"PostgreSQL does not start here: {type(error).__name__}: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that only this test knows."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgresql.create_database(postgresql_server, name)
    postgresql.drop_database(postgresql_server, name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database of this test's own, once of each kind; HEADRACE_DATABASE_URL says the same."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
    else:
        url = f"sqlite:///{home}/headrace.db"
    monkeypatch.setenv("HEADRACE_DATABASE_URL", url)
    return url
