"""`headrace transfer`, from one real database to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headrace.base.settings import load_settings
from headrace.connect import open_administration, open_execution
from headrace.schema.block import BlockDocumentCreate, BlockSchemaCreate, BlockTypeCreate
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.flow import FlowCreate
from headrace.schema.schedule import DeploymentScheduleCreate, Schedule
from tests.unit.cli.conftest import Machine


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
    administration.create_deployment(
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
    assert ended.err.startswith("Error: 2 things could not be copied")
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
