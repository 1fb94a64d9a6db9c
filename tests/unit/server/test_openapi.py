import json
import re
from typing import Any

import httpx2
import pytest

from headrace.server import openapi

DOCUMENT: dict[str, Any] = json.loads(openapi.FILE.read_text(encoding="utf-8"))


def test_the_file_says_what_the_routes_say() -> None:
    assert openapi.main(["--check"]) == 0, "run python -m headrace.server.openapi"


def test_an_old_file_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(openapi, "FILE", tmp_path / "openapi.json")
    assert openapi.main(["--check"]) == 1
    assert "python -m headrace.server.openapi" in capsys.readouterr().err
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0


def test_the_server_shows_the_file(ask: httpx2.Client) -> None:
    assert ask.get("/api/openapi.json").json() == DOCUMENT


def test_collections_end_with_a_slash_as_in_the_contract() -> None:
    collections = {path for path in DOCUMENT["paths"] if path.endswith("/")}
    assert {"/api/flows/", "/api/flow_runs/", "/api/task_runs/", "/api/logs/", "/api/artifacts/"} <= collections
    assert {"/api/v2/concurrency_limits/", "/api/flow_run_states/", "/api/concurrency_limits/"} <= collections
    assert "/api/events" in DOCUMENT["paths"]


def test_every_reference_leads_somewhere() -> None:
    named = {*re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT))}
    assert named <= {*DOCUMENT["components"]["schemas"]}


def test_every_operation_has_one_name_and_tells_its_errors() -> None:
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert len(names) == len({*names})
    assert all("default" in each["responses"] for each in operations)
    assert {each["operationId"] for each in operations if each.get("security") == []} == {
        "check_health",
        "check_readiness",
        "read_ui_settings",
    }


def test_bodies_are_needed_only_where_a_field_is() -> None:
    def needed(path: str) -> bool:
        return DOCUMENT["paths"][path]["post"]["requestBody"]["required"]

    assert needed("/api/flows/")
    assert needed("/api/logs/")
    assert not needed("/api/flow_runs/filter")


def test_answers_hold_all_their_fields() -> None:
    run = DOCUMENT["components"]["schemas"]["FlowRun"]
    assert {*run["required"]} == {*run["properties"]}
    assert "retries" not in DOCUMENT["components"]["schemas"]["FlowRunPolicy"].get("required", [])
