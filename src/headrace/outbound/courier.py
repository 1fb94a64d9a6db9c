"""The courier: hands messages over to those they are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from headrace.outbound.egress import ANYWHERE, PUBLIC, Egress, Undelivered
from headrace.outbound.mail import Mail, MailServer, send_mail
from headrace.outbound.notifier import SUBJECT, Notice, transmit
from headrace.outbound.notifiers import open_notifier
from headrace.outbound.notifiers.credentials import Credentials
from headrace.outbound.notifiers.webhook import Webhook
from headrace.schema.outbox import Message


class OpenBlock(NamedTuple):
    """A block whose secrets are open: it never leaves the hands of whoever sends by it."""

    slug: str
    data: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"OpenBlock({self.slug})"


class PostOffice(Struct, frozen=True, kw_only=True):
    """The mail server that is used where no block says another, and from whom mail is there."""

    server: MailServer
    sender: str


class Courier(Struct, frozen=True, kw_only=True):
    """Hands messages over, by their blocks or by the server's own mail server, as far as `egress` lets them go."""

    post_office: PostOffice | None = None
    egress: Egress = PUBLIC

    def deliver(self, message: Message, block: OpenBlock | None) -> None:
        """Hand a message over. Raises `Undelivered` in one line, without any secret."""
        match message.kind:
            case "email":
                self._mail(message, block)
            case "webhook":
                self._call(message, block)
            case "block" if block is not None and block.slug == Credentials.slug:
                self._mail(message, block)
            case "block":
                notice = Notice(body=message.body, subject=message.subject, key=message.key)
                slug, data = _require(block)
                open_notifier(slug, data).tell(notice, self.egress)

    def _mail(self, message: Message, block: OpenBlock | None) -> None:
        if not message.to:
            raise Undelivered("The mail is for nobody: it needs an address to go to.", lasting=True)
        server, sender, egress = self._choose_server(block)
        subject = message.subject or SUBJECT
        send_mail(
            server, Mail(sender=sender, to=message.to, subject=subject, body=message.body, key=message.key), egress
        )

    def _choose_server(self, block: OpenBlock | None) -> tuple[MailServer, str, Egress]:
        """The mail server, from whom mail is, and where the server may be."""
        office = self.post_office
        if block is None:
            if office is None:
                raise Undelivered(
                    "There is no mail server: set HEADRACE_SERVER_SMTP_HOST, or send by a block that says one.",
                    lasting=True,
                )
            # Whoever runs this server says where its mail server is.
            return office.server, office.sender, ANYWHERE
        if block.slug != Credentials.slug:
            raise Undelivered(f"A block of type {block.slug!r} is no mail server.", lasting=True)
        try:
            credentials = msgspec.convert(block.data, Credentials, strict=False)
        except msgspec.ValidationError as error:
            raise Undelivered(f"The block of type {block.slug!r} cannot be used: {error}.", lasting=True) from None
        user = credentials.username or ""
        sender = user if "@" in user or office is None else office.sender
        if "@" not in sender:
            raise Undelivered("Nobody says from whom the mail is: set HEADRACE_SERVER_SMTP_FROM.", lasting=True)
        return credentials.server, sender, self.egress

    def _call(self, message: Message, block: OpenBlock | None) -> None:
        slug, data = _require(block)
        address = open_notifier(slug, data)
        if not isinstance(address, Webhook):
            raise Undelivered(f"A block of type {slug!r} is no webhook.", lasting=True)
        transmit(address.call(message.payload), message.key, self.egress)


def _require(block: OpenBlock | None) -> OpenBlock:
    if block is None:
        raise Undelivered("The block that it was to be sent by is not there.", lasting=True)
    return block
