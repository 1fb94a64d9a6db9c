import json
import re
from typing import Any

import httpx2
import msgspec
import pytest

from headrace.server import openapi
from headrace.server.decoding import mend
from headrace.server.describing import EXAMPLES, describe_operation, list_types

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


def test_everything_is_described() -> None:
    operations = {each["operationId"]: each for path in DOCUMENT["paths"].values() for each in path.values()}
    assert not {name for name, each in operations.items() if len(each.get("description", "")) < 5 or not each["tags"]}
    schemas = DOCUMENT["components"]["schemas"]
    assert not {name for name, schema in schemas.items() if not schema.get("description")}
    assert operations["create_variable"]["description"] == "Create a variable. Answers 409 for a name that is taken."
    assert {"401", "403", "409", "422"} <= {*operations["create_variable"]["responses"]}
    assert "404" in operations["read_variable"]["responses"]


def test_a_route_that_nothing_describes_is_refused() -> None:
    def mystify() -> None:
        return None

    with pytest.raises(ValueError, match=r"Nothing says what .*mystify does"):
        describe_operation(mystify)  # pyright: ignore[reportArgumentType]


def list_bodies() -> dict[str, dict[str, Any]]:
    """The schema of every operation's body, by method and path."""
    return {
        f"{method.upper()} {path}": body["content"]["application/json"]
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        if (body := operation.get("requestBody")) is not None
    }


def test_every_body_has_an_example() -> None:
    used: set[str] = set()
    for address, content in list_bodies().items():
        schema = content["schema"]
        name = (schema.get("$ref") or schema.get("items", {}).get("$ref", "")).rpartition("/")[2]
        key = name if name in EXAMPLES else address
        assert key in EXAMPLES, f"{address} takes {name or 'a body'}: put an example of it into examples.json"
        used.add(key)
    assert used == {*EXAMPLES}, "an example that no operation needs"


@pytest.mark.parametrize("name", [name for name in EXAMPLES if "/" not in name])
def test_an_example_is_what_it_is_an_example_of(name: str) -> None:
    kind = list_types()[name]
    assert msgspec.convert(mend(msgspec.json.decode(json.dumps(EXAMPLES[name])), kind), kind, strict=False)


def test_what_is_answered_as_text_is_described_as_text() -> None:
    text = {
        path
        for path, methods in DOCUMENT["paths"].items()
        for each in methods.values()
        if "text/plain" in each["responses"].get("200", {}).get("content", {})
    }
    assert {"/api/metrics", "/api/flow_runs/{flow_run_id}/input/{key}"} <= text
