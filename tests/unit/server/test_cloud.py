"""Clients that take this server for a cloud: one account, one workspace, and everything below its address."""

from typing import Any

import httpx2
import pytest

from headrace.base.ids import DEFAULT_WORKSPACE, uuid7
from headrace.server.cloud import ACCOUNT, leave_workspace
from tests.unit.server.conftest import Asker

HOME = f"/api/accounts/{ACCOUNT}/workspaces/{DEFAULT_WORKSPACE}"


def test_there_is_one_workspace(ask: httpx2.Client) -> None:
    (told,) = ask.get("/api/me/workspaces").json()
    assert (told["account_id"], told["workspace_id"]) == (str(ACCOUNT), str(DEFAULT_WORKSPACE))
    assert {"account_name", "account_handle", "workspace_name", "workspace_description", "workspace_handle"} < {*told}


def test_below_its_address_is_the_api(ask: httpx2.Client) -> None:
    made = ask.post(f"{HOME}/flows/", json={"name": "etl"})
    assert made.status_code == 201
    assert ask.get(f"/api/flows/{made.json()['id']}").json() == made.json()
    page = ask.post(f"{HOME}/events/filter", json={"limit": 1}).json()
    assert page == {"events": [], "total": 0, "next_page": None}


@pytest.mark.parametrize(
    "path",
    [
        f"/api/accounts/{uuid7()}/workspaces/{DEFAULT_WORKSPACE}/flows/count",
        f"/api/accounts/{ACCOUNT}/workspaces/{uuid7()}/flows/count",
        f"/api/accounts/{ACCOUNT}/settings",
        f"{HOME}{HOME}/flows/count",
        HOME,
    ],
)
def test_there_is_nothing_elsewhere(ask: httpx2.Client, path: str) -> None:
    assert ask.post(path, json={}).status_code in {404, 405}


def test_the_address_is_no_credential(serve: Asker) -> None:
    guarded = serve("secret")
    assert guarded.post(f"{HOME}/flows/count", json={}).status_code == 401
    assert guarded.get("/api/me/workspaces").status_code == 401
    key = {"Authorization": "bearer secret"}
    assert guarded.post(f"{HOME}/flows/count", json={}, headers=key).json() == 0


@pytest.mark.parametrize(
    ("path", "within"),
    [
        (f"{HOME}/flows/", "/api/flows/"),
        (f"{HOME.upper().replace('/API/ACCOUNTS', '/api/accounts').replace('WORKSPACES', 'workspaces')}/a", "/api/a"),
        (f"{HOME}x/flows", f"{HOME}x/flows"),
        (f"/x{HOME}/flows", f"/x{HOME}/flows"),
        ("/api/flows/", "/api/flows/"),
    ],
)
def test_only_the_whole_address_is_left(path: str, within: str) -> None:
    assert leave_workspace(path) == within


def test_a_worker_is_told_its_id_if_it_asks(ask: httpx2.Client) -> None:
    ask.post("/api/work_pools/", json={"name": "local", "type": "process"})
    beat: dict[str, Any] = {"name": "w1", "heartbeat_interval_seconds": 30, "metadata": {"integrations": []}}
    plain = ask.post("/api/work_pools/local/workers/heartbeat", json=beat)
    assert (plain.status_code, plain.content) == (204, b"")
    told = ask.post("/api/work_pools/local/workers/heartbeat", json={**beat, "return_id": True})
    (worker,) = ask.post("/api/work_pools/local/workers/filter", json={}).json()
    assert (told.status_code, told.text) == (200, worker["id"])
