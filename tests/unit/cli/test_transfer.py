"""`headrace transfer`, from one real database to another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.base.clock import now
from headrace.base.settings import load_settings
from headrace.connect import open_administration, open_execution
from headrace.schema.action import (
    CancelFlowRun,
    PauseAutomation,
    PauseSchedule,
    PauseWorkPool,
    ResumeWorkQueue,
    RunDeployment,
    SendNotification,
)
from headrace.schema.automation import AutomationCreate
from headrace.schema.block import BlockDocumentCreate, BlockSchemaCreate, BlockTypeCreate
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import ClaimRequest
from headrace.schema.schedule import DeploymentScheduleCreate, Schedule
from headrace.schema.trigger import CompoundTrigger, EventTrigger, Metric, MetricQuery, MetricTrigger
from headrace.schema.work_pool import WorkerBeat
from tests.unit.cli.conftest import Machine

GHOST = "01a21c46-30cc-78d0-9e76-6bdcb027172c"
GONE = f"prefect.deployment.{GHOST}"


@pytest.fixture(autouse=True)
def profiles(machine: Machine, tmp_path: Path) -> None:
    for name in ("laptop", "team"):
        machine.read("profile", "create", name)
        machine.read("--profile", name, "config", "set", f"HEADRACE_DATABASE_URL=sqlite:///{tmp_path}/{name}.db")


def fill(machine: Machine, tmp_path: Path) -> None:
    """Put one of everything, with all that it can be, into the profile `laptop`."""
    at = ("--profile", "laptop")
    machine.read(*at, "variable", "set", "colour", '{"name": "red"}', "--tag", "paint")
    machine.read(*at, "gcl", "create", "db", "--limit", "3", "--disable")
    machine.read(*at, "work-pool", "create", "local", "--description", "d", "--concurrency-limit", "4", "--paused")
    machine.read(*at, "work-queue", "create", "urgent", "-p", "local", "-q", "1", "-l", "2")
    machine.read(*at, "work-queue", "set-concurrency-limit", "default", "7", "-p", "local")
    machine.read(*at, "block", "create", "secret", "token", "--set", "value=xyzzy")
    settings = load_settings(machine.environ | {"HEADRACE_PROFILE": "laptop"})
    execution = open_execution(settings)
    flow = execution.register_flow(FlowCreate(name="train", tags=["ml"]))
    execution.close()
    administration: Any = open_administration(settings)
    outer = administration.create_block_type(BlockTypeCreate(name="Shop", slug="shop"))
    fields = {"type": "object", "properties": {"token": {"title": "t"}, "name": {"type": "string"}}}
    schema = administration.create_block_schema(BlockSchemaCreate(fields=fields, block_type_id=outer.id))
    inner = administration.read_block_document_by_name("secret", "token")
    data = {"name": "corner", "token": {"$ref": {"block_document_id": str(inner.id)}}}
    administration.create_block_document(
        BlockDocumentCreate(name="corner", data=data, block_schema_id=schema.id, block_type_id=outer.id)
    )
    deployment = administration.create_deployment(
        DeploymentCreate(
            name="nightly",
            flow_id=flow.id,
            work_pool_name="local",
            work_queue_name="urgent",
            parameters={"limit": 3},
            tags=["a"],
            paused=True,
            schedules=[DeploymentScheduleCreate(schedule=Schedule(cron="0 6 * * *"), slug="s", active=False)],
        )
    )
    queue = administration.read_work_queue_by_name("local", "urgent")
    pool = administration.read_work_pool("local")
    tell = administration.create_automation(
        AutomationCreate(
            name="tell",
            description="d",
            tags=["night"],
            enabled=False,
            trigger=CompoundTrigger(
                require="any",
                within=60.0,
                triggers=[
                    EventTrigger(
                        match={"prefect.resource.id": f"!prefect.deployment.{deployment.id}"},
                        match_related=[{"prefect.resource.id": [f"prefect.flow.{flow.id}", GONE]}],
                    ),
                    MetricTrigger(
                        match_related={"prefect.resource.id": f"prefect.work-queue.{queue.id}"},
                        metric=MetricQuery(name=Metric.successes, operator="<", threshold=0.9),
                    ),
                ],
            ),
            actions=[
                SendNotification(block_document_id=inner.id, body="{{ event.event }}"),
                RunDeployment(deployment_id=deployment.id, parameters={"limit": 4}),
                PauseSchedule(deployment_id=deployment.id, schedule_id=deployment.schedules[0].id),
            ],
            actions_on_resolve=[PauseWorkPool(work_pool_id=pool.id), ResumeWorkQueue(work_queue_id=queue.id)],
            owner_resource=f"prefect.deployment.{deployment.id}",
        )
    )
    # It comes first in the list, and names one that comes later.
    administration.create_automation(
        AutomationCreate(
            name="hush",
            trigger=EventTrigger(expect=["storm"]),
            actions=[PauseAutomation(automation_id=tell.id), CancelFlowRun()],
        )
    )
    administration.close()


def outcomes(machine: Machine, *more: str) -> dict[str, str]:
    done = machine.ask("transfer", "--from", "laptop", "--to", "team", *more)
    return {f"{each['kind']} {each['name']}": each["outcome"] for each in done}


def test_everything_arrives_once(machine: Machine, tmp_path: Path) -> None:
    fill(machine, tmp_path)
    assert outcomes(machine) == dict.fromkeys(
        [
            "flow train",
            "variable colour",
            "concurrency limit db",
            "block type shop",
            "block secret/token",
            "block shop/corner",
            "work pool local",
            "work queue local/default",
            "work queue local/urgent",
            "deployment train/nightly",
            "automation tell",
            "automation hush",
        ],
        "copied",
    )
    assert set(outcomes(machine).values()) == {"skipped"}
    at = ("--profile", "team")
    assert machine.ask(*at, "flow", "ls")[0]["tags"] == ["ml"]
    variable = machine.ask(*at, "variable", "inspect", "colour")
    assert (variable["value"], variable["tags"]) == ({"name": "red"}, ["paint"])
    limit = machine.ask(*at, "gcl", "inspect", "db")
    assert (limit["limit"], limit["active"]) == (3, False)
    shop = machine.ask(*at, "block", "inspect", "shop/corner", "--secrets")
    assert shop["data"] == {"name": "corner", "token": {"value": "xyzzy"}}
    pool = machine.ask(*at, "work-pool", "inspect", "local")
    assert (pool["description"], pool["concurrency_limit"], pool["is_paused"]) == ("d", 4, True)
    queues = {each["name"]: (each["priority"], each["concurrency_limit"]) for each in pool["queues"]}
    source = machine.ask("--profile", "laptop", "work-pool", "inspect", "local")["queues"]
    assert queues == {each["name"]: (each["priority"], each["concurrency_limit"]) for each in source}
    deployment = machine.ask(*at, "deployment", "inspect", "train/nightly")
    assert (deployment["work_queue_name"], deployment["parameters"], deployment["paused"]) == (
        "urgent",
        {"limit": 3},
        True,
    )
    (schedule,) = deployment["schedules"]
    assert (schedule["schedule"]["cron"], schedule["slug"], schedule["active"]) == ("0 6 * * *", "s", False)


def test_what_was_served_at_the_source_is_served_by_nobody_yet(machine: Machine, tmp_path: Path) -> None:
    fill(machine, tmp_path)
    machine.read("--profile", "laptop", "work-pool", "resume", "local")
    execution = open_execution(load_settings(machine.environ | {"HEADRACE_PROFILE": "laptop"}))
    execution.beat_worker(WorkerBeat(work_pool_name="local", name="w"))
    execution.claim_flow_runs(ClaimRequest(before=now(), limit=1, claimant="w", work_pool_name="local"))
    execution.close()

    def look(profile: str) -> list[tuple[str, bool]]:
        """How things stand, and whether somebody has asked for runs there."""
        at = ("--profile", profile)
        pool = machine.ask(*at, "work-pool", "inspect", "local")
        deployment = machine.ask(*at, "deployment", "inspect", "train/nightly")
        return [(each["status"], each.get("last_polled") is not None) for each in (pool, *pool["queues"], deployment)]

    assert look("laptop") == [("READY", False), ("READY", True), ("READY", True), ("READY", True)]
    outcomes(machine)
    assert look("team") == [("NOT_READY", False)] * 4


def test_automations_name_what_is_at_their_new_place(machine: Machine, tmp_path: Path) -> None:
    fill(machine, tmp_path)
    outcomes(machine)
    at = ("--profile", "team")
    deployment = machine.ask(*at, "deployment", "inspect", "train/nightly")
    queue = machine.ask(*at, "work-queue", "inspect", "urgent", "-p", "local")
    tell = machine.ask(*at, "automation", "inspect", "tell")
    assert (tell["description"], tell["tags"], tell["enabled"]) == ("d", ["night"], False)
    assert tell["owner_resource"] == f"prefect.deployment.{deployment['id']}"
    event, metric = tell["trigger"]["triggers"]
    assert event["match"] == {"prefect.resource.id": f"!prefect.deployment.{deployment['id']}"}
    flow = machine.ask(*at, "flow", "ls")[0]["id"]
    assert event["match_related"] == [{"prefect.resource.id": [f"prefect.flow.{flow}", GONE]}]
    assert metric["match_related"] == {"prefect.resource.id": f"prefect.work-queue.{queue['id']}"}
    block = machine.ask(*at, "block", "inspect", "secret/token")
    send, run, pause = tell["actions"]
    assert send["block_document_id"] == block["id"]
    assert (run["deployment_id"], run["parameters"]) == (deployment["id"], {"limit": 4})
    assert (pause["deployment_id"], pause["schedule_id"]) == (deployment["id"], deployment["schedules"][0]["id"])
    pool, resume = tell["actions_on_resolve"]
    assert pool["work_pool_id"] == machine.ask(*at, "work-pool", "inspect", "local")["id"]
    assert resume["work_queue_id"] == queue["id"]
    hush = machine.ask(*at, "automation", "inspect", "hush")
    assert hush["enabled"]
    assert [each.get("automation_id") for each in hush["actions"]] == [tell["id"], None]


def test_automations_of_one_name_are_all_copied_once(machine: Machine) -> None:
    told = {"name": "twin", "trigger": {"type": "event"}, "actions": [{"type": "do-nothing"}]}
    for _ in range(2):
        machine.read("--profile", "laptop", "automation", "create", "-j", json.dumps(told))
    for outcome in ("copied", "skipped"):
        done = machine.ask("transfer", "--from", "laptop", "--to", "team")
        assert [each["outcome"] for each in done] == [outcome, outcome]
    assert len(machine.ask("--profile", "team", "automation", "ls")) == 2


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"type": "pause-deployment", "deployment_id": GHOST}, f"no deployment with id {GHOST}"),
        ({"type": "pause-work-pool", "work_pool_id": GHOST}, f"no work pool with id {GHOST}"),
        ({"type": "pause-automation", "automation_id": GHOST}, f"no automation with id {GHOST}"),
        ({"type": "call-webhook", "block_document_id": GHOST}, GHOST),
        ({"type": "pause-schedule", "deployment_id": "DEPLOYMENT", "schedule_id": GHOST}, f"no schedule like {GHOST}"),
    ],
)
def test_an_automation_that_names_what_is_not_there_fails(
    machine: Machine, tmp_path: Path, action: dict[str, str], said: str
) -> None:
    fill(machine, tmp_path)
    at = ("--profile", "laptop")
    deployment = machine.ask(*at, "deployment", "inspect", "train/nightly")["id"]
    action = {key: deployment if value == "DEPLOYMENT" else value for key, value in action.items()}
    told = {"name": "lost", "trigger": {"type": "event"}, "actions": [action]}
    machine.read(*at, "automation", "create", "-j", json.dumps(told))
    ended = machine.type("transfer", "--from", "laptop", "--to", "team")
    assert ended.code == 1
    (line,) = [line for line in ended.out.splitlines() if line.startswith("failed  ")]
    assert line.startswith("failed  automation lost: ")
    assert said in line


def test_one_that_names_itself_fails_and_says_so(machine: Machine) -> None:
    at = ("--profile", "laptop")
    told = {"name": "own", "trigger": {"type": "event"}, "actions": [{"type": "do-nothing"}]}
    machine.read(*at, "automation", "create", "-j", json.dumps(told))
    own = machine.ask(*at, "automation", "inspect", "own")["id"]
    told["actions"] = [{"type": "pause-automation", "automation_id": own}]
    machine.read(*at, "automation", "update", "own", "-j", json.dumps(told))
    ended = machine.type("transfer", "--from", "laptop", "--to", "team")
    assert "failed  automation own: There is no automation 'own'." in ended.out


def test_what_is_there_already_stays_and_what_is_missing_comes(machine: Machine, tmp_path: Path) -> None:
    machine.read("--profile", "team", "variable", "set", "colour", "blue")
    machine.read("--profile", "team", "work-pool", "create", "local")
    fill(machine, tmp_path)
    done = outcomes(machine)
    assert done["variable colour"] == done["work pool local"] == done["work queue local/default"] == "skipped"
    assert done["work queue local/urgent"] == done["deployment train/nightly"] == "copied"
    assert machine.read("--profile", "team", "variable", "get", "colour") == "blue\n"


def test_what_fails_is_told_and_the_rest_goes_on(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(machine, tmp_path)
    from headrace.base.errors import InvalidRequest
    from headrace.orchestration.administration import OrchestratedAdministration

    def refuse(*_: object) -> None:
        raise InvalidRequest("not today")

    monkeypatch.setattr(OrchestratedAdministration, "create_work_pool", refuse)
    ended = machine.type("transfer", "--from", "laptop", "--to", "team")
    assert ended.code == 1
    assert "failed  work pool local: not today" in ended.out
    assert "failed  deployment train/nightly: " in ended.out
    assert "failed  automation tell: " in ended.out
    assert "failed  automation hush: There is no automation 'tell'." in ended.out
    assert ended.err.startswith("Error: 4 things could not be copied")
    assert machine.read("--profile", "team", "variable", "get", "colour") != ""
    monkeypatch.undo()
    assert outcomes(machine)["deployment train/nightly"] == "copied"


def test_the_table_fits_80_columns(machine: Machine, tmp_path: Path) -> None:
    fill(machine, tmp_path)
    shown = machine.read("transfer", "--from", "laptop", "--to", "team", width=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.splitlines()[0].split() == ["Kind", "Copied", "Skipped", "Failed"]


def test_nothing_to_copy_is_said(machine: Machine) -> None:
    assert machine.read("transfer", "--from", "laptop", "--to", "team") == "There is nothing to copy.\n"


def test_an_address_in_the_environment_does_not_count(machine: Machine, tmp_path: Path) -> None:
    machine.environ |= {"HEADRACE_DATABASE_URL": f"sqlite:///{tmp_path}/other.db", "HEADRACE_PROFILE": "laptop"}
    machine.read("transfer", "--from", "laptop", "--to", "team")
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "laptop"], "--to"),
        (["--from", "laptop", "--to", "gone"], "There is no profile 'gone'"),
        (["--from", "laptop", "--to", "laptop"], "are the same place"),
    ],
)
def test_what_cannot_be_is_said(machine: Machine, arguments: list[str], said: str) -> None:
    assert said in machine.fail("transfer", *arguments)
