"""`global-concurrency-limit` and `concurrency-limit`, on a real database."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from headrace.base.settings import load_settings
from headrace.connect import open_execution
from headrace.schema.orchestration import SlotRequest
from tests.unit.cli.conftest import Machine


def hold(machine: Machine, name: str) -> str:
    """Have somebody hold a slot, and return who."""
    holder = uuid4()
    execution = open_execution(load_settings(machine.environ))
    try:
        request = SlotRequest(names=[name], request_id=uuid4(), holder_type="task_run", holder_id=holder)
        assert execution.acquire_slots(request).lease_id
    finally:
        execution.close()
    return str(holder)


def test_a_limit_is_created_changed_and_deleted(machine: Machine) -> None:
    assert machine.read("gcl", "create", "db", "--limit", "5") == "Created limit db with 5 slots.\n"
    shown = machine.read("gcl", "create", "calls", "-l", "1", "--slot-decay-per-second", "0.5", "--disable")
    assert shown == "Created limit calls with 1 slot, of which 0.5 fade in a second; it is disabled.\n"
    assert [(each["name"], each["active"]) for each in machine.ask("gcl", "ls")] == [("calls", False), ("db", True)]
    assert machine.read("gcl", "enable", "calls").endswith("fade in a second.\n")
    assert machine.read("gcl", "disable", "db") == "Limit db has 5 slots; it is disabled.\n"
    machine.read("gcl", "update", "db", "--limit", "7", "--enable", "--slot-decay-per-second", "2")
    found = machine.ask("gcl", "inspect", "db")
    assert (found["limit"], found["active"], found["slot_decay_per_second"]) == (7, True, 2.0)
    assert machine.ask("gcl", "inspect", found["id"]) == found
    assert machine.read("gcl", "delete", "db") == "Deleted limit db.\n"
    assert [each["name"] for each in machine.ask("global-concurrency-limits", "ls")] == ["calls"]


def test_who_holds_slots_is_shown(machine: Machine) -> None:
    machine.read("gcl", "create", "db", "--limit", "5")
    holder = hold(machine, "db")
    assert machine.ask("gcl", "inspect", "db")["holders"] == [holder]
    shown = machine.read("gcl", "inspect", "db")
    assert "1 of 5" in shown
    assert holder in shown


def test_a_table_of_limits_fits_80_columns_with_whole_ids(machine: Machine, home: Path) -> None:
    machine.read("gcl", "create", "a" * 60, "--limit", "5")
    (limit,) = machine.ask("gcl", "ls")
    shown = machine.read("gcl", "ls", width=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert limit["id"] in machine.read("gcl", "ls", width=160)
    assert "There are no limits yet" in Machine(home / "empty").read("gcl", "ls")


def test_a_limit_on_a_tag(machine: Machine) -> None:
    assert machine.read("concurrency-limit", "create", "gpu", "2").startswith(
        "Of task runs with the tag gpu, at most 2"
    )
    machine.read("concurrency-limit", "create", "gpu", "3")
    (limit,) = machine.ask("concurrency-limit", "ls")
    assert (limit["name"], limit["limit"]) == ("tag:gpu", 3)
    holder = hold(machine, "tag:gpu")
    assert machine.ask("concurrency-limit", "inspect", "gpu")["holders"] == [holder]
    assert holder in machine.read("concurrency-limit", "inspect", "gpu")
    assert "1 of 3" in machine.read("concurrency-limits", "ls", width=80)
    machine.read("concurrency-limit", "reset", "gpu")
    assert machine.ask("concurrency-limit", "inspect", "gpu")["holders"] == []
    machine.read("concurrency-limit", "delete", "gpu")
    assert "no limits on tags" in machine.read("concurrency-limit", "ls")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("gcl create db --limit 1", "already"),
        ("gcl create a/b --limit 1", "'a/b' is no name for a limit"),
        ("gcl create x", "--limit"),
        ("gcl create x --limit -1", "-1"),
        ("gcl update db", "Say what to change"),
        ("gcl update dbb --limit 1", "There is no limit 'dbb'; did you mean 'db'?"),
        ("gcl inspect nothing", "There is no limit 'nothing'"),
        ("concurrency-limit inspect gpuu", "There is no limit on tag 'gpuu'; did you mean 'gpu'?"),
        ("concurrency-limit create gpu many", "many"),
        ("concurrency-limit delete other", "There is no limit on tag 'other'"),
    ],
)
def test_what_cannot_be_is_said(machine: Machine, arguments: str, said: str) -> None:
    machine.read("gcl", "create", "db", "--limit", "1")
    machine.read("concurrency-limit", "create", "gpu", "1")
    assert said in machine.fail(*arguments.split())
