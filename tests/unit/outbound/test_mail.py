"""Mail is handed over to a mail server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from headrace.outbound import egress
from headrace.outbound.egress import PUBLIC, Egress, Undelivered
from headrace.outbound.mail import Mail, MailServer, name_mail, send_mail, write_mail, write_page
from tests.unit.outbound.mail_server import PASSWORD, USER, MailServerStand, Security, serve_mail
from tests.unit.outbound.receivers import MailReceiver, receive_mail


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with receive_mail() as receiver:
        yield receiver


@pytest.fixture
def stand() -> Iterator[MailServerStand]:
    with serve_mail() as served:
        yield served


def server(mail: MailReceiver | MailServerStand, **more: Any) -> MailServer:
    told: dict[str, Any] = {"host": "127.0.0.1", "port": mail.port, "security": "none", **more}
    return MailServer(**told)


def letter(**more: Any) -> Mail:
    told: dict[str, Any] = {"sender": "me@example.com", "to": ["a@example.com"], "subject": "s", "body": "b", **more}
    return Mail(**told)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return found.get_content().replace("\r\n", "\n")


def test_a_mail_arrives_as_a_text_and_as_a_page(stand: MailServerStand) -> None:
    body = "Gruß <b>\n.\n.end\n\nsee https://example.com/runs?a=1&b=2."
    send_mail(
        server(stand), letter(to=["a@example.com", "b@example.com"], subject="Ünï\nsubject", body=body, key="k/1")
    )
    (message,), (envelope,) = stand.mails, stand.envelopes
    assert (message["From"], message["To"]) == ("me@example.com", "a@example.com, b@example.com")
    assert envelope.rcpt_tos == ["a@example.com", "b@example.com"]
    assert (message["Subject"], message["Message-ID"]) == ("Ünï subject", name_mail("k/1"))
    assert message["Date"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert part(message, "plain").rstrip("\n") == body
    page = part(message, "html")
    assert "Gruß &lt;b&gt;\n.\n.end</p>" in page
    link = "https://example.com/runs?a=1&amp;b=2"
    assert f'see <a href="{link}" style="color: #0a6aa6">{link}</a>.</p>' in page
    assert "<h1" in page
    assert "Ünï subject</h1>" in page


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_somebody_logs_in_over_an_encrypted_connection(
    security: Security, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_mail(security, login=True, folder=tmp_path) as stand:
        known = server(stand, security=security, username=USER, password=PASSWORD)
        with pytest.raises(Undelivered, match=r"cannot be reached: .*CERTIFICATE_VERIFY_FAILED") as unknown:
            send_mail(known, letter())
        assert not unknown.value.lasting
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        send_mail(known, letter())
        assert stand.logins == [USER]
        # Pinned to the address that was judged, the certificate is still that of the name.
        within = Egress(networks=("127.0.0.0/8",))
        send_mail(
            server(stand, host="localhost", security=security, username=USER, password=PASSWORD), letter(), within
        )
        with pytest.raises(Undelivered, match=r"refuses: 535 .+\.$") as told:
            send_mail(server(stand, security=security, username=USER, password="wr0ng"), letter())
        assert told.value.lasting
        assert "wr0ng" not in str(told.value)
        monkeypatch.delenv("SSL_CERT_FILE")
        send_mail(server(stand, security=security, verify=False, username=USER, password=PASSWORD), letter())
        assert len(stand.mails) == 3


def test_a_server_that_asks_for_a_login_refuses_others(tmp_path: Path) -> None:
    with serve_mail("ssl", login=True, folder=tmp_path) as stand:
        with pytest.raises(Undelivered, match="refuses: 530"):
            send_mail(server(stand, security="ssl", verify=False), letter())
        assert stand.mails == []


def test_who_is_not_known_there_is_said(stand: MailServerStand) -> None:
    stand.refused = {"b@example.com"}
    with pytest.raises(Undelivered, match=r"takes the mail for others, but not for b@example\.com\.$") as told:
        send_mail(server(stand), letter(to=["a@example.com", "b@example.com"]))
    assert told.value.lasting
    with pytest.raises(Undelivered, match=r"refuses: b@example\.com: 550 nobody is called so\.$") as told:
        send_mail(server(stand), letter(to=["b@example.com"]))
    assert told.value.lasting


@pytest.mark.parametrize(("answer", "lasting"), [("451 come again", False), ("554 never", True)])
def test_some_refusals_last(stand: MailServerStand, answer: str, lasting: bool) -> None:
    stand.answer = answer
    with pytest.raises(Undelivered, match=f"refuses: {answer}") as told:
        send_mail(server(stand), letter())
    assert told.value.lasting is lasting


@pytest.mark.parametrize(
    ("refused", "security"), [("RCPT", "none"), ("MAIL", "none"), ("DATA", "none"), ("EHLO", "starttls")]
)
def test_a_refusal_is_said(mail: MailReceiver, refused: str, security: str) -> None:
    mail.refused = refused
    with pytest.raises(Undelivered, match=r"The mail server 127\.0\.0\.1:\d+ refuses: .+\.$") as told:
        send_mail(server(mail, security=security), letter())
    assert "\n" not in str(told.value)
    assert mail.mails == []


def test_no_password_goes_over_an_open_line(mail: MailReceiver) -> None:
    with pytest.raises(Undelivered, match="A password is not sent over a connection that is not encrypted"):
        send_mail(server(mail, username="me", password="pw"), letter())
    assert mail.said == []


def test_nobody_there_is_said() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nobody = MailServer(host="127.0.0.1", port=port, security="ssl")
    with pytest.raises(Undelivered, match=rf"The mail server 127\.0\.0\.1:{port} cannot be reached"):
        send_mail(nobody, letter())


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_an_open_server_speaks_no_tls(mail: MailReceiver, security: str) -> None:
    with pytest.raises(Undelivered):
        send_mail(server(mail, security=security), letter(), Egress(private=True, seconds=0.5))
    assert mail.mails == []


def test_a_server_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while it is to agree on how to encrypt, where a single wait might last as long as it likes."""
    monkeypatch.setattr("headrace.outbound.mail.TIMEOUT", 3600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Undelivered, match=r"has not taken the mail within 0\.3 s\.$") as told:
            send_mail(MailServer(host="127.0.0.1", port=port), letter(), Egress(private=True, seconds=0.3))
    assert not told.value.lasting


def test_a_server_that_never_ends_a_sentence_is_left() -> None:
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while not ended.wait(0.02):
                try:
                    connection.sendall(b"2")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        open_one = MailServer(host="127.0.0.1", port=listener.getsockname()[1], security="none")
        with pytest.raises(Undelivered, match="The mail server"):
            send_mail(open_one, letter(), Egress(private=True, seconds=0.3))
        ended.set()
        thread.join()


def test_a_mail_server_at_a_private_address_is_refused_where_that_is_not_allowed(
    mail: MailReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Undelivered, match="is at a private address") as told:
        send_mail(server(mail), letter(), PUBLIC)
    assert told.value.lasting
    assert mail.said == []
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    monkeypatch.setattr(egress, "resolve", lambda _host, _port: next(answers))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    send_mail(server(mail, host="mail.test"), letter(), Egress(networks=("127.0.0.0/8",)))
    assert len(mail.mails) == 1


@pytest.mark.parametrize("what", [{"sender": "me@example.com\nBcc: x@example.com"}, {"to": ["a@example.com\nX: y"]}])
def test_a_header_cannot_be_slipped_in(mail: MailReceiver, what: dict[str, Any]) -> None:
    with pytest.raises(Undelivered, match="The mail cannot be written"):
        send_mail(server(mail), letter(**what))
    assert mail.said == []


def test_mails_of_one_key_are_one_mail() -> None:
    assert write_mail(letter(key="a"))["Message-ID"] == write_mail(letter(key="a", body="c"))["Message-ID"]
    assert write_mail(letter(key="a"))["Message-ID"] != write_mail(letter(key="b"))["Message-ID"]
    assert write_mail(letter())["Message-ID"] != write_mail(letter())["Message-ID"]


def test_a_page_is_escaped() -> None:
    page = write_page("<script> in </title>", '<script>alert("1")</script> javascript:x https://x.y/"onload="z"')
    assert "<script" not in page
    assert "<title>&lt;script&gt; in &lt;/title&gt;</title>" in page
    assert 'href="javascript' not in page
    assert '<a href="https://x.y/" style="color: #0a6aa6">https://x.y/</a>&quot;onload=' in page
    assert "password" not in repr(MailServer(host="h", password="password"))
