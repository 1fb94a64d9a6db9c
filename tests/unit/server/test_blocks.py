"""Blocks in the form in which the contract's clients ask for them."""

from typing import Any

import httpx2
import pytest

from headrace.base.ids import uuid7
from headrace.server.auth import Access, Identity, Permission


@pytest.fixture
def block(ask: httpx2.Client) -> dict[str, Any]:
    """A block of a type of its own, as the contract's clients make one."""
    kind = ask.post("/api/block_types/", json={"name": "Log In", "slug": "log-in"}).json()
    fields: dict[str, Any] = {
        "properties": {"password": {}},
        "secret_fields": ["password"],
        "block_type_slug": "log-in",
    }
    schema = ask.post("/api/block_schemas/", json={"fields": fields, "block_type_id": kind["id"], "capabilities": []})
    body = {
        "name": "mine",
        "data": {"user": "u", "password": "p"},
        "block_schema_id": schema.json()["id"],
        "block_type_id": kind["id"],
        "is_anonymous": False,
    }
    made = ask.post("/api/block_documents/", json=body)
    assert (schema.status_code, made.status_code) == (201, 201)
    return made.json()


def test_blocks_as_clients_use_them(ask: httpx2.Client, block: dict[str, Any]) -> None:
    kind, schema = block["block_type"], block["block_schema"]
    assert block["data"] == {"user": "u", "password": "********"}
    assert (block["block_type_name"], block["block_document_references"], kind["is_protected"]) == ("Log In", {}, False)
    assert ask.post("/api/block_types/", json={"name": "Log In", "slug": "log-in"}).status_code == 409
    again = {"fields": schema["fields"], "block_type_id": kind["id"]}
    assert ask.post("/api/block_schemas/", json=again).status_code == 200
    body = {"name": "mine", "block_schema_id": schema["id"], "block_type_id": kind["id"]}
    assert ask.post("/api/block_documents/", json=body).status_code == 409
    assert ask.get("/api/block_types/slug/log-in").json() == ask.get(f"/api/block_types/{kind['id']}").json() == kind
    checksum = f"/api/block_schemas/checksum/{schema['checksum']}"
    assert ask.get(checksum).json() == ask.get(f"/api/block_schemas/{schema['id']}").json() == schema
    assert ask.get(checksum, params={"version": "1.0"}).status_code == 404
    named = "/api/block_types/slug/log-in/block_documents/name/mine"
    assert ask.get(named).json() == block
    opened = {"user": "u", "password": "p"}
    everything = {"include_secrets": "true"}
    assert ask.get(named, params=everything).json()["data"] == opened
    assert ask.get(f"/api/block_documents/{block['id']}", params=everything).json()["data"] == opened
    assert ask.get("/api/block_types/slug/log-in/block_documents").json() == [block]
    assert ask.post("/api/block_documents/filter", json={}).json() == [block]
    (found,) = ask.post("/api/block_documents/filter", json={"include_secrets": True, "sort": None}).json()
    assert found["data"] == opened
    assert ask.post("/api/block_documents/count", json={}).json() == 1
    assert ask.patch(f"/api/block_documents/{block['id']}", json={"data": {"user": "v"}}).status_code == 204
    assert ask.get(named, params=everything).json()["data"] == {"user": "v", "password": "p"}
    assert ask.patch(f"/api/block_types/{kind['id']}", json={"description": "d"}).status_code == 204
    assert (
        ask.post("/api/block_types/filter", json={"block_types": {"slug": {"any_": ["log-in"]}}}).json()[0]["slug"]
        == "log-in"
    )
    of_type = {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}
    assert ask.post("/api/block_schemas/filter", json=of_type).json()[0]["id"] == schema["id"]
    assert ask.delete(f"/api/block_documents/{block['id']}").status_code == 204
    assert ask.get(named).status_code == 404
    assert ask.delete(f"/api/block_schemas/{schema['id']}").status_code == 204
    assert ask.delete(f"/api/block_types/{kind['id']}").status_code == 204
    assert ask.get("/api/block_types/slug/log-in").status_code == 404


def test_what_comes_with_the_server_is_protected(ask: httpx2.Client) -> None:
    secret = ask.get("/api/block_types/slug/secret").json()
    assert secret["is_protected"] is True
    assert ask.delete(f"/api/block_types/{secret['id']}").status_code == 403
    of_type = {"block_schemas": {"block_type_id": {"any_": [secret["id"]]}}}
    (schema,) = ask.post("/api/block_schemas/filter", json=of_type).json()
    assert ask.delete(f"/api/block_schemas/{schema['id']}").status_code == 403
    assert ask.post("/api/block_types/", json={"name": "Prefect It", "slug": "it"}).status_code == 403
    assert ask.post("/api/block_types/install_system_block_types").status_code == 200
    assert ask.get("/api/block_capabilities/").status_code == 200
    assert ask.post("/api/block_documents/rotate_secrets").json()["resealed"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("types", {"name": "a/b", "slug": "a"}),
        ("types", {"name": "a", "slug": "Upper_Case"}),
        ("types", {"name": "a"}),
        ("schemas", {"fields": {}}),
        ("documents", {"name": "Upper", "block_schema_id": str(uuid7()), "block_type_id": str(uuid7())}),
        ("documents", {"block_schema_id": str(uuid7()), "block_type_id": str(uuid7())}),
        ("documents", {"name": "a"}),
    ],
)
def test_a_block_that_cannot_be_is_refused(ask: httpx2.Client, path: str, body: dict[str, Any]) -> None:
    assert ask.post(f"/api/block_{path}/", json=body).status_code == 422


def test_secrets_are_for_those_who_run_flows(
    serve: Any, block: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    onlooker = Identity("onlooker", frozenset({Permission.READ}))

    def identify(_access: Access, _header: str | None) -> Identity:
        return onlooker

    monkeypatch.setattr(Access, "identify", identify)
    ask = serve()
    assert ask.get(f"/api/block_documents/{block['id']}").status_code == 200
    assert ask.post("/api/block_documents/filter", json={}).status_code == 200
    for answer in (
        ask.get(f"/api/block_documents/{block['id']}?include_secrets=true"),
        ask.get("/api/block_types/slug/log-in/block_documents?include_secrets=true"),
        ask.get("/api/block_types/slug/log-in/block_documents/name/mine?include_secrets=true"),
        ask.post("/api/block_documents/filter", json={"include_secrets": True}),
        ask.delete(f"/api/block_documents/{block['id']}"),
        ask.post("/api/block_documents/rotate_secrets"),
    ):
        assert answer.status_code == 403
        assert "password" not in answer.text
