from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

from headrace.outbound.mail import MailServer, Security

_SECURITY: dict[str, Security] = {"SSL": "ssl", "STARTTLS": "starttls", "INSECURE": "none"}


class Credentials(Struct, frozen=True, kw_only=True):
    """A mail server and who logs in there, as a block keeps them; to whom mail goes is said by who sends it."""

    slug: ClassVar[str] = "email-server-credentials"

    username: str | None = None
    password: str | None = None
    smtp_server: str = "smtp.gmail.com"
    smtp_type: Literal["SSL", "STARTTLS", "INSECURE"] = "SSL"
    smtp_port: int | None = 465
    verify: bool = True

    def __repr__(self) -> str:
        return f"Credentials({self.smtp_server})"

    @property
    def server(self) -> MailServer:
        """The mail server."""
        return MailServer(
            host=self.smtp_server,
            port=self.smtp_port,
            security=_SECURITY[self.smtp_type],
            username=self.username,
            password=self.password,
            verify=self.verify,
        )
