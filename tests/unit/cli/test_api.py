"""`headrace api` without a server: the routes answer in its own process. With one: tests/acceptance/test_whole_cli.py."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Machine


def test_the_routes_answer_without_a_server(machine: Machine) -> None:
    machine.read("variable", "set", "colour", "red")
    (found,) = json.loads(machine.read("api", "POST", "/variables/filter"))
    assert found["value"] == "red"
    assert json.loads(machine.read("api", "get", "variables/name/colour")) == found
    assert machine.read("api", "DELETE", f"/variables/{found['id']}") == ""
    assert json.loads(machine.read("api", "POST", "variables/filter", "--data", '{"limit": 5}')) == []
    assert json.loads(machine.read("api", "GET", "/api/health", "--root")) is True


def test_a_body_comes_from_a_file_or_the_input(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "body.json"
    path.write_text('{"name": "a", "value": 1}')
    assert json.loads(machine.read("api", "POST", "/variables/", "-d", f"@{path}"))["name"] == "a"
    monkeypatch.setattr("sys.stdin", io.StringIO('{"name": "b", "value": 2}'))
    assert json.loads(machine.read("api", "POST", "/variables/", "-d", "-"))["name"] == "b"


def test_what_is_sent_is_shown_when_asked_for(machine: Machine) -> None:
    ended = machine.type("api", "GET", "/health", "-v", "-H", "X-Colour: red", "-H", "Authorization: Bearer secret")
    assert (ended.code, ended.out) == (0, "true\n")
    assert "> GET http://localhost/api/health" in ended.err
    assert "> x-colour: red" in ended.err
    assert "< 200 OK" in ended.err
    assert "secret" not in ended.err


def test_a_refusal_is_shown_and_said_in_one_line(machine: Machine) -> None:
    ended = machine.type("api", "GET", "/flows/00000000-0000-0000-0000-000000000000")
    assert ended.code == 1
    assert "detail" in json.loads(ended.out)
    assert ended.err.startswith("Error: GET /flows/00000000")
    assert ended.err.endswith("was answered 404 Not Found.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["FETCH", "/flows"], "'FETCH' is no method of the API"),
        (["GET", "http://elsewhere.example/"], "is no path"),
        (["GET", "/a b"], "is no path"),
        (["POST", "/flows/filter", "--data", "{"], "--data is no JSON"),
        (["POST", "/flows/filter", "--data", "[" * 100_000], "--data is nested too deeply."),
        (["POST", "/flows/filter", "--data", "@gone.json"], "gone.json cannot be read"),
        (["GET", "/health", "-H", "nonsense"], "is no header"),
        (["GET", "/health", "-H", "A: b\nC: d"], "is no header"),
    ],
)
def test_what_cannot_be_sent_is_said(machine: Machine, arguments: list[str], said: str) -> None:
    assert said in machine.fail("api", *arguments)


def test_a_server_that_is_not_there_is_said(machine: Machine) -> None:
    machine.environ["HEADRACE_API_URL"] = "http://127.0.0.1:9/api"
    assert "Nothing answers at http://127.0.0.1:9/api" in machine.fail("api", "GET", "/health")
