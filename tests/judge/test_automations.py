"""Scenario (f) of the contract: an automation by the official client's own means, and by its command line."""

import json

import pytest

from headrace.gateway.administration import Administration
from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess
from tests.judge.official import HERE, Official

pytestmark = pytest.mark.timeout(300)

WRITTEN = {
    "name": "by-hand",
    "trigger": {
        "type": "event",
        "posture": "Reactive",
        "expect": ["prefect.flow-run.Crashed"],
        "threshold": 2,
        "within": 60,
    },
    "actions": [{"type": "do-nothing"}],
}


def test_an_automation_is_made_changed_and_deleted(official: Official) -> None:
    said = official.run("official_automations.py")
    assert said.splitlines() == ["True Everybody has to know.", "['both']", "gone: True"]


def test_a_deployment_is_inspected_with_its_automations(official: Official) -> None:
    (official.folder / "flows.py").write_text((HERE / "official_deployed.py").read_text())
    official.command("work-pool", "create", "local", "-t", "process")
    official.command("deploy", "flows.py:doubling", "-n", "daily", "-p", "local")
    assert "doubling" in official.command("deployment", "inspect", "doubling/daily")


def test_an_automation_runs_a_deployment(
    official: Official, server: ServerProcess, administration: Administration
) -> None:
    (official.folder / "flows.py").write_text((HERE / "official_deployed.py").read_text())
    official.command("work-pool", "create", "local", "-t", "process")
    official.command("deploy", "flows.py:doubling", "-n", "daily", "-p", "local")
    official.run("official_firing.py")
    execution = server.open_execution()
    while not administration.count_flow_runs():
        execution.last_cursor()
        execution.wait_for_events(5)
    official.command("worker", "start", "-p", "local", "-t", "process", "--run-once")
    (run,) = administration.list_flow_runs()
    assert (run.state_type, run.parameters) == (StateType.COMPLETED, {"x": 3})
    assert run.created_by is not None
    assert (run.created_by.type, run.created_by.display_value) == ("AUTOMATION", "drain")


def test_automations_on_the_command_line(official: Official) -> None:
    (official.folder / "automation.json").write_text(json.dumps(WRITTEN))
    official.command("automation", "create", "--from-file", "automation.json")
    assert "by-hand" in official.command("automation", "ls")
    assert "prefect.flow-run.Crashed" in official.command("automation", "inspect", "by-hand")
    official.command("automation", "pause", "by-hand")
    assert "enabled: False" in official.command("automation", "inspect", "by-hand", "--yaml").replace("false", "False")
    official.command("automation", "resume", "by-hand")
    official.command("automation", "delete", "by-hand")
    assert "by-hand" not in official.command("automation", "ls")
