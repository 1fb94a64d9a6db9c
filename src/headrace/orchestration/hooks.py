"""Requests to webhooks become events, by the webhook's template."""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.orchestration.events import append_custom
from headrace.orchestration.unit import Unit
from headrace.rules.templates import TemplateError, render
from headrace.schema.report import EventReport
from headrace.schema.webhook import LARGEST_REQUEST, HookCall
from headrace.schema.wire import DEEPEST, Wire, decode_json, measure_depth, simplify
from headrace.schema.wire_event import FLOW_RUN, ID, NAME, ROLE, TASK_RUN, Resource, WireEvent
from headrace.storage.webhooks import WebhookRow

FAILED = "headrace.webhook.failed"
"""The event that tells of a request that made no event."""

PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
"""Headers that are nobody's business but the server's."""

_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json")


class Told(Wire, kw_only=True):
    """The event that a template makes."""

    event: str
    resource: dict[str, Any]
    related: list[dict[str, Any]] = msgspec.field(default_factory=list[dict[str, Any]])
    payload: dict[str, Any] | None = None
    occurred: str | None = None


def make_event(row: WebhookRow, call: HookCall, now: int) -> WireEvent:
    """The event that a request makes. Raises `InvalidRequest` in one line when it makes none."""
    if len(call.body) > LARGEST_REQUEST:
        raise InvalidRequest(f"A webhook takes requests of at most {LARGEST_REQUEST} bytes.")
    headers = {name.lower(): value for name, value in call.headers.items() if name.lower() not in PRIVATE}
    given = {"method": call.method, "headers": headers, "query": call.query, "body": read_body(call)}
    try:
        text = render(row.template, given, as_json=True)
    except TemplateError as error:
        raise InvalidRequest(str(error)) from None
    try:
        told = msgspec.json.decode(text, type=Told)
        occurred = to_datetime(now) if told.occurred is None else msgspec.convert(told.occurred, type(to_datetime(0)))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidRequest(f"What the template makes is no event: {error}.") from None
    if measure_depth(told.payload) > 2 * DEEPEST:
        raise InvalidRequest(f"What the template makes is no event: it is nested more than {2 * DEEPEST} deep.")
    if not told.event.strip():
        raise InvalidRequest("What the template makes is no event: it has no name.")
    if told.event.startswith((FLOW_RUN, TASK_RUN)):
        raise InvalidRequest(f"{told.event} is for the server to say, not for a webhook.")
    resource = _write_labels(told.resource)
    if not resource.get(ID, "").strip():
        raise InvalidRequest(f"What the template makes is no event: its resource has no {ID}.")
    return WireEvent(
        id=uuid7(),
        occurred=occurred,
        received=to_datetime(now),
        event=told.event.strip(),
        resource=resource,
        related=[*map(_write_labels, told.related), describe(row)],
        payload=told.payload or {},
    )


def read_body(call: HookCall) -> Any:
    """What a request says: JSON, the fields of a form, or else a text."""
    media = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = call.body.decode("utf-8", "replace")
    if media == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        value = decode_json(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if _JSON.fullmatch(media):
            raise InvalidRequest(f"The request says that it is JSON, and is not: {error}.") from None
        return text
    if measure_depth(value) > DEEPEST:
        raise InvalidRequest(f"The request is nested more than {DEEPEST} deep.")
    return value


def find_handshake(call: HookCall) -> dict[str, str] | None:
    """What Azure's Event Grid waits to be answered, before it sends anything to an address; None for all other requests."""
    if call.headers.get("aeg-event-type") != "SubscriptionValidation":
        return None
    try:
        told = msgspec.json.decode(call.body, type=list[dict[str, Any]])
        code = cast("dict[str, Any]", told[0]["data"])["validationCode"]
    except (msgspec.MsgspecError, RecursionError, LookupError, TypeError):
        return None
    return {"validationResponse": code} if isinstance(code, str) else None


def tell(unit: Unit, event: WireEvent) -> None:
    """Append an event to the log."""
    append_custom(unit, [EventReport(event.id, to_micros(event.occurred), simplify(event))])


def tell_failure(unit: Unit, row: WebhookRow, call: HookCall, reason: str) -> None:
    """Append to the log that a request made no event."""
    now = to_datetime(unit.now)
    resource = {name: value for name, value in describe(row).items() if name != ROLE}
    payload = {"reason": reason, "method": call.method, "bytes": len(call.body)}
    tell(unit, WireEvent(id=uuid7(), occurred=now, received=now, event=FAILED, resource=resource, payload=payload))


def describe(row: WebhookRow) -> Resource:
    """A webhook as a related resource."""
    return {ID: f"headrace.webhook.{row.id}", NAME: row.name, ROLE: "webhook"}


def _write_labels(labels: dict[str, Any]) -> Resource:
    """Labels as texts: those that say nothing are left out."""
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in labels.items()
        if value is not None
    }
