import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.unit.cli.conftest import Terminal

TELL = """
name: tell
description: Mail when it fails.
tags: [mail]
trigger:
  expect: [prefect.flow-run.Failed]
  match_related: {prefect.resource.role: tag}
  threshold: 2
  within: PT1M
actions:
- {type: send-email-notification, emails: [me@x.org], subject: Oh, body: "{{ flow_run.name }}"}
- type: do-nothing
"""
SILENT: dict[str, Any] = {
    "name": "silent",
    "enabled": False,
    "trigger": {"posture": "Proactive", "expect": ["beat"], "after": ["start"], "within": 90},
    "actions_on_resolve": [{"type": "run-deployment", "source": "inferred"}],
}
BOTH: dict[str, Any] = {
    "name": "both",
    "trigger": {"require": "any", "within": None, "triggers": [{"expect": ["a"]}, {"expect": ["b"]}]},
    "actions": [],
}
ROW: dict[str, Any] = {"name": "row", "trigger": {"within": 5, "triggers": [{"expect": ["a"]}, {}]}, "actions": []}
TWO: dict[str, Any] = {"name": "two", "trigger": {**BOTH["trigger"], "require": 2}, "actions": []}
SLOW: dict[str, Any] = {
    "name": "slow",
    "trigger": {"metric": {"name": "duration", "operator": ">", "threshold": 60}},
    "actions": [],
}


@pytest.fixture
def stocked(terminal: Terminal, tmp_path: Path) -> Terminal:
    terminal.environ["HEADRACE_SERVER_SMTP_HOST"] = "mail.x.org"
    file = tmp_path / "tell.yaml"
    file.write_text(TELL, encoding="utf-8")
    assert terminal.read("automation", "create", "-f", str(file)).startswith("Created: automation tell (")
    for each in (SILENT, BOTH, ROW, TWO, SLOW):
        terminal.read("automation", "create", "-j", json.dumps(each))
    return terminal


def test_ls_says_when_and_what(stocked: Terminal) -> None:
    lines = [" ".join(line.split()) for line in stocked.read("automation", "ls").splitlines()]
    assert lines == [
        "Name Enabled When Then Tags Changed",
        "both yes (a) or (b) nothing –",
        "row yes (a), then (any event) nothing –",
        "silent paused no beat after start within 1m 30s run-deployment –",
        "slow yes duration > 60 nothing –",
        "tell yes prefect.flow-run.Failed 2 times within 1m send-email-notification, do-nothing mail –",
        "two yes (a) (2 of them) (b) nothing –",
    ]
    assert [each["name"] for each in json.loads(stocked.read("automation", "ls", "--limit", "2", "-o", "json"))] == [
        "both",
        "row",
    ]


def test_there_may_be_none(terminal: Terminal) -> None:
    assert "There are no automations yet" in terminal.read("automation", "ls")


def test_inspect_shows_everything(stocked: Terminal) -> None:
    shown = stocked.read("automation", "inspect", "tell")
    assert "Automation tell" in shown
    assert "Mail when it fails." in shown
    assert 'send-email-notification {"emails":["me@x.org"],"subject":"Oh","body":"{{ flow_run.name }}"}' in shown
    assert "do-nothing" in shown
    assert "On resolve" not in shown
    assert 'run-deployment {"source":"inferred"}' in stocked.read("automation", "inspect", "silent")
    for how in (["-o", "json"], ["--json"]):
        assert json.loads(stocked.read("automation", "inspect", "tell", *how))["trigger"]["within"] == 60.0


def test_what_is_shown_as_yaml_makes_another_one(stocked: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "again.yaml"
    for name in ("tell", "both", "silent"):
        file.write_text(stocked.read("automation", "inspect", name, "--yaml"), encoding="utf-8")
        made = json.loads(stocked.read("automation", "create", "-f", str(file), "-o", "json"))
        known = json.loads(stocked.read("automation", "inspect", "--id", made["id"], "--json"))
        before = next(each for each in stocked.administration.automations.values() if each.name == name)
        assert known["name"] == before.name
        assert known["actions"] == json.loads(json.dumps(known["actions"]))


def test_several_are_made_of_one_file(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    file.write_text(json.dumps({"automations": [SILENT, BOTH]}), encoding="utf-8")
    assert len(terminal.read("automation", "create", "-f", str(file)).splitlines()) == 2
    assert len(json.loads(terminal.read("automation", "create", "-f", str(file), "-o", "json"))) == 2


def test_it_is_updated_paused_resumed_and_deleted(stocked: Terminal) -> None:
    (known,) = [each for each in stocked.administration.automations.values() if each.name == "tell"]
    changed = {**BOTH, "name": "other", "owner_resource": "x", "id": str(uuid4())}
    assert stocked.read("automation", "update", "tell", "-j", json.dumps(changed)) == "Updated: automation other.\n"
    assert stocked.administration.automations[known.id].name == "other"
    assert stocked.read("automation", "pause", "other") == "Paused: automation other.\n"
    assert not stocked.administration.automations[known.id].enabled
    assert stocked.read("automation", "resume", "--id", str(known.id)) == "Resumed: automation other.\n"
    assert stocked.administration.automations[known.id].enabled
    assert stocked.read("automation", "delete", str(known.id)) == "Deleted automation other.\n"
    assert known.id not in stocked.administration.automations
    assert stocked.read("automations", "delete", "--all") == "Deleted all 5 automations.\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["inspect"], "Name an automation, or say its --id."),
        (["inspect", "a", "--id", str(uuid4())], "Name an automation, or say its --id."),
        (["pause", "none"], "There is no automation called 'none'."),
        (["delete", "--all", "both"], "Say either --all or which one."),
        (["create"], "Say what it is to be: --from-file FILE or --from-json TEXT."),
        (["create", "-f", "none.yaml"], "There is no file none.yaml."),
        (["create", "-j", "[]"], "--from-json is no JSON object"),
        (["create", "-j", '{"automations": 3}'], "automations is a list of automations."),
        (["create", "-j", '{"automations": []}'], "No automation is written there."),
        (["create", "-j", '{"name": "x"}'], "x is no automation: Object missing required field `trigger`."),
        (
            ["create", "-j", '{"name": "x", "trigger": {"expekt": ["a"]}}'],
            "x is no automation: Object contains unknown field `expekt` - at `$.trigger`.",
        ),
        (
            ["create", "-j", '{"name": "x", "trigger": {}, "actions": [{"type": "call"}]}'],
            "x is no automation: Invalid value 'call' - at `$.actions[0].type`.",
        ),
        (["update", "both", "-j", '{"automations": [{}, {}]}'], "An automation is one thing; 2 are written there."),
    ],
)
def test_what_cannot_be_is_told_in_one_line(stocked: Terminal, arguments: list[str], problem: str) -> None:
    assert problem in stocked.fail("automation", *arguments)


def test_a_name_that_several_have_is_not_enough(stocked: Terminal) -> None:
    stocked.read("automation", "create", "-j", json.dumps(BOTH))
    assert "Several automations are called 'both': say the --id of one." in stocked.fail("automation", "pause", "both")
