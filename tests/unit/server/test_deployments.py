"""Deployments, work pools and workers as the contract's clients ask for them."""

from typing import Any

import httpx2
import pytest


@pytest.fixture
def flow(ask: httpx2.Client) -> str:
    return ask.post("/api/flows/", json={"name": "etl"}).json()["id"]


@pytest.fixture
def pool(ask: httpx2.Client) -> dict[str, Any]:
    answer = ask.post("/api/work_pools/", json={"name": "local", "type": "process", "base_job_template": {}})
    assert answer.status_code == 201
    return answer.json()


def deploy(ask: httpx2.Client, flow: str, **what: Any) -> httpx2.Response:
    return ask.post("/api/deployments/", json={"name": "prod", "flow_id": flow} | what)


def test_a_deployment_is_made_and_found(ask: httpx2.Client, flow: str, pool: dict[str, Any]) -> None:
    schedules = [
        {"schedule": {"interval": "PT1H", "timezone": "UTC"}, "active": True},
        {"schedule": {"interval": 90.5, "anchor_date": "2026-01-01 00:00:00+00:00"}},
        {"schedule": {"cron": "0 9 * * 1", "timezone": None, "day_or": True}},
        {"schedule": {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin"}, "slug": "daily"},
    ]
    made = deploy(ask, flow, work_pool_name="local", schedules=schedules, paused=False, description=None)
    assert made.status_code == 201
    body = made.json()
    assert [schedule["schedule"] for schedule in body["schedules"]] == [
        {"interval": 3600.0, "timezone": "UTC"},
        {"interval": 90.5, "anchor_date": "2026-01-01T00:00:00Z"},
        {"cron": "0 9 * * 1"},
        {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin"},
    ]
    assert deploy(ask, flow, work_pool_name="local").status_code == 200
    assert ask.get("/api/deployments/name/etl/prod").json()["id"] == body["id"]
    assert ask.get("/api/deployments/name/etl/nothing").status_code == 404
    assert ask.post("/api/deployments/count", json={}).json() == 1
    assert ask.post("/api/deployments/paginate", json={"limit": 1}).json()["pages"] == 1
    assert len(ask.get(f"/api/deployments/{body['id']}/schedules").json()) == 4
    assert ask.post("/api/ui/flows/count-deployments", json={"flow_ids": [flow]}).json() == {flow: 1}
    added = ask.post(f"/api/deployments/{body['id']}/schedules", json=[{"schedule": {"interval": "P1D"}, "slug": "x"}])
    assert (added.status_code, added.json()[0]["schedule"]) == (201, {"interval": 86400.0})
    path = f"/api/deployments/{body['id']}/schedules/{added.json()[0]['id']}"
    assert ask.patch(path, json={"active": False}).status_code == 204
    assert ask.delete(path).status_code == 204
    assert ask.patch(f"/api/deployments/{body['id']}", json={"paused": True}).status_code == 204
    assert ask.post("/api/deployments/bulk_delete", json={}).json() == {"deleted": [body["id"]]}


def test_a_worker_finds_and_claims_a_run(ask: httpx2.Client, flow: str, pool: dict[str, Any]) -> None:
    deployment = deploy(ask, flow, work_pool_name="local").json()["id"]
    wanted = {"state": {"type": "SCHEDULED"}, "parameters": {}, "idempotency_key": "once"}
    run = ask.post(f"/api/deployments/{deployment}/create_flow_run", json=wanted)
    assert run.status_code == 201
    assert ask.post(f"/api/deployments/{deployment}/create_flow_run", json=wanted).status_code == 200
    beat = ask.post("/api/work_pools/local/workers/heartbeat", json={"name": "w", "heartbeat_interval_seconds": 30})
    assert beat.status_code == 204
    online = {"workers": {"status": {"any_": ["ONLINE"]}}}
    (worker,) = ask.post("/api/work_pools/local/workers/filter", json=online).json()
    assert (worker["name"], worker["status"], worker["work_pool_id"]) == ("w", "ONLINE", pool["id"])
    before = {"scheduled_before": "2100-01-01 00:00:00+00:00"}
    (due,) = ask.post("/api/work_pools/local/get_scheduled_flow_runs", json=before).json()
    assert (due["work_pool_id"], due["work_queue_id"]) == (pool["id"], pool["default_queue_id"])
    assert due["flow_run"]["id"] == run.json()["id"]
    bare = ask.post("/api/deployments/get_scheduled_flow_runs", json=before | {"deployment_ids": [deployment]}).json()
    assert [each["id"] for each in bare] == [run.json()["id"]]
    of_queue = ask.post(f"/api/work_queues/{pool['default_queue_id']}/get_runs", json=before).json()
    assert [each["id"] for each in of_queue] == [run.json()["id"]]
    ask.post(f"/api/flow_runs/{run.json()['id']}/set_state", json={"state": {"type": "PENDING"}})
    assert ask.post("/api/work_pools/local/get_scheduled_flow_runs", json=before).json() == []
    assert ask.post("/api/work_pools/filter", json={}).json()[0]["active_slots"] == 1
    assert ask.delete("/api/work_pools/local/workers/w").status_code == 204


def test_queues_are_reached_by_name_and_by_id(ask: httpx2.Client, pool: dict[str, Any]) -> None:
    made = ask.post("/api/work_pools/local/queues", json={"name": "fast"})
    assert made.status_code == 201
    assert ask.post("/api/work_pools/local/queues", json={"name": "fast"}).status_code == 409
    assert ask.post("/api/work_pools/", json={"name": "local"}).status_code == 409
    path = f"/api/work_queues/{made.json()['id']}"
    assert ask.get(path).json() == ask.get("/api/work_pools/local/queues/fast").json()
    assert ask.patch("/api/work_pools/local/queues/fast", json={"priority": 7}).status_code == 204
    assert ask.patch(path, json={"is_paused": True}).status_code == 204
    assert [queue["name"] for queue in ask.post("/api/work_queues/filter", json={}).json()] == ["default", "fast"]
    assert len(ask.post("/api/work_pools/local/queues/filter", json={}).json()) == 2
    assert ask.delete("/api/work_pools/local/queues/fast").status_code == 204
    assert ask.delete(path).status_code == 404
    assert ask.post("/api/work_pools/count", json={}).json() == 1
    assert ask.patch("/api/work_pools/local", json={"is_paused": True}).status_code == 204
    assert ask.delete("/api/work_pools/local").status_code == 204
    assert ask.get("/api/work_pools/local").status_code == 404


def test_a_schedule_is_looked_at_before_it_is_kept(ask: httpx2.Client) -> None:
    wanted = {"schedule": {"cron": "0 0 1 1 *", "timezone": "Europe/Berlin"}, "count": 2}
    shown = ask.post("/api/ui/schedules/preview", json=wanted)
    assert (shown.status_code, len(shown.json())) == (200, 2)
    assert all(instant.endswith("-12-31T23:00:00Z") for instant in shown.json())


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"cron": "99 99 99 99 99 99"}, "A cron string has five fields"),
        ({"cron": "@daily", "timezone": "Mars/Olympus"}, "There is no time zone 'Mars/Olympus'"),
        ({"interval": "soon"}, "interval"),
        ({"interval": 0}, "interval"),
    ],
)
def test_what_is_no_schedule_is_answered_with_a_sentence(
    ask: httpx2.Client, flow: str, schedule: dict[str, Any], message: str
) -> None:
    for answer in (
        ask.post("/api/ui/schedules/preview", json={"schedule": schedule}),
        deploy(ask, flow, schedules=[{"schedule": schedule}]),
    ):
        assert answer.status_code == 422
        assert message in answer.json()["detail"]
        assert "\n" not in answer.json()["detail"]
