from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, patch, post, put, route
from litestar.params import FromPath, JSONBody, RawBody

from headrace.base.errors import InvalidRequest
from headrace.schema.listing import PlainListing
from headrace.schema.webhook import LARGEST_REQUEST, HookCall, Webhook, WebhookCreate, WebhookFilter, WebhookUpdate
from headrace.server.auth import PERMISSION, Permission, needs
from headrace.server.errors import Refusal
from headrace.server.gateways import Office
from headrace.server.version import ANY_VERSION

READ, EDIT = Permission.READ, Permission.EDIT


class WebhookListing(PlainListing, kw_only=True):
    """Asks for webhooks."""

    webhooks: WebhookFilter | None = None


@post("/api/webhooks/", **needs(EDIT))
def create_webhook(data: JSONBody[WebhookCreate], administration: Office) -> Webhook:
    return administration.create_webhook(data)


# Whoever knows a slug may call the webhook, so only those who may change it are told.
@post("/api/webhooks/filter", status_code=200, **needs(EDIT))
def list_webhooks(data: JSONBody[WebhookListing], administration: Office) -> list[Webhook]:
    return administration.list_webhooks(data.webhooks, data.part)


@get("/api/webhooks/{webhook_id:str}", **needs(EDIT))
def read_webhook(webhook_id: FromPath[UUID], administration: Office) -> Webhook:
    return administration.read_webhook(webhook_id)


@put("/api/webhooks/{webhook_id:str}", status_code=204, **needs(EDIT))
def replace_webhook(webhook_id: FromPath[UUID], data: JSONBody[WebhookUpdate], administration: Office) -> None:
    administration.update_webhook(webhook_id, data)


@patch("/api/webhooks/{webhook_id:str}", status_code=204, **needs(EDIT))
def update_webhook(webhook_id: FromPath[UUID], data: JSONBody[WebhookUpdate], administration: Office) -> None:
    administration.update_webhook(webhook_id, data)


@post("/api/webhooks/{webhook_id:str}/rotate", status_code=200, **needs(EDIT))
def rotate_webhook(webhook_id: FromPath[UUID], administration: Office) -> Webhook:
    return administration.rotate_webhook(webhook_id)


@delete("/api/webhooks/{webhook_id:str}", **needs(EDIT))
def delete_webhook(webhook_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_webhook(webhook_id)


def receive_hook(
    slug: FromPath[str], request: Request[Any, Any, Any], body: RawBody, administration: Office
) -> Response[Any]:
    headers = {name.lower(): value for name, value in request.headers.items()}
    call = HookCall(method=request.method, headers=headers, query=dict(request.query_params), body=body)
    try:
        answer = administration.receive_hook(slug, call)
    except InvalidRequest as error:
        raise Refusal(400, str(error)) from None
    return Response(answer, status_code=204 if answer is None else 200)


# The slug is the credential. Below /api as well, where a proxy lets through nothing else.
hooks = [
    route(
        path,
        http_method=["GET", "POST", "PUT", "PATCH", "DELETE"],
        include_in_schema=False,
        opt={PERMISSION: Permission.PUBLIC, ANY_VERSION: True},
        request_max_body_size=LARGEST_REQUEST,
        sync_to_thread=True,
    )(receive_hook)
    for path in ("/hooks/{slug:str}", "/api/hooks/{slug:str}")
]

routes = [
    create_webhook,
    list_webhooks,
    read_webhook,
    replace_webhook,
    update_webhook,
    rotate_webhook,
    delete_webhook,
    *hooks,
]
