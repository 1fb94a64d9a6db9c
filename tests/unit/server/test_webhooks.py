"""Webhooks at their public address, and templates that are checked."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx2
import pytest

from headrace.schema.webhook import LARGEST_REQUEST

TEMPLATE = '{"event": "x.{{ method }}", "resource": {"prefect.resource.id": "{{ body.id or query.id }}"}}'
KEY = {"Authorization": "Bearer s3cret"}


@pytest.fixture
def locked(serve: Callable[..., httpx2.Client]) -> httpx2.Client:
    """A client of a server with a key, which it does not show by itself."""
    return serve("s3cret")


@pytest.fixture
def slug(locked: httpx2.Client) -> str:
    asked = {"name": "models", "template": TEMPLATE, "service_account_id": None}
    made = locked.post("/api/webhooks/", json=asked, headers=KEY)
    assert made.status_code == 201
    return made.json()["slug"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_whoever_knows_the_slug_may_call_by_all_methods(
    locked: httpx2.Client, slug: str, method: str, prefix: str
) -> None:
    answer = locked.request(method, f"{prefix}/hooks/{slug}?id=1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert locked.request(method, f"{prefix}/hooks/{slug}x?id=1").status_code in {401, 404}
    assert locked.request(method, f"{prefix}/hooks/{slug}/more?id=1").status_code in {401, 404, 405}


def test_nobody_else_sees_a_slug(locked: httpx2.Client, slug: str) -> None:
    assert locked.post("/api/webhooks/filter", json={}).status_code == 401
    assert locked.get(f"/api/webhooks/{slug}").status_code == 401


def test_what_makes_no_event_is_400(locked: httpx2.Client, slug: str) -> None:
    answer = locked.post(f"/hooks/{slug}", json={})
    assert answer.status_code == 400
    assert "its resource has no prefect.resource.id" in answer.json()["detail"]
    answer = locked.post(f"/hooks/{slug}", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert locked.post(f"/hooks/{slug}", content=b"x" * (LARGEST_REQUEST + 1)).status_code == 413


def test_event_grid_is_answered(locked: httpx2.Client, slug: str) -> None:
    headers = {"aeg-event-type": "SubscriptionValidation"}
    answer = locked.post(f"/hooks/{slug}", json=[{"data": {"validationCode": "c0de"}}], headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "c0de"})


def test_the_contracts_routes(ask: httpx2.Client) -> None:
    made = ask.post("/api/webhooks/", json={"name": "models", "template": TEMPLATE}).json()
    assert made.keys() >= {"id", "created", "updated", "name", "description", "enabled", "template", "slug"}
    assert ask.post("/api/webhooks/filter").json() == [made]
    # The contract's client sends back all that it was answered.
    assert ask.put(f"/api/webhooks/{made['id']}", json=made | {"enabled": False}).status_code == 204
    assert ask.get(f"/api/webhooks/{made['id']}").json()["enabled"] is False
    assert ask.patch(f"/api/webhooks/{made['id']}", json={"enabled": True}).status_code == 204
    rotated = ask.post(f"/api/webhooks/{made['id']}/rotate")
    assert (rotated.status_code, rotated.json()["slug"] == made["slug"]) == (200, False)
    assert ask.post("/api/webhooks/", json={"name": "models", "template": TEMPLATE}).status_code == 409
    assert ask.delete(f"/api/webhooks/{made['id']}").status_code == 204
    assert ask.get(f"/api/webhooks/{made['id']}").status_code == 404


def test_a_bad_template_is_refused(ask: httpx2.Client) -> None:
    answer = ask.post("/api/webhooks/", json={"name": "models", "template": "{{ a"})
    assert answer.status_code == 422
    assert answer.json()["exception_detail"][0]["loc"] == ["body", "template"]


@pytest.mark.parametrize("path", ["/api/templates/validate", "/api/automations/templates/validate"])
def test_templates_are_checked(ask: httpx2.Client, path: str) -> None:
    good = ask.post(path, json="{{ flow_run.name }}")
    assert (good.status_code, good.content) == (200, b"null")
    assert ask.post(path).status_code == 200
    assert ask.post(path, content=json.dumps("x")).status_code == 200
    bad = ask.post(path, json="\n{{ flow_run.name")
    assert bad.status_code == 422
    assert bad.json()["detail"].startswith("body: Line 2 of the template: unexpected end of template")
    assert ask.post(path, json={"a": 1}).status_code == 422
