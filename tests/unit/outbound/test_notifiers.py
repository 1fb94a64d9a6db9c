"""What a block says and what a service is told are one definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from headrace.blocks import notifications
from headrace.blocks.email import EmailServerCredentials
from headrace.blocks.webhook import Webhook
from headrace.outbound.egress import PUBLIC, Egress, Undelivered
from headrace.outbound.notifier import Notice, Notifier
from headrace.outbound.notifiers import NOTIFIERS, load_notifier, open_notifier
from headrace.outbound.notifiers.credentials import Credentials
from tests.unit.outbound.receivers import WebReceiver, receive_web

BLOCKS: dict[str, Any] = {
    each._service: each  # pyright: ignore[reportPrivateUsage]
    for each in (getattr(notifications, name) for name in notifications.__all__)
} | {"webhook": Webhook, "email-server-credentials": EmailServerCredentials}


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with receive_web() as receiver:
        yield receiver


def test_every_service_has_a_block() -> None:
    assert BLOCKS.keys() == {*NOTIFIERS, "email-server-credentials"}
    for slug, block in BLOCKS.items():
        assert block.get_block_type_slug() == slug


@pytest.mark.parametrize("slug", sorted(BLOCKS))
def test_a_block_and_its_service_have_the_same_fields(slug: str) -> None:
    kind: Any = Credentials if slug == Credentials.slug else load_notifier(slug)
    assert kind.slug == slug
    told = {field.name: field for field in msgspec.structs.fields(kind)}
    assert told.keys() == BLOCKS[slug].model_fields.keys()
    for name, field in BLOCKS[slug].model_fields.items():
        here = told[name]
        assert here.required == (field.default is PydanticUndefined and field.default_factory is None), name
        if not here.required and field.default_factory is None:
            assert here.default == field.default, name


def test_what_a_block_holds_is_not_shown() -> None:
    made = open_notifier("slack-webhook", {"url": "https://s3cret"})
    assert repr(made) == "Slack(…)"
    assert "s3cret" not in repr(Credentials(password="s3cret"))


def test_what_cannot_be_used_is_said_without_values() -> None:
    with pytest.raises(Undelivered, match=r"^A block of type 'secret' tells nobody anything\.$") as told:
        open_notifier("secret", {})
    assert told.value.lasting
    with pytest.raises(Undelivered, match=r"^The block of type 'twilio-sms' cannot be used: .*missing") as told:
        open_notifier("twilio-sms", {"auth_token": "s3cret"})
    assert told.value.lasting
    assert "s3cret" not in str(told.value)
    other = open_notifier("slack-webhook", {"url": "https://x", "notify_type": "prefect_default", "more": 1})
    assert isinstance(other, Notifier)


@pytest.mark.parametrize("slug", ["slack-webhook", "webhook", "custom-webhook"])
def test_a_request_goes_under_its_key(web: WebReceiver, slug: str) -> None:
    notifier = open_notifier(slug, {"url": web.url, "name": "n", "form_data": "x"})
    notifier.tell(Notice(body="b", subject="s", key="fïring/1"))
    notifier.tell(Notice(body="b"))
    first, second = web.received
    assert first.headers["idempotency-key"] == "f%C3%AFring/1"
    assert "idempotency-key" not in second.headers


def test_alerts_of_one_key_are_one_alert(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for slug in ("pager-duty-webhook", "opsgenie-webhook"):
        kind = load_notifier(slug)
        monkeypatch.setattr(kind, "services", {"us": web.url})
        monkeypatch.setattr(kind, "reaches_private", True)
    open_notifier("pager-duty-webhook", {"integration_key": "i"}).tell(Notice(body="b", key="k"))
    open_notifier("opsgenie-webhook", {"apikey": "i"}).tell(Notice(body="b", key="k"))
    open_notifier("opsgenie-webhook", {"apikey": "i", "alias": "own"}).tell(Notice(body="b", key="k"))
    assert web.received[0].json["dedup_key"] == "k"
    assert [each.json["alias"] for each in web.received[1:]] == ["k", "own"]


def test_a_notice_is_a_payload_as_well(web: WebReceiver) -> None:
    open_notifier("webhook", {"url": web.url}).tell(Notice(body="b", subject="s"))
    assert web.received[0].json == {"subject": "s", "body": "b"}


def test_services_may_be_kept_from_private_addresses(web: WebReceiver) -> None:
    for slug in ("slack-webhook", "webhook"):
        with pytest.raises(Undelivered, match="is at a private address"):
            open_notifier(slug, {"url": web.url}).tell(Notice(body="b"), PUBLIC)
    host, _, port = web.url.removeprefix("http://").partition(":")
    mattermost = open_notifier("mattermost-webhook", {"hostname": host, "port": port, "token": "t"})
    with pytest.raises(Undelivered, match="is at a private address"):
        mattermost.tell(Notice(body="b"), PUBLIC)
    mattermost.tell(Notice(body="b"), Egress(networks=("127.0.0.1/32",)))
    assert len(web.received) == 1


def test_apprise_tells_what_it_knows(web: WebReceiver) -> None:
    pytest.importorskip("apprise", reason="the extra apprise is not installed")
    address = web.url.replace("http://", "json://")
    block = notifications.AppriseNotificationBlock(url=SecretStr(f"{address}/way"), notify_type="failure")
    block.notify("body", "subject")
    (received,) = web.received
    assert (received.json["title"], received.json["message"], received.json["type"]) == ("subject", "body", "failure")
    web.status = 500
    with pytest.raises(notifications.NotificationError, match=r"^Apprise: JSON has not taken it\.$"):
        block.notify("body")
    with pytest.raises(Undelivered, match=r"^This is no address that apprise knows\.$") as told:
        open_notifier("apprise", {"url": "nothing://s3cret"}).tell(Notice(body="b"))
    assert told.value.lasting
    with pytest.raises(Undelivered, match=r"^JSON is at an address that the block names") as told:
        open_notifier("apprise", {"url": address}).tell(Notice(body="b"), Egress(networks=("127.0.0.0/8",)))
    assert told.value.lasting


def test_apprise_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(Undelivered, match=r"pip install 'headrace\[apprise\]'"):
        open_notifier("apprise", {"url": "json://x"}).tell(Notice(body="b"))
