"""Messages reach those they are for, by the ways that there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.base.errors import ConfigurationError
from headrace.base.settings import load_settings
from headrace.connect import open_courier
from headrace.outbound.courier import Courier, OpenBlock, PostOffice
from headrace.outbound.egress import Egress, Undelivered
from headrace.outbound.mail import MailServer, name_mail
from headrace.schema.outbox import Message
from tests.unit.outbound.mail_server import PASSWORD, USER, MailServerStand, serve_mail
from tests.unit.outbound.receivers import WebReceiver, receive_web

ANYWHERE = Egress(private=True)


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with receive_web() as receiver:
        yield receiver


@pytest.fixture
def stand() -> Iterator[MailServerStand]:
    with serve_mail() as served:
        yield served


def message(kind: Any = "email", **more: Any) -> Message:
    told: dict[str, Any] = {"key": "k", "kind": kind, "subject": "s", "body": "b", **more}
    return Message(**told)


def office(stand: MailServerStand) -> PostOffice:
    return PostOffice(
        server=MailServer(host="127.0.0.1", port=stand.port, security="none"), sender="headrace@example.com"
    )


def credentials(stand: MailServerStand, **more: Any) -> OpenBlock:
    told = {"smtp_server": "127.0.0.1", "smtp_type": "INSECURE", "smtp_port": stand.port, **more}
    return OpenBlock("email-server-credentials", told)


def test_mail_goes_by_the_servers_own_mail_server(stand: MailServerStand) -> None:
    # Whoever runs the server says where that is, private addresses included.
    Courier(post_office=office(stand)).deliver(message(to=("a@x.org", "b@x.org")), None)
    (mail,) = stand.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == ("headrace@example.com", "a@x.org, b@x.org", "s")
    assert mail["Message-ID"] == name_mail("k")


@pytest.mark.parametrize("kind", ["email", "block"])
def test_mail_goes_by_the_mail_server_of_a_block(tmp_path: Path, kind: str) -> None:
    with serve_mail("ssl", login=True, folder=tmp_path) as stand:
        block = credentials(stand, smtp_type="SSL", username=USER, password=PASSWORD, verify=False)
        Courier(egress=ANYWHERE).deliver(message(kind, to=("a@x.org",), subject=None), block)
        assert stand.logins == [USER]
        assert (stand.mails[0]["From"], stand.mails[0]["Subject"]) == (USER, "Headrace")
        assert PASSWORD not in repr(block)


def test_from_whom_mail_is_has_to_be_known(stand: MailServerStand) -> None:
    mail = message(to=("a@x.org",))
    with pytest.raises(Undelivered, match="Nobody says from whom the mail is: set HEADRACE_SERVER_SMTP_FROM"):
        Courier(egress=ANYWHERE).deliver(mail, credentials(stand))
    Courier(egress=ANYWHERE, post_office=office(stand)).deliver(mail, credentials(stand))
    assert stand.mails[0]["From"] == "headrace@example.com"


def test_a_block_is_told_and_a_webhook_is_called(web: WebReceiver) -> None:
    courier = Courier(egress=ANYWHERE)
    courier.deliver(message("block"), OpenBlock("slack-webhook", {"url": web.url}))
    webhook = OpenBlock("webhook", {"url": web.url, "method": "PUT", "headers": {"X": 1}})
    for payload in ({"a": [1]}, "text", None):
        courier.deliver(message("webhook", payload=payload), webhook)
    assert web.received[0].json == {"text": "*s*\nb"}
    assert [each.method for each in web.received] == ["POST", "PUT", "PUT", "PUT"]
    assert [each.body for each in web.received[1:]] == [b'{"a":[1]}', b"text", b""]
    assert {each.headers["idempotency-key"] for each in web.received} == {"k"}


@pytest.mark.parametrize(
    ("what", "block", "reason"),
    [
        ({"to": ("a@x",)}, None, "There is no mail server: set HEADRACE_SERVER_SMTP_HOST"),
        ({}, None, "The mail is for nobody"),
        ({"to": ("a@x",)}, OpenBlock("secret", {}), "A block of type 'secret' is no mail server"),
        ({"to": ("a@x",)}, OpenBlock("email-server-credentials", {"smtp_type": "x"}), "cannot be used"),
        ({"kind": "block"}, None, "The block that it was to be sent by is not there"),
        ({"kind": "block"}, OpenBlock("secret", {}), "A block of type 'secret' tells nobody anything"),
        ({"kind": "webhook"}, None, "The block that it was to be sent by is not there"),
        ({"kind": "webhook"}, OpenBlock("slack-webhook", {"url": "https://x"}), "is no webhook"),
    ],
)
def test_what_can_never_be_sent_is_said(what: dict[str, Any], block: OpenBlock | None, reason: str) -> None:
    with pytest.raises(Undelivered, match=reason) as told:
        Courier().deliver(message(**what), block)
    assert told.value.lasting
    assert "\n" not in str(told.value)


def test_the_settings_say_how_a_server_sends(home: Path) -> None:
    environ = {"HEADRACE_HOME": str(home), "HEADRACE_SERVER_SMTP_HOST": "mail.example.com"}
    with pytest.raises(ConfigurationError, match="set HEADRACE_SERVER_SMTP_FROM"):
        open_courier(load_settings(environ))
    environ |= {"HEADRACE_SERVER_SMTP_USER": "me@example.com", "HEADRACE_SERVER_SMTP_PASSWORD": "pw"}
    courier = open_courier(load_settings(environ))
    assert courier.post_office is not None
    server = courier.post_office.server
    assert (server.host, server.port, server.security) == ("mail.example.com", None, "starttls")
    assert (server.username, server.password, courier.post_office.sender) == ("me@example.com", "pw", "me@example.com")
    assert not courier.egress.private
    environ |= {"HEADRACE_SERVER_SMTP_FROM": "us@example.com", "HEADRACE_SERVER_OUTBOUND_PRIVATE": "all"}
    courier = open_courier(load_settings(environ))
    assert courier.post_office is not None
    assert courier.post_office.sender == "us@example.com"
    assert courier.egress.private
    nobody = open_courier(load_settings({"HEADRACE_HOME": str(home), "HEADRACE_SERVER_OUTBOUND_PRIVATE": "10.0.0.0/8"}))
    assert (nobody.post_office, nobody.egress.networks, nobody.egress.private) == (None, ("10.0.0.0/8",), False)
