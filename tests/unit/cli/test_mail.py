"""Who makes an automation that sends e-mail hears that there is no mail server."""

from __future__ import annotations

import json

import pytest

from headrace.base.errors import NotAuthorized
from headrace.client.transport import Transport
from tests.unit.cli.conftest import Terminal

WARNING = "Warning: No e-mail will be sent until HEADRACE_SERVER_SMTP_HOST is set on the server.\n"
MAIL = {"type": "send-email-notification", "emails": ["me@x.org"], "body": "It is done."}


def create(terminal: Terminal, **actions: object) -> str:
    written = {"name": "tell", "trigger": {"expect": ["prefect.flow-run.Failed"]}, **actions}
    ended = terminal.type("automation", "create", "-j", json.dumps(written))
    assert (ended.code, ended.out.partition(" (")[0]) == (0, "Created: automation tell")
    return ended.err


def answer(monkeypatch: pytest.MonkeyPatch, told: object) -> None:
    def send(transport: Transport, method: str, path: str) -> bytes:
        assert (method, path, transport.url) == ("GET", "/admin/settings", "http://127.0.0.1:9/api")
        if isinstance(told, Exception):
            raise told
        return json.dumps(told).encode()

    monkeypatch.setattr(Transport, "send", send)


@pytest.mark.parametrize("when", ["actions", "actions_on_trigger", "actions_on_resolve"])
def test_without_a_server_the_settings_of_this_place_tell(terminal: Terminal, when: str) -> None:
    assert create(terminal, **{when: [{"type": "do-nothing"}, MAIL]}) == WARNING
    terminal.environ["HEADRACE_SERVER_SMTP_HOST"] = "mail.x.org"
    assert create(terminal, **{when: [MAIL]}) == ""


def test_what_sends_no_mail_needs_no_mail_server(terminal: Terminal) -> None:
    assert create(terminal, actions=[{"type": "do-nothing"}]) == ""


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"HEADRACE_SERVER_SMTP_HOST": None}, WARNING),
        ({"HEADRACE_SERVER_SMTP_HOST": "mail.x.org"}, ""),
        ({}, ""),  # another kind of server
        ([], ""),
        (NotAuthorized("This key may not do that."), ""),
    ],
)
def test_a_server_is_asked_for_its_own(
    terminal: Terminal, told: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.environ["HEADRACE_API_URL"] = "http://127.0.0.1:9/api"
    answer(monkeypatch, told)
    assert create(terminal, actions=[MAIL]) == said
