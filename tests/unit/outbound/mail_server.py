"""A mail server that is one: aiosmtpd, in a thread, with TLS and a login if a test asks for them."""

from __future__ import annotations

import asyncio
import ssl
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Security = Literal["ssl", "starttls", "none"]
USER, PASSWORD = "ann@example.com", "s3cret-password"


class MailServerStand:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.logins: list[str] = []
        self.arrived = threading.Condition()
        self.refused: set[str] = set()
        self.answer = "250 kept"

    async def handle_RCPT(  # noqa: N802 - as the library calls it
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refused:
            return "550 nobody is called so"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        with self.arrived:
            self.mails.append(message_from_bytes(cast("bytes", envelope.content), policy=default))
            self.envelopes.append(envelope)
            self.arrived.notify_all()
        return self.answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, told: Any) -> AuthResult:
        assert isinstance(told, LoginPassword)
        self.logins.append(told.login.decode())
        known = (told.login.decode(), told.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=known, handled=False)

    def wait(self, count: int) -> list[EmailMessage]:
        """The mails, once so many have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.mails) >= count, 60)
            return [*self.mails]


@contextmanager
def serve_mail(
    security: Security = "none", *, login: bool = False, folder: Path | None = None
) -> Generator[MailServerStand]:
    """A mail server on loopback, for the length of a `with` block; its certificate is made in the folder."""
    stand = MailServerStand()
    context = None if folder is None else make_context(folder)
    loop = asyncio.new_event_loop()

    def speak() -> SMTP:
        with warnings.catch_warnings():
            # Where the whole connection is encrypted, it does not see that, and warns of logging in openly.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                stand,
                loop=loop,
                hostname="localhost",
                tls_context=context if security == "starttls" else None,
                require_starttls=security == "starttls",
                auth_required=login,
                auth_require_tls=security == "starttls",
                authenticator=stand.authenticate,
            )

    async def begin() -> asyncio.Server:
        return await loop.create_server(speak, "127.0.0.1", 0, ssl=context if security == "ssl" else None)

    async def end(server: asyncio.Server) -> None:
        server.close()
        await server.wait_closed()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever, name="mail")
    thread.start()
    server = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    stand.port = server.sockets[0].getsockname()[1]
    try:
        yield stand
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def make_context(folder: Path) -> ssl.SSLContext:
    """The server's side of TLS, by a certificate for this machine that nobody else knows: `certificate.pem`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    format_ = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, format_, plain))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
