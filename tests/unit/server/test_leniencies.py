"""What clients of the contract get away with, as a table: what is sent, and what is understood; and how refusals look."""

import base64
from typing import Any

import httpx2
import pytest

from tests.unit.server.conftest import Asker

PREVIEW = "/api/ui/schedules/preview"
ID = "01a20954-8bc8-7ab1-b6e6-d3e07626290d"
NO_BREAK = chr(0xFFFD)


@pytest.fixture
def flow_id(ask: httpx2.Client) -> str:
    return ask.post("/api/flows/", json={"name": "etl"}).json()["id"]


# path, the text that is sent (FLOW stands for the flow's id), where to look in the answer, what is there
UNDERSTOOD: list[tuple[str, str, str, Any]] = [
    # numbers in quotes, whole numbers with a point, and whole numbers for others
    ("/api/flows/filter", '{"limit": "1"}', "0.name", "etl"),
    ("/api/flows/filter", '{"limit": 1.0, "offset": "0"}', "0.name", "etl"),
    ("/api/work_pools/", '{"name": "p", "type": "process", "concurrency_limit": "4"}', "concurrency_limit", 4),
    ("/api/v2/concurrency_limits/", '{"name": "l", "limit": "2", "slot_decay_per_second": "1"}', "limit", 2),
    ("/api/deployments/", '{"name": "d", "flow_id": FLOW, "concurrency_limit": 2.0}', "concurrency_limit", 2),
    (
        "/api/flow_runs/",
        '{"flow_id": FLOW, "empirical_policy": {"retry_delay": "9"}}',
        "empirical_policy.retry_delay",
        9,
    ),
    # truth in other words
    ("/api/deployments/", '{"name": "d", "flow_id": FLOW, "paused": "true"}', "paused", True),
    ("/api/work_pools/", '{"name": "p", "type": "process", "is_paused": 1}', "is_paused", True),
    # a space for the T of a time, and a time without a zone
    ("/api/artifacts/", '{"key": "a", "data": "2026-11-22 20:54:44"}', "data", "2026-11-22 20:54:44"),
    ("/api/flow_runs/filter", '{"flow_runs": {"start_time": {"after_": "2026-11-22 20:54:44.1+00:00"}}}', "", []),
    ("/api/flow_runs/filter", '{"flow_runs": {"start_time": {"after_": "2026-11-22T20:54:44"}}}', "", []),
    # numbers that are none, and halves of characters
    ("/api/variables/", '{"name": "v", "value": NaN}', "value", None),
    ("/api/variables/", '{"name": "v", "value": [1e999, -Infinity]}', "value", [None, None]),
    ("/api/artifacts/", '{"key": "a", "data": "\\ud83d half"}', "data", f"{NO_BREAK} half"),
    # types that are left out where there is a default for them
    ("/api/work_pools/", '{"name": "p"}', "type", "process"),
    (PREVIEW, '{"schedule": {"interval": 3600, "anchor_date": "2026-01-01 00:00:00+00:00"}, "count": 1}', "0", str),
    (PREVIEW, '{"schedule": {"interval": "PT1H"}, "count": "1"}', "0", str),
    (
        "/api/task_runs/",
        '{"task_key": "t", "dynamic_key": "0", "task_inputs": {"n": [{"name": "x"}]}}',
        "task_inputs.n.0.input_type",
        "parameter",
    ),
    # what is null although it has a default, and what is there although nobody knows it
    ("/api/flow_runs/", '{"flow_id": FLOW, "name": null, "state": null, "labels": null}', "tags", []),
    ("/api/events/filter", '{"filter": null}', "events", []),
    # questions that later and earlier clients put, as long as they say nothing
    (
        "/api/flows/filter",
        '{"flows": null, "offset": null, "limit": null, "sort": null, "of_a_later_version": null}',
        "0.name",
        "etl",
    ),
    ("/api/block_documents/filter", '{"block_schema_type": null, "offset": null, "include_secrets": true}', "", []),
    # a byte order mark
    ("/api/flows/count", "\ufeff{}", "", 1),
]


@pytest.mark.parametrize(("path", "text", "place", "understood"), UNDERSTOOD)
def test_it_is_understood(ask: httpx2.Client, flow_id: str, path: str, text: str, place: str, understood: Any) -> None:
    answer = ask.post(path, content=text.replace("FLOW", f'"{flow_id}"').encode("utf-8", "surrogatepass"))
    assert answer.status_code in {200, 201}, answer.text
    found = answer.json()
    for step in filter(None, place.split(".")):
        found = found[int(step)] if step.isdecimal() else found[step]
    assert isinstance(found, str) if understood is str else found == understood


@pytest.mark.parametrize(
    ("path", "text", "place"),
    [
        ("/api/flows/filter", '{"limit": 201}', ["body", "limit"]),
        ("/api/flows/filter", '{"limit": "many"}', ["body", "limit"]),
        ("/api/flows/filter", '{"of_a_later_version": 1}', ["body"]),
        ("/api/flows/", '{"name": 7}', ["body", "name"]),
        ("/api/flows/", "[]", ["body"]),
        ("/api/flows/", "{", ["body"]),
        ("/api/flow_runs/", f'{{"flow_id": "{ID}", "nonsense": 1}}', ["body"]),
        ("/api/logs/", '[{"name": "a", "level": 20, "message": "x"}]', ["body"]),
        ("/api/variables/", '{"name": "v"}', ["body"]),
    ],
)
def test_a_refusal_is_a_422_in_the_contracts_body(ask: httpx2.Client, path: str, text: str, place: list[Any]) -> None:
    answer = ask.post(path, content=text.encode())
    assert answer.status_code == 422
    content = answer.json()
    assert {"exception_message", "exception_detail", "request_body", "detail"} <= {*content}
    assert content["exception_detail"][0]["loc"] == place
    assert {"loc", "msg", "type"} <= {*content["exception_detail"][0]}


def test_what_is_not_there_is_told_in_both_fields(ask: httpx2.Client) -> None:
    answer = ask.get(f"/api/flows/{ID}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == answer.json()["exception_message"] == f"There is no flow with id {ID}."
    assert ask.get("/api/no-such-path").status_code == 404


def test_what_is_taken_is_409(ask: httpx2.Client) -> None:
    body = {"name": "v", "value": 1}
    assert ask.post("/api/variables/", json=body).status_code == 201
    answer = ask.post("/api/variables/", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (409, "There is a variable called 'v' already.")


def test_slots_that_are_taken_are_423_and_a_lease_that_is_over_410(ask: httpx2.Client) -> None:
    ask.post("/api/v2/concurrency_limits/", json={"name": "one", "limit": 1})
    body = {"names": ["one"], "slots": 1}
    assert ask.post("/api/v2/concurrency_limits/increment-with-lease", json=body).status_code == 200
    full = ask.post("/api/v2/concurrency_limits/increment-with-lease", json=body)
    assert full.status_code == 423
    assert float(full.headers["retry-after"]) > 0
    assert full.json()["detail"]
    over = ask.post(f"/api/v2/concurrency_limits/leases/{ID}/renew", json={"lease_duration": 60})
    assert over.status_code == 410
    assert over.json()["detail"]


@pytest.mark.parametrize(
    "authorization",
    ["Bearer me:secret", "bearer me:secret", f"Basic {base64.b64encode(b'me:secret').decode()}"],
)
def test_a_key_is_sent_either_way(serve: Asker, authorization: str) -> None:
    guarded = serve("me:secret")
    assert guarded.post("/api/flows/count", json={}, headers={"Authorization": authorization}).json() == 0
    refused = guarded.post("/api/flows/count", json={}, headers={"Authorization": authorization[:-3]})
    assert (refused.status_code, refused.json()) == (401, {"exception_message": "Unauthorized"})


@pytest.mark.parametrize(
    ("version", "status"), [("0.8.4", 200), ("0.8.0", 200), ("9.9.9", 200), ("0.7.9", 400), ("eight", 400)]
)
def test_versions_from_the_floor_up_are_spoken(ask: httpx2.Client, version: str, status: int) -> None:
    answer = ask.post("/api/flows/count", json={}, headers={"X-PREFECT-API-VERSION": version})
    assert answer.status_code == status
    assert status == 200 or answer.json()["detail"]
