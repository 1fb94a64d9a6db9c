"""The official client, told that our server is its cloud (§7 of the contract)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.gateway.administration import Administration
from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess
from tests.judge.official import HERE, Official

KEY = "pnu_0123456789abcdef"
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def server(tmp_path: Path, database: dict[str, str]) -> Iterator[ServerProcess]:
    """A server that asks for a key."""
    process = ServerProcess(tmp_path / "server", tmp_path / "server.log", HEADRACE_SERVER_API_KEY=KEY, **database)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def guest(official_python: Path, server: ServerProcess, tmp_path: Path) -> Official:
    """A user who has logged in to the cloud that we are to them."""
    user = Official(official_python, server.url, tmp_path / "user", PREFECT_CLOUD_API_URL=server.url)
    del user.environ["PREFECT_API_URL"]
    said = user.command("cloud", "login", "--key", KEY, "--workspace", "headrace/default")
    assert "Authenticated with Prefect Cloud" in said
    return user


def test_a_guest_works_as_in_a_cloud(guest: Official, server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "headrace/default" in guest.command("cloud", "workspace", "ls")
    guest.run("official_script.py")
    (guest.folder / "flows.py").write_text((HERE / "official_deployed.py").read_text())
    guest.command("work-pool", "create", "local", "-t", "process")
    guest.command("deploy", "flows.py:doubling", "-n", "daily", "-p", "local")
    monkeypatch.setenv("HEADRACE_API_KEY", KEY)
    administration: Any = server.open_administration()
    try:
        look_at(administration)
        worker = guest.start_command("worker", "start", "-p", "local", "-t", "process", "-n", "w1", "--run-once")
        guest.command("deployment", "run", "doubling/daily", "-p", "x=4")
        worker.finish()
        assert [each.name for each in administration.list_workers("local")] == ["w1"]
    finally:
        administration.close()


def look_at(administration: Administration) -> None:
    """What the script left is there, task runs too: they came by a websocket that shows its key in a header."""
    assert {run.state_type for run in administration.list_flow_runs()} == {StateType.COMPLETED}
    assert {run.name.rpartition("-")[0] for run in administration.list_task_runs()} == {
        "extract",
        "flaky",
        "load",
        "publish",
    }
