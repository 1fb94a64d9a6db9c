"""E-mail by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import formatdate, make_msgid
from typing import Literal

from msgspec import Struct

from headrace.outbound.http import Undelivered

TIMEOUT = 30.0

Security = Literal["ssl", "starttls", "none"]
PORTS: dict[Security, int] = {"ssl": 465, "starttls": 587, "none": 25}


class MailServer(Struct, frozen=True, kw_only=True):
    """A server that takes mail, and how it is spoken to. Nobody logs in over a connection that is not encrypted."""

    host: str
    port: int | None = None
    security: Security = "ssl"
    username: str | None = None
    password: str | None = None
    verify: bool = True


def send_mail(server: MailServer, sender: str, to: Sequence[str], subject: str, body: str) -> None:
    """Hand a text over to a mail server. Raises `Undelivered` in one line when it does not take it."""
    message = EmailMessage(policy=POLICY)
    try:
        message["From"], message["To"] = sender, ", ".join(to)
        message["Subject"] = " ".join(subject.split())
    except ValueError as error:
        raise Undelivered(f"The mail cannot be written: {error}.") from None
    message["Date"], message["Message-ID"] = formatdate(localtime=False), make_msgid(domain="headrace.invalid")
    message.set_content(body)
    if server.username is not None and server.security == "none":
        raise Undelivered("A password is not sent over a connection that is not encrypted: choose ssl or starttls.")
    port = server.port or PORTS[server.security]
    try:
        with _connect(server, port) as session:
            if server.username is not None:
                session.login(server.username, server.password or "")
            session.send_message(message)
    except smtplib.SMTPException as error:
        raise Undelivered(f"The mail server {server.host}:{port} refuses: {_say(error)}.") from None
    except (OSError, UnicodeError) as error:
        raise Undelivered(f"The mail server {server.host}:{port} cannot be reached: {_say(error)}.") from None


def _connect(server: MailServer, port: int) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if not server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if server.security == "ssl":
        return smtplib.SMTP_SSL(server.host, port, timeout=TIMEOUT, context=context)
    session = smtplib.SMTP(server.host, port, timeout=TIMEOUT)
    if server.security == "starttls":
        try:
            session.starttls(context=context)
        except BaseException:
            session.close()
            raise
    return session


def _say(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
