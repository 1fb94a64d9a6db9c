from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.base.errors import GatewayError, InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor
from headrace.schema.filters import IdFilter, TextFilter
from headrace.schema.run import Page
from headrace.schema.webhook import LARGEST_REQUEST, HookCall, Webhook, WebhookCreate, WebhookFilter, WebhookUpdate
from headrace.schema.workspace import Scope
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage

TEMPLATE = """{
  "event": "model.{{ method|lower }}",
  "resource": {"prefect.resource.id": "models.{{ body.model }}", "prefect.resource.name": "{{ headers['x-name'] }}"},
  "payload": {{ body|tojson }}
}"""


@pytest.fixture
def hook(administration: Administration) -> Webhook:
    return administration.create_webhook(WebhookCreate(name="models", description="d", template=TEMPLATE))


def told(execution: Execution) -> list[dict[str, Any]]:
    """The events that are no states of runs."""
    page = execution.read_events(Cursor(), 1000, ("custom",))
    return [event.body or {} for event in page.events]


def send(
    administration: Administration, hook: Webhook, body: Any, media: str = "application/json", **more: Any
) -> dict[str, str] | None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": media, **more.pop("headers", {})}
    return administration.receive_hook(hook.slug, HookCall(body=content, headers=headers, **more))


def test_a_webhook_is_kept(administration: Administration, hook: Webhook, stage: Stage) -> None:
    assert (hook.name, hook.description, hook.template, hook.enabled) == ("models", "d", TEMPLATE, True)
    assert hook.created == hook.updated == stage.now
    assert len(hook.slug) == 22
    assert administration.read_webhook(hook.id) == hook
    with pytest.raises(ObjectAlreadyExists, match="There is a webhook called 'models' already"):
        administration.create_webhook(WebhookCreate(name="models", template="{}"))


def test_webhooks_are_listed_by_name(administration: Administration, hook: Webhook) -> None:
    other = administration.create_webhook(WebhookCreate(name="ages", template="{}", enabled=False))
    assert administration.list_webhooks() == [other, hook]
    assert administration.list_webhooks(page=Page(1, 1)) == [hook]
    assert administration.list_webhooks(WebhookFilter(name=TextFilter(like_="AGE"))) == [other]
    assert administration.list_webhooks(WebhookFilter(id=IdFilter(any_=[hook.id]))) == [hook]
    assert other.slug != hook.slug


def test_an_update_changes_what_it_names(administration: Administration, hook: Webhook, stage: Stage) -> None:
    stage.clock.advance(1)
    administration.update_webhook(hook.id, WebhookUpdate(enabled=False))
    now = administration.read_webhook(hook.id)
    assert (now.enabled, now.name, now.template, now.description, now.slug) == (
        False,
        "models",
        TEMPLATE,
        "d",
        hook.slug,
    )
    assert now.updated == stage.now
    administration.update_webhook(hook.id, WebhookUpdate(name="m", description=None, template="{}", enabled=True))
    now = administration.read_webhook(hook.id)
    assert (now.enabled, now.name, now.template, now.description) == (True, "m", "{}", None)
    administration.update_webhook(hook.id, WebhookUpdate(name="m"))
    administration.create_webhook(WebhookCreate(name="taken", template="{}"))
    with pytest.raises(ObjectAlreadyExists, match="There is a webhook called 'taken' already"):
        administration.update_webhook(hook.id, WebhookUpdate(name="taken"))


def test_a_template_is_checked_when_it_is_kept(administration: Administration, hook: Webhook) -> None:
    for ask in (
        lambda: administration.create_webhook(WebhookCreate(name="x", template="{{ a")),
        lambda: administration.update_webhook(hook.id, WebhookUpdate(template="{{ a")),
    ):
        with pytest.raises(InvalidRequest, match="Line 1 of the template: unexpected end of template"):
            ask()
    assert administration.list_webhooks() == [hook]


def test_what_is_not_there_is_said(administration: Administration, hook: Webhook) -> None:
    administration.delete_webhook(hook.id)
    for ask in (
        lambda: administration.read_webhook(hook.id),
        lambda: administration.rotate_webhook(hook.id),
        lambda: administration.update_webhook(hook.id, WebhookUpdate(enabled=True)),
        lambda: administration.delete_webhook(hook.id),
    ):
        with pytest.raises(ObjectNotFound, match=f"There is no webhook with id {hook.id}"):
            ask()
    with pytest.raises(ObjectNotFound, match="There is no such webhook"):
        administration.receive_hook(hook.slug, HookCall())


def test_a_request_becomes_an_event(
    administration: Administration, execution: Execution, hook: Webhook, stage: Stage
) -> None:
    body = {"model": 'a", "evil": "b', "score": 0.5}
    headers = {"x-name": "The Model", "authorization": "Bearer secret"}
    assert send(administration, hook, body, method="PUT", headers=headers) is None
    (event,) = told(execution)
    assert event["event"] == "model.put"
    assert event["resource"] == {"prefect.resource.id": 'models.a", "evil": "b', "prefect.resource.name": "The Model"}
    assert event["payload"] == body
    assert event["related"] == [
        {
            "prefect.resource.id": f"headrace.webhook.{hook.id}",
            "prefect.resource.name": "models",
            "prefect.resource.role": "webhook",
        }
    ]
    assert event["occurred"].startswith(stage.now.isoformat()[:19])


def test_all_kinds_of_bodies_are_read(administration: Administration, execution: Execution, hook: Webhook) -> None:
    template = '{"event": "x", "resource": {"prefect.resource.id": "{{ body.a or body }}{{ query.q }}"}}'
    administration.update_webhook(hook.id, WebhookUpdate(template=template))
    send(administration, hook, b"a=form+x&b=", "application/x-www-form-urlencoded; charset=utf-8")
    send(administration, hook, b'{"a": "json"}', "text/plain")
    send(administration, hook, b"text \xff", "text/plain", query={"q": "?"})
    send(administration, hook, b'{"a": 3}', "application/cloudevents+json")
    ids = [event["resource"]["prefect.resource.id"] for event in told(execution)]
    assert ids == ["form x", "json", "text \ufffd?", "3"]


def test_cloud_events_are_events(administration: Administration, execution: Execution, hook: Webhook) -> None:
    administration.update_webhook(hook.id, WebhookUpdate(template="{{ body|from_cloud_event(headers) }}"))
    told_in_body = {
        "specversion": "1.0", "type": "made", "source": "/shop", "subject": "7", "time": "2026-01-02T03:04:05Z",
        "data": {"a": 1},
    }  # fmt: skip
    send(administration, hook, told_in_body, "application/cloudevents+json")
    send(administration, hook, [1], headers={"ce-type": "made", "ce-source": "/shop", "ce-specversion": "1.0"})
    first, second = told(execution)
    assert (first["event"], first["occurred"], first["payload"]) == ("made", "2026-01-02T03:04:05Z", {"a": 1})
    assert first["resource"] == {"prefect.resource.id": "/shop/7", "prefect.resource.name": "7"}
    assert (second["resource"]["prefect.resource.id"], second["payload"]) == ("/shop", {"data": [1]})
    with pytest.raises(InvalidRequest, match="this is no CloudEvent"):
        send(administration, hook, {})


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("nothing", "What the template makes is no event: JSON is malformed"),
        ('{"event": "x"}', "What the template makes is no event: Object missing required field `resource`"),
        ('{"event": " ", "resource": {"prefect.resource.id": "x"}}', "it has no name"),
        ('{"event": "x", "resource": {}}', r"its resource has no prefect\.resource\.id"),
        ('{"event": "x", "resource": {"prefect.resource.id": "{{ body.missing }}"}}', r"its resource has no prefect"),
        ('{"event": "x", "resource": {"prefect.resource.id": "x"}, "occurred": "today"}', "Invalid RFC3339"),
        (
            '{"event": "prefect.flow-run.Completed", "resource": {"prefect.resource.id": "x"}}',
            "is for the server to say",
        ),
        ("{{ 1 / 0 }}", "Line 1 of the template: division by zero"),
    ],
)
def test_what_makes_no_event_is_said(
    administration: Administration, execution: Execution, hook: Webhook, template: str, reason: str
) -> None:
    administration.update_webhook(hook.id, WebhookUpdate(template=template))
    with pytest.raises(InvalidRequest, match=reason):
        send(administration, hook, {"a": 1})
    (event,) = told(execution)
    assert event["event"] == "headrace.webhook.failed"
    assert event["resource"] == {
        "prefect.resource.id": f"headrace.webhook.{hook.id}",
        "prefect.resource.name": "models",
    }
    assert (event["payload"]["method"], event["payload"]["bytes"]) == ("POST", 8)
    assert event["payload"]["reason"]


def test_requests_have_bounds(administration: Administration, execution: Execution, hook: Webhook) -> None:
    with pytest.raises(GatewayError):
        send(administration, hook, b"x" * (LARGEST_REQUEST + 1), "text/plain")
    with pytest.raises(InvalidRequest, match="The request says that it is JSON, and is not"):
        send(administration, hook, b"{", "application/json")


@pytest.mark.parametrize("deep", [66, 900, 995, 100_000])
def test_what_is_nested_to_do_harm_is_refused(
    administration: Administration, execution: Execution, hook: Webhook, deep: int
) -> None:
    body = b"[" * deep + b"]" * deep
    with pytest.raises(InvalidRequest, match="nested"):
        send(administration, hook, body, "application/json")
    assert [event["event"] for event in told(execution)] == ["headrace.webhook.failed"]
    with pytest.raises(InvalidRequest, match="nested"):
        send(administration, hook, body, headers={"aeg-event-type": "SubscriptionValidation"})


@pytest.mark.parametrize("deep", [130, 995, 100_000])
def test_so_is_what_a_template_nests(
    administration: Administration, execution: Execution, hook: Webhook, deep: int
) -> None:
    nested = (
        '{"event": "e", "resource": {"prefect.resource.id": "r"}, "payload": {"deep": {{ body|replace("x", "") }}}}'
    )
    administration.update_webhook(hook.id, WebhookUpdate(template=nested))
    with pytest.raises(InvalidRequest, match=r"What the template makes is no event: .*(nested|recursion)"):
        send(administration, hook, b"x" + b"[" * deep + b"]" * deep, "text/plain")
    assert [event["event"] for event in told(execution)] == ["headrace.webhook.failed"]


def test_a_webhook_that_is_off_or_has_moved_does_not_answer(
    administration: Administration, execution: Execution, hook: Webhook
) -> None:
    administration.update_webhook(hook.id, WebhookUpdate(enabled=False))
    with pytest.raises(ObjectNotFound, match="There is no such webhook"):
        send(administration, hook, {})
    administration.update_webhook(hook.id, WebhookUpdate(enabled=True))
    moved = administration.rotate_webhook(hook.id)
    assert moved.slug != hook.slug
    assert administration.read_webhook(hook.id) == moved
    with pytest.raises(ObjectNotFound, match="There is no such webhook"):
        send(administration, hook, {})
    assert told(execution) == []
    send(administration, moved, {"model": "m"})
    assert len(told(execution)) == 1


def test_event_grid_is_answered(administration: Administration, execution: Execution, hook: Webhook) -> None:
    headers = {"aeg-event-type": "SubscriptionValidation"}
    asked = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "c0de"}}]
    assert send(administration, hook, asked, headers=headers) == {"validationResponse": "c0de"}
    assert told(execution) == []
    administration.update_webhook(hook.id, WebhookUpdate(template="nothing"))
    for strange in (b"[]", b"{}", b"x", b'[{"data": {}}]', b'[{"data": {"validationCode": 3}}]', b'[{"data": []}]'):
        with pytest.raises(InvalidRequest):
            send(administration, hook, strange, headers=headers)


def test_the_slug_says_whose_webhook_it_is(implementation: Orchestrations) -> None:
    other_scope = Scope(workspace_id=uuid7())
    one, other = implementation.open(), implementation.open(other_scope)
    made = other.administration.create_webhook(WebhookCreate(name="models", template=TEMPLATE))
    assert one.administration.list_webhooks() == []
    with pytest.raises(ObjectNotFound):
        one.administration.read_webhook(made.id)
    send(one.administration, made, {"model": "m"})
    assert told(one.execution) == []
    assert [event["event"] for event in told(other.execution)] == ["model.post"]
