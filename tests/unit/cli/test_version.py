import json
import platform
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Terminal


def test_says_what_runs_here(terminal: Terminal, home: Path) -> None:
    shown = terminal.read("version", width=80)
    assert f"Python        {platform.python_version()}" in shown
    assert "Profile       default" in shown
    assert "Server type   embedded" in shown
    assert "Database      sqlite" in shown
    assert not home.exists(), "nothing is opened"


def test_json(terminal: Terminal, home: Path) -> None:
    facts = json.loads(terminal.read("version", "-o", "json"))
    assert facts["database_url"] == f"sqlite:///{home}/headrace.db"
    assert facts["server_type"] == "embedded"


def test_a_password_is_hidden(terminal: Terminal) -> None:
    terminal.environ["HEADRACE_DATABASE_URL"] = "postgresql://me:s3cret@nowhere.invalid/db"
    facts = json.loads(terminal.read("version", "-o", "json"))
    assert facts["database"] == "postgresql"
    assert facts["database_url"] == "postgresql://me:***@nowhere.invalid/db"
    assert "sqlite" not in facts


def test_a_server_is_named_instead_of_a_database(terminal: Terminal) -> None:
    terminal.environ["HEADRACE_API_URL"] = "http://me:s3cret@nowhere.invalid/api"
    facts = json.loads(terminal.read("version", "-o", "json"))
    assert facts["server_type"] == "server"
    assert facts["api_url"] == "http://me:***@nowhere.invalid/api"
    assert "database_url" not in facts


def test_a_bad_setting_is_one_line(terminal: Terminal) -> None:
    terminal.environ["HEADRACE_API_URL"] = "x"
    terminal.fail("version")


def test_extras_are_named_with_their_versions(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.cli.version.INTEGRATIONS", {"web": "litestar", "gone": "no-such-package"})
    found = json.loads(terminal.read("version", "-o", "json"))["integrations"]
    assert found == {"web": installed_version("litestar")}
    assert f"web {installed_version('litestar')}" in terminal.read("version")
    assert "integrations" not in json.loads(terminal.read("version", "--omit-integrations", "-o", "json"))
    assert "Integrations" not in terminal.read("version", "--omit-integrations")
