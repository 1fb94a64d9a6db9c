from __future__ import annotations

from typing import ClassVar

from headrace.outbound.egress import ANYWHERE, Egress
from headrace.outbound.mail import Mail, MailServer, Security, send_mail
from headrace.outbound.notifier import SUBJECT, Notice, Notifier


class Smtp(Notifier, frozen=True, kw_only=True):
    """E-mail by a mail server, to whom the block says."""

    slug: ClassVar[str] = "smtp-email"

    host: str
    sender: str
    to: list[str]
    port: int | None = None
    security: Security = "ssl"
    verify: bool = True
    username: str | None = None
    password: str | None = None

    def tell(self, notice: Notice, egress: Egress = ANYWHERE) -> None:
        server = MailServer(
            host=self.host,
            port=self.port,
            security=self.security,
            username=self.username,
            password=self.password,
            verify=self.verify,
        )
        subject = notice.subject or SUBJECT
        send_mail(
            server, Mail(sender=self.sender, to=self.to, subject=subject, body=notice.body, key=notice.key), egress
        )
