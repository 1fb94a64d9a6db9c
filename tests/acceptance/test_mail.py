"""Send me an e-mail when it succeeds: from the line that asks for it to the mail that has arrived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx2
import pytest

from headrace.outbound.mail import name_mail
from tests.acceptance.working import end_left_behind
from tests.unit.outbound.mail_server import PASSWORD, USER, MailServerStand, serve_mail

HEADRACE = str(Path(sys.executable).with_name("headrace"))
BOB = "bob@example.com"

FLOWS = """
    from headrace import flow, task

    @task
    def count(rows: int):
        return rows

    @flow
    def nightly(rows: int = 3):
        if rows < 0:
            raise ValueError("there are no rows")
        count(rows)
"""

PROJECT = """
    deployments:
    - name: daily
      entrypoint: flows.py:nightly
      work_pool: {name: local}
      notify: {on: success, email: bob@example.com}
"""

SERVED = """
    from flows import nightly

    if __name__ == "__main__":
        nightly.serve("daily", notify={"on": ["success", "failure"], "email": "bob@example.com"})
"""

ASKED = """
    from headrace.deployments import run_deployment

    for rows in (5, -1):
        print(run_deployment("nightly/daily", {"rows": rows}).name)
"""


class Office:
    """A folder of flows on a machine whose settings name a mail server."""

    def __init__(self, folder: Path, home: Path, stand: MailServerStand, **environ: str) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "HEADRACE_HOME": str(home),
            "HEADRACE_SERVER_SMTP_HOST": "localhost",
            "HEADRACE_SERVER_SMTP_PORT": str(stand.port),
            "HEADRACE_SERVER_SMTP_USER": USER,
            "HEADRACE_SERVER_SMTP_PASSWORD": PASSWORD,
            **environ,
        }
        self.url = ""

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(dedent(text), encoding="utf-8")

    def run(self, *command: str) -> str:
        """Run a command to its good end, and return what it says."""
        ended = subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False, timeout=100
        )
        assert ended.returncode == 0, ended.stderr + ended.stdout
        return ended.stdout

    def start_server(self) -> None:
        said = self.run(HEADRACE, "server", "start", "--background", "--port", "0")
        self.url = next(word for word in said.split() if word.startswith("http://"))
        self.environ["HEADRACE_API_URL"] = f"{self.url}/api"

    def ask(self, path: str, **body: Any) -> Any:
        answer = httpx2.post(f"{self.url}/api{path}", json=body, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()

    def work(self, **parameters: int) -> dict[str, Any]:
        """A run of the deployment, after a worker has executed it."""
        given = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
        self.run(HEADRACE, "deployment", "run", "nightly/daily", *given)
        self.run(HEADRACE, "worker", "start", "-p", "local", "--run-once")
        (run,) = self.ask("/flow_runs/filter", sort="EXPECTED_START_TIME_DESC", limit=1)
        return run


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[MailServerStand]:
    with serve_mail("starttls", login=True, folder=tmp_path) as served:
        yield served


@pytest.fixture
def office(home: Path, tmp_path: Path, stand: MailServerStand) -> Iterator[Office]:
    folder = tmp_path / "project"
    folder.mkdir()
    made = Office(folder, home, stand, SSL_CERT_FILE=str(tmp_path / "certificate.pem"))
    made.write("flows.py", FLOWS)
    yield made
    end_left_behind(str(home))


@pytest.fixture
def served(office: Office, database_url: str) -> Iterator[Office]:
    """One with a server, a pool, and a deployment whose people are told of its success."""
    office.environ["HEADRACE_DATABASE_URL"] = database_url
    office.start_server()
    office.run(HEADRACE, "work-pool", "create", "local", "-t", "process")
    office.write("headrace.yaml", PROJECT)
    said = office.run(HEADRACE, "deploy", "--all")
    assert "notice of success" in said
    yield office
    office.run(HEADRACE, "server", "stop")


def read(mail: EmailMessage) -> tuple[str, str]:
    """Its text and its page."""
    assert mail.get_content_type() == "multipart/alternative"
    text, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    return text.get_content().replace("\r\n", "\n"), page.get_content().replace("\r\n", "\n")


def find_key(office: Office, automation: str) -> str:
    """The key of the message that the automation has sent last, as its event tells."""
    wanted = {"event": {"name": ["prefect.automation.action.executed"]}, "order": "DESC"}
    told = office.ask("/events/filter", filter=wanted)["events"]
    key: str = next(each["payload"]["message_key"] for each in told if automation in str(each))
    return key


def test_a_line_of_yaml_sends_a_mail_when_a_run_succeeds(served: Office, stand: MailServerStand) -> None:
    office = served
    office.work(rows=-1)
    run = office.work(rows=4)
    (mail,) = stand.wait(1)
    assert stand.logins == [USER]
    assert (mail["From"], mail["To"]) == (USER, BOB)
    assert mail["Subject"] == "nightly/daily: Completed"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(mail["Date"]).year >= 2026
    assert mail["Message-ID"] == name_mail(find_key(office, "nightly/daily: notice of success"))
    link = f"{office.url}/runs/{run['id']}"
    text, page = read(mail)
    assert text.startswith(f"Flow run {run['name']} of nightly/daily: Completed.\n")
    assert link in text
    assert f">{link}</a>" in page
    for each in ("nightly/daily: Completed</h1>", run["name"]):
        assert each in page
    # Whatever was sent twice would be here before what is sent later.
    later = office.work(rows=5)
    both = stand.wait(2)
    assert [read(each)[0].split()[2] for each in both] == [run["name"], later["name"]]
    assert both[0]["Message-ID"] != both[1]["Message-ID"]


def test_a_form_sends_a_mail_when_a_run_fails(served: Office, stand: MailServerStand) -> None:
    """What the page with the form sends: an automation of its own, over the API."""
    office = served
    made = office.ask(
        "/automations/",
        name="tell the shop",
        trigger={
            "type": "event",
            "posture": "Reactive",
            "expect": ["prefect.flow-run.Failed"],
            "match_related": {"prefect.resource.role": "flow", "prefect.resource.name": "nightly"},
        },
        actions=[
            {
                "type": "send-email-notification",
                "emails": [BOB, "eve@example.com"],
                "subject": "{{ flow.name }} of {{ deployment.name }} has failed",
                "body": "{{ flow_run.name }}: {{ flow_run.state.message }}\n\n{{ flow_run.url }}\n{{ automation.url }}",
            }
        ],
    )
    run = office.work(rows=-1)
    (mail,) = stand.wait(1)
    assert stand.envelopes[0].rcpt_tos == [BOB, "eve@example.com"]
    assert (mail["To"], mail["Subject"]) == (f"{BOB}, eve@example.com", "nightly of daily has failed")
    assert mail["Message-ID"] == name_mail(find_key(office, "tell the shop"))
    text, page = read(mail)
    links = [f"{office.url}/runs/{run['id']}", f"{office.url}/automations/{made['id']}"]
    assert text.split("\n") == [f"{run['name']}: {run['state']['message']}", "", *links, ""]
    assert "there are no rows" in text
    for link in links:
        assert f">{link}</a>" in page
    # One mail for two people; and the deployment's own line tells of what succeeds later, and of nothing else.
    office.work()
    assert [each["Subject"] for each in stand.wait(2)] == [mail["Subject"], "nightly/daily: Completed"]


def test_who_serves_without_a_server_sends_mail_as_well(office: Office, stand: MailServerStand) -> None:
    office.write("served.py", SERVED)
    office.write("asked.py", ASKED)
    with subprocess.Popen(
        [sys.executable, "served.py"], cwd=office.folder, env=office.environ, stdout=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "Serving\n"
        succeeded, failed = office.run(sys.executable, "asked.py").split()
        mails = {read(each)[0].split()[2]: each for each in stand.wait(2)}
        service.send_signal(signal.SIGINT)
    assert service.returncode == 0
    assert {name: mail["Subject"] for name, mail in mails.items()} == {
        succeeded: "nightly/daily: Completed",
        failed: "nightly/daily: Failed",
    }
    assert "there are no rows" in read(mails[failed])[1]
