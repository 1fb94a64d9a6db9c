"""Pages in the browser: `dashboard open`, and `--web` of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.schema.state import StateType
from headrace.server.instances import register
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import number


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was told to open."""
    addresses: list[str] = []

    def open_(address: str) -> bool:
        addresses.append(address)
        return "nowhere" not in address

    monkeypatch.setattr("webbrowser.open", open_)
    return addresses


def test_the_dashboard_is_the_servers(terminal: Terminal, opened: list[str]) -> None:
    terminal.environ["HEADRACE_API_URL"] = "http://user:secret@headrace.example.com/team/api"
    assert terminal.read("dashboard", "open") == "http://headrace.example.com/team/\n"
    assert opened == ["http://headrace.example.com/team/"]


def test_without_an_address_it_is_that_of_a_server_on_the_same_database(
    terminal: Terminal, opened: list[str], home: Path
) -> None:
    assert "No server is running that has pages" in terminal.fail("dashboard", "open")
    other = register(home, 4201, "http://127.0.0.1:4201", "1", "sqlite:////elsewhere.db")
    assert "No server is running that has pages" in terminal.fail("dashboard", "open")
    own = register(home, 4202, "http://127.0.0.1:4202", "1", f"sqlite:///{home}/headrace.db")
    assert terminal.read("dashboard", "open") == "http://127.0.0.1:4202/\n"
    other.close()
    own.close()
    assert opened == ["http://127.0.0.1:4202/"]


def test_runs_have_pages(terminal: Terminal, opened: list[str]) -> None:
    terminal.environ["HEADRACE_API_URL"] = "http://headrace.example.com/api"
    world = terminal.administration
    run = world.add_flow_run(10, world.add_flow(1, "f"), "quiet-heron", StateType.COMPLETED)
    world.add_task_run(30, run, "fetch-0", StateType.COMPLETED)
    terminal.read("flow-run", "inspect", "quiet-heron", "--web")
    terminal.read("task-run", "inspect", "fetch-0", "--web")
    at = "http://headrace.example.com"
    assert opened == [f"{at}/runs/{number(10)}", f"{at}/task-runs/{number(30)}"]


def test_no_browser_is_said(terminal: Terminal, opened: list[str]) -> None:
    terminal.environ["HEADRACE_API_URL"] = "http://nowhere.example/api"
    ended = terminal.type("dashboard", "open")
    assert ended.code == 0
    assert ended.err == "Warning: There is no browser here that could be opened.\n"
