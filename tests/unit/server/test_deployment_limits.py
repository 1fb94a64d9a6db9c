"""What an unmodified worker of the contract's gets to hear of the limit of a deployment."""

from typing import Any

import httpx2
import pytest

from headrace.server.version import renews_slots
from tests.unit.server.test_contract import set_state

RENEWS, OLDER = "prefect/3.8.8 (API 0.8.4)", "prefect/3.4.10 (API 0.8.4)"


@pytest.fixture
def deployment(ask: httpx2.Client) -> dict[str, Any]:
    flow = ask.post("/api/flows/", json={"name": "etl"}).json()
    body = {
        "name": "d",
        "flow_id": flow["id"],
        "concurrency_limit": 1,
        "concurrency_options": {"collision_strategy": "ENQUEUE", "grace_period_seconds": 60},
    }
    return ask.post("/api/deployments/", json=body).json()


def make_run(ask: httpx2.Client, deployment: dict[str, Any]) -> dict[str, Any]:
    body = {"state": {"type": "SCHEDULED"}, "parameters": {}}
    return ask.post(f"/api/deployments/{deployment['id']}/create_flow_run", json=body).json()


def list_due(ask: httpx2.Client, deployment: dict[str, Any]) -> list[str]:
    body = {"deployment_ids": [deployment["id"]], "scheduled_before": "2999-01-01T00:00:00Z"}
    return [run["id"] for run in ask.post("/api/deployments/get_scheduled_flow_runs", json=body).json()]


def test_a_worker_takes_what_fits_and_is_refused_the_rest(ask: httpx2.Client, deployment: dict[str, Any]) -> None:
    first, second = make_run(ask, deployment), make_run(ask, deployment)
    taken = set_state(ask, first, "PENDING").json()
    assert taken["status"] == "ACCEPT"
    lease = taken["state"]["state_details"]["deployment_concurrency_lease_id"]
    assert lease
    refused = set_state(ask, second, "PENDING").json()
    assert (refused["status"], refused["state"]["type"], refused["state"]["name"]) == (
        "REJECT",
        "SCHEDULED",
        "AwaitingConcurrencySlot",
    )
    assert list_due(ask, deployment) == []
    shown = ask.get(f"/api/deployments/{deployment['id']}").json()["global_concurrency_limit"]
    assert (shown["limit"], shown["active_slots"], shown["name"]) == (1, 1, f"deployment:{deployment['id']}")
    set_state(ask, first, "RUNNING")
    set_state(ask, first, "COMPLETED")
    assert list_due(ask, deployment) == [second["id"]]
    assert set_state(ask, second, "PENDING").json()["status"] == "ACCEPT"


@pytest.mark.parametrize(("agent", "renews"), [(RENEWS, True), (OLDER, False)])
def test_clients_that_renew_their_slot_hold_it_as_long_as_they_do(
    ask: httpx2.Client, deployment: dict[str, Any], agent: str, renews: bool
) -> None:
    run = make_run(ask, deployment)
    ask.headers["user-agent"] = agent
    set_state(ask, run, "PENDING")
    running = set_state(ask, run, "RUNNING").json()
    lease = running["state"]["state_details"]["deployment_concurrency_lease_id"]
    query = {"kind": "deployment", "name": deployment["id"]}
    (holder,) = ask.get("/api/limits/holders", params=query).json()["holders"]
    assert (holder["id"], holder["until"] is not None) == (run["id"], renews)
    renewal = ask.post(f"/api/v2/concurrency_limits/leases/{lease}/renew", json={"lease_duration": 300})
    assert renewal.status_code == 204


def test_who_renews() -> None:
    agents = {
        "prefect/3.4.11 (API 0.8.4)": True,
        RENEWS: True,
        "prefect/4.0.0": True,
        OLDER: False,
        "curl/8": False,
        "": False,
    }
    assert {agent: renews_slots(agent) for agent in agents} == agents


def test_why_and_holders_are_answered(ask: httpx2.Client, deployment: dict[str, Any]) -> None:
    run = make_run(ask, deployment)
    told = ask.get(f"/api/flow_runs/{run['id']}/why").json()
    assert [reason["kind"] for reason in told["reasons"]] == ["no-pool"]
    assert ask.get("/api/flow_runs/00000000-0000-7000-8000-000000000009/why").status_code == 404
    assert ask.get("/api/limits/holders", params={"kind": "nothing", "name": "x"}).status_code == 422
    assert ask.get("/api/limits/holders", params={"kind": "queue", "name": "x"}).status_code == 422
    assert ask.get("/api/limits/holders", params={"kind": "tag", "name": "x"}).status_code == 404
