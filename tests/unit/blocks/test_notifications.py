"""Notifications arrive in the form that each service asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from headrace.blocks import notifications as n
from headrace.blocks.abstract import NotificationBlock, NotificationError
from headrace.blocks.catalogue import load_classes
from headrace.blocks.core import Block
from headrace.blocks.fields import SecretDict
from headrace.blocks.webhook import Webhook
from headrace.engine.session import Session
from headrace.outbound.egress import Undelivered
from headrace.outbound.mail import write_page
from headrace.outbound.notifiers import NOTIFIERS, load_notifier
from tests.unit.outbound.receivers import MailReceiver, WebReceiver, receive_mail, receive_web


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebReceiver]:
    """Stands for every service."""
    with receive_web() as receiver:
        for kind in map(load_notifier, NOTIFIERS):
            if hasattr(kind, "service"):
                monkeypatch.setattr(kind, "service", f"{receiver.url}/{kind.__name__}")
            if hasattr(kind, "services"):
                monkeypatch.setattr(kind, "services", {region: f"{receiver.url}/{region}" for region in ("us", "eu")})
            monkeypatch.setattr(kind, "reaches_private", True, raising=False)
        yield receiver


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with receive_mail() as receiver:
        yield receiver


def secret(text: str) -> SecretStr:
    return SecretStr(text)


def test_slack(web: WebReceiver) -> None:
    block = n.SlackWebhook(url=secret(f"{web.url}/hook"), notify_type="failure")
    block.notify("It broke.", "Daily")
    asyncio.run(block.anotify("No subject."))
    assert [each.json for each in web.received] == [{"text": "❌ *Daily*\nIt broke."}, {"text": "❌ No subject."}]
    assert web.received[0].path == "/hook"


def test_teams(web: WebReceiver) -> None:
    n.MicrosoftTeamsWebhook(url=secret(web.url), wrap=False).notify("body", "subject")
    n.MicrosoftTeamsWebhook(url=secret(web.url), notify_type="success").notify("body")
    whole, short = [each.json["attachments"][0] for each in web.received]
    assert whole["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [part["text"] for part in whole["content"]["body"]] == ["subject", "body"]
    assert whole["content"]["body"][1]["wrap"] is False
    assert [part["text"] for part in short["content"]["body"]] == ["✅ body"]


def test_discord(web: WebReceiver) -> None:
    block = n.DiscordWebhook(webhook_id=secret("1/2"), webhook_token=secret("tok"), botname="bot")
    block.notify("x" * 3000, "subject")
    (received,) = web.received
    assert received.path == "/Discord/1%2F2/tok"
    assert (received.json["username"], received.json["tts"]) == ("bot", False)
    assert len(received.json["content"]) == 2000
    assert received.json["content"].startswith("**subject**\nxxx")
    assert "avatar_url" not in received.json


def test_mattermost(web: WebReceiver) -> None:
    host, _, port = web.url.removeprefix("http://").partition(":")
    block = n.MattermostWebhook(hostname=host, port=int(port), token=secret("tok"), path="/team/", channels=["a", "b"])
    block.notify("body", "subject")
    n.MattermostWebhook(hostname=host, port=int(port), token=secret("tok")).notify("body")
    assert [each.path for each in web.received] == ["/team/hooks/tok", "/team/hooks/tok", "/hooks/tok"]
    assert [each.json.get("channel") for each in web.received] == ["a", "b", None]
    assert web.received[0].json["text"] == "**subject**\nbody"


def test_pagerduty(web: WebReceiver) -> None:
    n.PagerDutyWebHook(
        integration_key=secret("key"),
        api_key=secret("api"),
        notify_type="failure",
        region_name="eu",
        group="g",
        clickable_url="https://example.com",
        custom_details={"a": "b"},
    ).notify("body", "subject")
    n.PagerDutyWebHook(integration_key=secret("key")).notify("body")
    full, bare = web.received
    assert (full.path, full.headers["authorization"]) == ("/eu", "Token token=api")
    assert (full.json["routing_key"], full.json["event_action"]) == ("key", "trigger")
    assert full.json["payload"] == {
        "summary": "subject", "severity": "critical", "source": "Headrace", "component": "Notification", "group": "g",
        "custom_details": {"a": "b", "body": "body"},
    }  # fmt: skip
    assert full.json["links"] == [{"href": "https://example.com"}]
    assert (bare.path, bare.json["payload"]["summary"], bare.json["payload"]["severity"]) == ("/us", "body", "info")
    assert "authorization" not in bare.headers


def test_opsgenie(web: WebReceiver) -> None:
    n.OpsgenieWebhook(
        apikey=secret("key"), notify_type="warning", target_user=["u"], target_team=["t"], target_schedule=["s"],
        target_escalation=["e"], tags=["x"], alias="al",
    ).notify("body", "s" * 200)  # fmt: skip
    n.OpsgenieWebhook(apikey=secret("key"), priority=2, region_name="eu").notify("body")
    full, bare = web.received
    assert full.headers["authorization"] == "GenieKey key"
    assert [each["type"] for each in full.json["responders"]] == ["user", "team", "schedule", "escalation"]
    assert (full.json["priority"], len(full.json["message"]), full.json["description"]) == ("P3", 130, "body")
    assert (full.json["tags"], full.json["alias"]) == (["x"], "al")
    assert (bare.path, bare.json["priority"], bare.json["message"]) == ("/eu", "P2", "body")


def test_sendgrid(web: WebReceiver) -> None:
    n.SendgridEmail(api_key=secret("key"), sender_email="me@x", to_emails=["a@x", "b@x"]).notify("body", "subject")
    (received,) = web.received
    assert received.headers["authorization"] == "Bearer key"
    assert received.json == {
        "personalizations": [{"to": [{"email": "a@x"}, {"email": "b@x"}]}],
        "from": {"email": "me@x"},
        "subject": "subject",
        "content": [
            {"type": "text/plain", "value": "body"},
            {"type": "text/html", "value": write_page("subject", "body")},
        ],
    }


def test_twilio(web: WebReceiver) -> None:
    block = n.TwilioSMS(
        account_sid="AC1", auth_token=secret("t"), from_phone_number="1800", to_phone_numbers=["1", "+2"]
    )
    block.notify("body", "subject")
    assert [each.form["To"] for each in web.received] == ["+1", "+2"]
    assert web.received[0].form == {"From": "+1800", "To": "+1", "Body": "subject\nbody"}
    assert web.received[0].path == "/Twilio/AC1/Messages.json"
    assert web.received[0].headers["authorization"].startswith("Basic ")


def test_smtp(mail: MailReceiver) -> None:
    block = n.SmtpEmail(host="127.0.0.1", port=mail.port, security="none", sender="me@x.org", to=["a@x.org"])
    block.notify("body")
    assert "Subject: Headrace" in mail.mails[0]
    assert "\n\nbody\n" in mail.mails[0]
    assert "text/html" in mail.mails[0]
    mail.refused = "RCPT"
    with pytest.raises(NotificationError, match=r"SMTP Email: The mail server .* refuses"):
        block.notify("body")
    with pytest.raises(ValidationError):
        n.SmtpEmail(host="h", sender="me@x.org", to=[])


def test_a_custom_webhook_fills_in_names(web: WebReceiver) -> None:
    block = n.CustomWebhookNotificationBlock(
        name="mine",
        url=f"{web.url}/{{{{name}}}}",
        params={"q": "{{ subject }}"},
        json_data={"text": ["{{body}}", 3, None], "{{name}}": {"token": "{{ token }}", "other": "{{unknown}}"}},
        headers={"X-Token": "{{token}}"},
        cookies={"c": "{{token}}"},
        secrets=SecretDict({"token": "s3cret"}),
    )
    block.notify("the {{token}}", "subj")
    (received,) = web.received
    assert received.json == {"text": ["the {{token}}", 3, None], "mine": {"token": "s3cret", "other": "{{unknown}}"}}
    assert received.path == "/mine?q=subj"
    assert (received.headers["x-token"], received.headers["cookie"]) == ("s3cret", "c=s3cret")


def test_a_custom_webhook_sends_forms_and_texts(web: WebReceiver) -> None:
    for form in ({"a": "{{body}}"}, "raw {{body}}"):
        n.CustomWebhookNotificationBlock(name="x", url=web.url, method="PUT", form_data=form).notify("b")
    assert web.received[0].form == {"a": "b"}
    assert (web.received[1].method, web.received[1].body) == ("PUT", b"raw b")
    both = n.CustomWebhookNotificationBlock(name="x", url=web.url, json_data={}, form_data="x")
    with pytest.raises(NotificationError, match="Custom webhook 'x' sends either json_data or form_data, not both"):
        both.notify("b")


def test_what_is_not_taken_raises(web: WebReceiver) -> None:
    web.status, web.body = 403, b"no\nsuch hook"
    block = n.SlackWebhook(url=secret(f"{web.url}/secret-way"))
    with pytest.raises(NotificationError, match=r"^Slack Webhook: 127\.0\.0\.1 answers 403: no such hook\.$") as told:
        block.notify("x")
    assert told.value.log == str(told.value)
    with block.raise_on_failure(), pytest.raises(NotificationError):
        block.notify("x")


def test_private_addresses_can_be_forbidden(web: WebReceiver) -> None:
    with pytest.raises(NotificationError, match="is at a private address"):
        n.SlackWebhook(url=secret(web.url), allow_private_urls=False).notify("x")
    with pytest.raises(Undelivered, match="is at a private address"):
        Webhook(url=secret(web.url), allow_private_urls=False).call({})
    assert web.received == []


def test_a_webhook_is_called(web: WebReceiver) -> None:
    block = Webhook(url=secret(f"{web.url}/hook"), method="PUT", headers=SecretDict({"X-Key": 3}))
    answer = block.call({"total": 6})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert asyncio.run(block.acall("text")).is_success
    first, second = web.received
    assert (first.method, first.path, first.json, first.headers["x-key"]) == ("PUT", "/hook", {"total": 6}, "3")
    assert second.body == b"text"
    assert Webhook(url=secret(web.url), method="GET").call().is_success
    assert web.received[2].body == b""


def test_every_notifier_can_be_kept(session: Session) -> None:
    made: list[Any] = [
        n.SlackWebhook(url=secret("https://hooks.example/1")),
        n.TwilioSMS(account_sid="a", auth_token=secret("t"), from_phone_number="1", to_phone_numbers=["2"]),
        n.CustomWebhookNotificationBlock(name="x", url="https://x", secrets=SecretDict({"k": "v"})),
        n.SmtpEmail(host="h", sender="a@x", to=["b@x"], password=secret("p")),
        Webhook(url=secret("https://x"), headers=SecretDict({"k": "v"})),
    ]
    for block in made:
        block.save("mine")
        found = Block.load(f"{block.get_block_type_slug()}/mine")
        assert found == block
    kinds = [each for each in load_classes() if issubclass(each, NotificationBlock)]
    assert len(kinds) == 11
    assert all(each.get_block_capabilities() == {"notify"} for each in kinds)
    assert session.administration.list_block_capabilities() == [
        "get-directory", "notify", "put-directory", "read-path", "write-path",
    ]  # fmt: skip
