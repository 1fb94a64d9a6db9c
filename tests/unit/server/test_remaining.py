"""What the contract's pages and older clients ask for beside the usual: queues without a pool, runs in bulk, searches."""

from typing import Any

import httpx2
import pytest

NO_ID = "00000000-0000-7000-8000-000000000009"


@pytest.fixture
def deployment(ask: httpx2.Client) -> dict[str, Any]:
    flow = ask.post("/api/flows/", json={"name": "etl"}).json()["id"]
    ask.post("/api/work_pools/", json={"name": "local", "type": "process"})
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    body = {"name": "prod", "flow_id": flow, "work_pool_name": "local", "parameter_openapi_schema": schema}
    return ask.post("/api/deployments/", json={**body, "schedules": [{"schedule": {"cron": "0 * * * *"}}]}).json()


def test_a_queue_without_a_pool_has_one_all_the_same(ask: httpx2.Client) -> None:
    assert ask.get("/api/work_queues/name/old").status_code == 404
    made = ask.post("/api/work_queues/", json={"name": "old", "filter": None})
    assert made.status_code == 201
    assert made.json()["work_pool_name"] == "default-agent-pool"
    assert ask.post("/api/work_queues/", json={"name": "old"}).status_code == 409
    assert ask.post("/api/work_queues", json={"name": "older"}).status_code == 201
    assert ask.get("/api/work_queues/name/old").json()["id"] == made.json()["id"]
    path = f"/api/work_queues/{made.json()['id']}"
    assert ask.get(f"{path}/status").json() == {
        "healthy": False,
        "late_runs_count": 0,
        "last_polled": None,
        "health_check_policy": {"maximum_late_runs": 0, "maximum_seconds_since_last_polled": 60},
    }
    assert ask.get(f"/api/work_queues/{NO_ID}/status").status_code == 404
    assert ask.post(f"{path}/concurrency_status").json()["flow_runs"] == []
    told = ask.post("/api/work_pools/default-agent-pool/concurrency_status", json={"limit": 2, "flow_run_limit": 0})
    assert (told.json()["count"], told.json()["pages"]) == (3, 2)


def test_runs_are_made_in_bulk_each_by_itself(ask: httpx2.Client, deployment: dict[str, Any]) -> None:
    path = f"/api/deployments/{deployment['id']}/create_flow_run/bulk"
    answer = ask.post(path, json=[{"parameters": {"x": 1}}, {"parameters": {"x": "one"}}, {"work_queue_name": "none"}])
    assert answer.status_code == 200
    first, second, third = answer.json()["results"]
    assert (first["status"], first["error"]) == ("CREATED", None)
    assert ask.get(f"/api/flow_runs/{first['flow_run_id']}").json()["parameters"] == {"x": 1}
    assert (second["status"], second["flow_run_id"]) == ("FAILED", None)
    assert "is not of type" in second["error"]
    assert "no queue called 'none'" in third["error"]
    assert ask.post("/api/flow_runs/count", json={}).json() == 1
    too_many: list[dict[str, Any]] = [{}] * 101
    assert ask.post(path, json=too_many).status_code == 400
    assert ask.post(path, json=[]).json() == {"results": []}
    assert ask.post(f"/api/deployments/{NO_ID}/create_flow_run/bulk", json=[{}]).status_code == 404


def test_a_deployment_tells_its_queue(ask: httpx2.Client, deployment: dict[str, Any]) -> None:
    (queue,) = ask.get(f"/api/deployments/{deployment['id']}/work_queue_check").json()
    assert (queue["name"], queue["work_pool_name"]) == ("default", "local")
    alone = ask.post("/api/deployments/", json={"name": "alone", "flow_id": deployment["flow_id"]}).json()
    assert ask.get(f"/api/deployments/{alone['id']}/work_queue_check").json() == []
    assert ask.get(f"/api/deployments/{NO_ID}/work_queue_check").status_code == 404


def test_schedules_are_asked_for_runs(ask: httpx2.Client, deployment: dict[str, Any]) -> None:
    path = f"/api/deployments/{deployment['id']}/schedule"
    span = {"start_time": "2030-01-01 00:00:00+00:00", "end_time": "2030-01-01 09:00:00+00:00"}
    assert ask.post(path, json={**span, "min_time": 7200.0, "max_runs": 50}).json() == 3
    assert ask.post(path).json() == 3
    assert ask.post("/api/flow_runs/count", json={}).json() == 6
    assert ask.post(path, json={"max_runs": 101}).status_code == 422
    assert ask.post(path, json={"start_time": "9999-12-31T23:00:00+00:00"}).json() == 0
    flow_id = deployment["flow_id"]
    (due,) = ask.post("/api/ui/flows/next-runs", json={"flow_ids": [flow_id]}).json().values()
    assert (due["flow_id"], due["state_type"]) == (flow_id, "SCHEDULED")


def test_states_are_observed(ask: httpx2.Client, deployment: dict[str, Any]) -> None:
    ask.post(f"/api/deployments/{deployment['id']}/create_flow_run", json={})
    (state,) = ask.get("/api/observed-states").json()
    assert (state["state_type"], state["state_name"]) == ("SCHEDULED", "Scheduled")
    assert ask.get("/api/observed-states", params={"query": "late", "order_by": "NAME_ASC", "limit": 1}).json() == []
    for wrong in ({"limit": 0}, {"limit": 201}, {"order_by": "AGE"}, {"query": "x" * 101}):
        assert ask.get("/api/observed-states", params=wrong).status_code == 422


def test_searches_are_kept_by_name(ask: httpx2.Client) -> None:
    condition = {"object": "flow_run", "property": "name", "type": "text", "operation": "is", "value": ["a"], "more": 1}
    made = ask.put("/api/saved_searches/", json={"name": "mine", "filters": [condition]})
    assert made.status_code == 201
    again = ask.put("/api/saved_searches/", json={"name": "mine"})
    assert (again.status_code, again.json()["id"], again.json()["filters"]) == (200, made.json()["id"], [])
    path = f"/api/saved_searches/{made.json()['id']}"
    assert ask.get(path).json() == again.json()
    assert ask.post("/api/saved_searches/filter", json={"limit": 1}).json() == [again.json()]
    assert ask.delete(path).status_code == 204
    assert ask.get(path).status_code == 404
    assert ask.delete(path).status_code == 404


def test_values_are_held_against_a_schema(ask: httpx2.Client) -> None:
    schema = {
        "type": "object",
        "properties": {"x": {"type": "integer"}, "rows": {"type": "array", "items": {"$ref": "#/definitions/Row"}}},
        "required": ["y"],
        "definitions": {"Row": {"type": "object", "properties": {"n": {"minimum": 1}}}},
    }

    def check(values: dict[str, Any], schema: dict[str, Any] = schema) -> httpx2.Response:
        return ask.post("/api/ui/schemas/validate", json={"schema": schema, "values": values})

    assert check({"y": 1}).json() == {"errors": [], "valid": True}
    told = check({"x": "one", "rows": [{}, {"n": 0}]}).json()
    assert told["valid"] is False
    assert told["errors"][0] == '"y" is a required property'
    assert sorted(told["errors"][1:], key=lambda error: error["property"]) == [
        {
            "property": "rows",
            "errors": [
                {"index": 1, "errors": [{"property": "n", "errors": ["0 is less than the minimum of 1"]}]},
            ],
        },
        {"property": "x", "errors": ['"one" is not of type "integer"']},
    ]
    assert check({}, {"$ref": "https://example.com/schema.json"}).status_code == 422
    assert check({}, {"$ref": "file:///etc/passwd"}).status_code == 422


def test_capabilities_are_listed_under_the_contracts_path(ask: httpx2.Client) -> None:
    assert ask.get("/api/block_capabilities/").json() == ask.get("/api/block_capabilities").json() != []
