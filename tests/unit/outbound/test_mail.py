"""Mail is handed over to a mail server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from headrace.outbound.http import Undelivered
from headrace.outbound.mail import MailServer, send_mail
from tests.unit.outbound.receivers import MailReceiver, receive_mail


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with receive_mail() as receiver:
        yield receiver


def server(mail: MailReceiver, **more: Any) -> MailServer:
    told: dict[str, Any] = {"host": "127.0.0.1", "port": mail.port, "security": "none", **more}
    return MailServer(**told)


def test_a_mail_arrives_whole(mail: MailReceiver) -> None:
    send_mail(server(mail), "me@example.com", ["a@example.com", "b@example.com"], "Ünï\nsubject", "Gruß\n.\n.end")
    (text,) = mail.mails
    message = message_from_bytes(text.replace("\n..", "\n.").encode(), policy=default)
    assert (message["From"], message["To"]) == ("me@example.com", "a@example.com, b@example.com")
    assert message["Subject"] == "Ünï subject"
    assert message["Date"]
    assert message.get_content() == "Gruß\n.\n.end"
    assert [line for line in mail.said if line.startswith("rcpt")] == [
        "rcpt TO:<a@example.com>",
        "rcpt TO:<b@example.com>",
    ]


@pytest.mark.parametrize(
    ("refused", "security"), [("RCPT", "none"), ("MAIL", "none"), ("DATA", "none"), ("EHLO", "starttls")]
)
def test_a_refusal_is_said(mail: MailReceiver, refused: str, security: str) -> None:
    mail.refused = refused
    with pytest.raises(Undelivered, match=r"The mail server 127\.0\.0\.1:\d+ refuses: .+\.$") as told:
        send_mail(server(mail, security=security), "me@example.com", ["a@example.com"], "s", "b")
    assert "\n" not in str(told.value)
    assert mail.mails == []


def test_no_password_goes_over_an_open_line(mail: MailReceiver) -> None:
    with pytest.raises(Undelivered, match="A password is not sent over a connection that is not encrypted"):
        send_mail(server(mail, username="me", password="pw"), "me@example.com", ["a@example.com"], "s", "b")
    assert mail.said == []


def test_nobody_there_is_said() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nobody = MailServer(host="127.0.0.1", port=port, security="ssl")
    with pytest.raises(Undelivered, match=rf"The mail server 127\.0\.0\.1:{port} cannot be reached"):
        send_mail(nobody, "me@example.com", ["a@example.com"], "s", "b")


def test_an_open_server_speaks_no_tls(mail: MailReceiver) -> None:
    with pytest.raises(Undelivered):
        send_mail(server(mail, security="starttls"), "me@example.com", ["a@example.com"], "s", "b")
    assert mail.mails == []


def test_a_header_cannot_be_slipped_in(mail: MailReceiver) -> None:
    with pytest.raises(Undelivered, match="The mail cannot be written"):
        send_mail(server(mail), "me@example.com\nBcc: x@example.com", ["a@example.com"], "s", "b")
