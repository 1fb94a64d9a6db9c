"""A server as it is run sends what waits in its outbox, and takes what others tell its webhooks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from headrace.orchestration.desk import Desk
from headrace.orchestration.outbox import enqueue
from headrace.schema.outbox import Message
from headrace.storage.databases import open_database
from tests.acceptance.serving import ServerProcess
from tests.unit.outbound.mail_server import PASSWORD, USER, MailServerStand, serve_mail

HEADRACE = str(Path(sys.executable).with_name("headrace"))
TEMPLATE = '{"event": "model.registered", "resource": {"prefect.resource.id": "models.{{ body.model }}"}}'


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[MailServerStand]:
    with serve_mail("starttls", login=True, folder=tmp_path) as served:
        yield served


@pytest.fixture
def server(database_url: str, home: Path, tmp_path: Path, stand: MailServerStand) -> Iterator[ServerProcess]:
    process = ServerProcess(
        home,
        tmp_path / "server.log",
        HEADRACE_DATABASE_URL=database_url,
        HEADRACE_SERVER_SMTP_HOST="localhost",
        HEADRACE_SERVER_SMTP_PORT=str(stand.port),
        HEADRACE_SERVER_SMTP_USER=USER,
        HEADRACE_SERVER_SMTP_PASSWORD=PASSWORD,
        SSL_CERT_FILE=str(tmp_path / "certificate.pem"),
    )
    process.start()
    yield process
    process.stop()


def test_a_server_sends_mail(server: ServerProcess, stand: MailServerStand, database_url: str, tmp_path: Path) -> None:
    body = "Flow run red-fox of daily has succeeded.\n\nhttp://127.0.0.1:4200/runs/1"
    message = Message(key="k", kind="email", to=("bob@example.com",), subject="daily succeeded", body=body)
    with open_database(database_url) as database:
        Desk(database).write(lambda unit: enqueue(unit, message))
        (mail,) = stand.wait(1)
    assert stand.logins == [USER]
    assert (mail["From"], mail["To"], mail["Subject"]) == (USER, "bob@example.com", "daily succeeded")
    text, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert text.get_content().replace("\r\n", "\n").strip() == body
    assert '<a href="http://127.0.0.1:4200/runs/1" style=' in page.get_content()
    assert PASSWORD not in (tmp_path / "server.log").read_text()


def test_a_webhook_is_made_and_called(server: ServerProcess, home: Path) -> None:
    environ = {"HEADRACE_HOME": str(home), "HEADRACE_API_URL": server.url, "PATH": "/usr/bin:/bin"}
    made = subprocess.run(
        [HEADRACE, "webhook", "create", "models", "-t", TEMPLATE],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    url = made.stdout.split("URL: ")[1].strip()
    with httpx2.Client(trust_env=False) as client:
        assert client.post(url, content=json.dumps({"model": "rides"})).status_code == 204
        assert client.post(f"{url}x", content="{}").status_code == 404
        assert client.post(url, content=b"x" * 300_000).status_code == 413
