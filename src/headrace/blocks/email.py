"""Mail servers, and who logs in there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import msgspec
from pydantic import Field, SecretStr

from headrace.blocks.abstract import CredentialsBlock, NotificationError
from headrace.outbound.egress import Undelivered
from headrace.outbound.mail import Mail, send_mail
from headrace.outbound.notifiers.credentials import Credentials

__all__ = ["EmailServerCredentials"]


class EmailServerCredentials(CredentialsBlock):
    """A mail server, and who logs in there. Automations send mail by it to whom they say."""

    _block_type_name: ClassVar[str | None] = "Email Server Credentials"
    _code_example: ClassVar[str | None] = """
        ```python
        from headrace.blocks.email import EmailServerCredentials

        EmailServerCredentials.load("mine").send("It is done.", to=["ann@example.com"], subject="Daily")
        ```
    """

    username: str | None = Field(default=None, description="Who logs in, if anybody; mail is from them.")
    password: SecretStr | None = Field(default=None, description="The password of who logs in.")
    smtp_server: str = Field(default="smtp.gmail.com", title="SMTP Server", description="The mail server.")
    smtp_type: Literal["SSL", "STARTTLS", "INSECURE"] = Field(
        default="SSL", title="SMTP Type", description="How the connection is encrypted."
    )
    smtp_port: int | None = Field(
        default=465, title="SMTP Port", description="The server's port: 465 for SSL, 587 for STARTTLS, as a rule."
    )
    verify: bool = Field(default=True, description="Whether the certificate of the mail server is checked.")

    def get_client(self) -> Any:
        """The mail server, as `headrace.outbound.mail.send_mail` takes it."""
        return msgspec.convert(self._to_data(), Credentials, strict=False).server

    def send(self, body: str, to: Sequence[str], subject: str = "Headrace", sender: str | None = None) -> None:
        """Send a mail. Raises `NotificationError` when it was not taken, for whomever."""
        mail = Mail(sender=sender or self.username or "", to=to, subject=subject, body=body)
        try:
            send_mail(self.get_client(), mail)
        except Undelivered as error:
            raise NotificationError(str(error)) from None

    async def asend(self, body: str, to: Sequence[str], subject: str = "Headrace", sender: str | None = None) -> None:
        """As `send`."""
        from headrace.engine.loop import beside

        await beside(partial(self.send, body, to, subject, sender))
