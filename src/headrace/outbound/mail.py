"""E-mail by SMTP: a text, and beside it the same as a page."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import formatdate, make_msgid
from hashlib import sha256
from html import escape
from typing import Any, Literal

from msgspec import Struct

from headrace.outbound.egress import ANYWHERE, Deadline, Egress, Undelivered

TIMEOUT = 30.0
"""Seconds that a mail server may be silent."""
Security = Literal["ssl", "starttls", "none"]
PORTS: dict[Security, int] = {"ssl": 465, "starttls": 587, "none": 25}

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}]")
_SHEET = (
    "@media (prefers-color-scheme: dark) {\n"
    "  body { background: #0e1418 !important; color: #e9eef1 !important }\n"
    "  .card { background: #141b20 !important; border-color: #2b353c !important }\n"
    "  a { color: #6cb8ea !important }\n"
    "}\n"
    "@media (max-width: 480px) {\n"
    "  body { padding: 12px !important }\n"
    "  .card { padding: 16px !important }\n"
    "}"
)
"""What only some readers of mail heed; the others go by what each element says of itself."""
_PAGE = (
    '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="color-scheme" content="light dark">\n<title>{subject}</title>\n<style>\n{sheet}\n</style>\n</head>\n'
    '<body style="margin: 0; padding: 24px; background: #f4f6f7; color: #16222b; '
    "font-family: -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; font-size: 15px; line-height: 1.5\">\n"
    '<div class="card" style="max-width: 640px; margin: 0 auto; padding: 24px; background: #ffffff; '
    'border: 1px solid #e0e4e7; border-radius: 8px">\n'
    '<h1 style="margin: 0; font-size: 18px; line-height: 1.35; overflow-wrap: anywhere">{subject}</h1>\n'
    "{paragraphs}\n</div>\n</body>\n</html>\n"
)


class MailServer(Struct, frozen=True, kw_only=True):
    """A server that takes mail, and how it is spoken to. Nobody logs in over a connection that is not encrypted."""

    host: str
    port: int | None = None
    security: Security = "ssl"
    username: str | None = None
    password: str | None = None
    verify: bool = True

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port or PORTS[self.security]}, {self.security})"


class Mail(Struct, frozen=True, kw_only=True):
    """A mail. Under a key, it is the same mail however often it is sent."""

    sender: str
    to: Sequence[str]
    subject: str
    body: str
    key: str | None = None


def send_mail(server: MailServer, mail: Mail, egress: Egress = ANYWHERE) -> None:
    """Hand a mail over to a mail server. Raises `Undelivered` in one line when it does not take it, for whomever of those it
    is for.
    """
    message = write_mail(mail)
    if server.username is not None and server.security == "none":
        text = "A password is not sent over a connection that is not encrypted: choose ssl or starttls."
        raise Undelivered(text, lasting=True)
    port = server.port or PORTS[server.security]
    place = f"The mail server {server.host}:{port}"
    address = server.host if egress.private else egress.choose(server.host, port)
    with Deadline(egress.seconds) as deadline:
        try:
            with _connect(server, port, address, deadline) as session:
                if server.username is not None:
                    session.login(server.username, server.password or "")
                refused: dict[str, tuple[int, bytes]] = session.send_message(message)
        except smtplib.SMTPException as error:
            raise Undelivered(f"{place} refuses: {_say(error)}.", lasting=_is_lasting(error)) from None
        except (OSError, UnicodeError) as error:
            said = (
                f"has not taken the mail within {egress.seconds:g} s"
                if deadline.passed
                else f"cannot be reached: {_say(error)}"
            )
            raise Undelivered(f"{place} {said}.") from None
    if refused:
        raise Undelivered(f"{place} takes the mail for others, but not for {', '.join(refused)}.", lasting=True)


def write_mail(mail: Mail) -> EmailMessage:
    """The mail as it is handed over. Raises `Undelivered` for addresses that are none."""
    message = EmailMessage(policy=POLICY)
    try:
        message["From"], message["To"] = mail.sender, ", ".join(mail.to)
        message["Subject"] = " ".join(mail.subject.split())
    except ValueError as error:
        raise Undelivered(f"The mail cannot be written: {error}.", lasting=True) from None
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain="headrace.invalid") if mail.key is None else name_mail(mail.key)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    message.add_alternative(write_page(mail.subject, mail.body), subtype="html")
    return message


def name_mail(key: str) -> str:
    """The identifier that a mail has under a key, by which mail servers and readers know it again."""
    return f"<{sha256(key.encode()).hexdigest()[:40]}@headrace.invalid>"


def write_page(subject: str, body: str) -> str:
    """A text as a page: its paragraphs and lines, and addresses of the web as links."""
    parts = [part for part in re.split(r"\n\s*\n", body.strip("\n").replace("\r\n", "\n")) if part.strip()]
    paragraphs = "\n".join(
        f'<p style="margin: 12px 0 0; white-space: pre-wrap; overflow-wrap: anywhere">{_link(part)}</p>'
        for part in parts
    )
    return _PAGE.format(subject=escape(" ".join(subject.split())), paragraphs=paragraphs, sheet=_SHEET)


def _link(text: str) -> str:
    """The text with its addresses as links, and everything else as it is."""
    written, done = "", 0
    for found in _LINK.finditer(text):
        address = escape(found[0])
        written += f'{escape(text[done : found.start()])}<a href="{address}" style="color: #0a6aa6">{address}</a>'
        done = found.end()
    return written + escape(text[done:])


class _Session(smtplib.SMTP):
    """A session with the server at an address that was chosen before, under the name that its certificate has."""

    def __init__(self, address: str, deadline: Deadline, *args: Any, **kwargs: Any) -> None:
        self._address = address
        self._deadline = deadline
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((self._address, port), timeout)
        self._deadline.watch(connection)
        return connection


class _SecureSession(_Session):
    """As `_Session`, encrypted from its beginning."""

    def __init__(self, *args: Any, context: ssl.SSLContext, **kwargs: Any) -> None:
        self._context = context
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = super()._get_socket(host, port, timeout)
        return self._context.wrap_socket(connection, server_hostname=host)


def _connect(server: MailServer, port: int, address: str, deadline: Deadline) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if not server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if server.security == "ssl":
        return _SecureSession(address, deadline, server.host, port, timeout=TIMEOUT, context=context)
    session = _Session(address, deadline, server.host, port, timeout=TIMEOUT)
    if server.security == "starttls":
        try:
            session.starttls(context=context)
        except BaseException:
            session.close()
            raise
    return session


def _is_lasting(error: smtplib.SMTPException) -> bool:
    """Whether the mail would be refused another time as well: by a code of five hundred and something."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code >= 500 for code, _ in error.recipients.values())
        case smtplib.SMTPResponseException():
            return error.smtp_code >= 500
        case smtplib.SMTPNotSupportedError():
            return True
        case _:
            return False


def _say(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            refused: dict[str, tuple[int, bytes]] = error.recipients
            said = "; ".join(
                f"{who}: {code} {text.decode('utf-8', 'replace')}" for who, (code, text) in refused.items()
            )
        case smtplib.SMTPResponseException():
            text = error.smtp_error
            said = f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
        case _:
            said = str(error)
    return " ".join(said.split()).rstrip(".")[:300] or type(error).__name__
