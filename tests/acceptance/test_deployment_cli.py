"""Deployments from the command line, against a server that is a process of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from headrace.base import clock
from headrace.gateway.execution import Execution
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.flow import FlowCreate
from headrace.schema.log import LogCreate
from headrace.schema.orchestration import Claim, ClaimRequest, Proposal
from headrace.schema.state import StateCreate, StateType
from tests.acceptance.serving import ServerProcess
from tests.acceptance.test_cli import HEADRACE, Machine

SCHEMA = {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "server", tmp_path / "server.log")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def machine(server: ServerProcess, tmp_path: Path) -> Machine:
    """A machine whose commands ask the server, where animal-facts/daily is deployed to the pool `local`."""
    machine = Machine(tmp_path)
    machine.environ["HEADRACE_API_URL"] = server.url
    machine.headrace("work-pool", "create", "local")
    flow = server.open_execution().register_flow(FlowCreate(name="animal-facts"))
    administration: Any = server.open_administration()
    with closing(administration):
        administration.create_deployment(
            DeploymentCreate(
                name="daily",
                flow_id=flow.id,
                work_pool_name="local",
                parameters={"limit": 5},
                parameter_openapi_schema=SCHEMA,
            )
        )
    return machine


def claim(execution: Execution) -> Claim:
    """Take the only run that is due, as a worker would, and begin it."""
    soon = clock.now() + timedelta(minutes=1)
    (claimed,) = execution.claim_flow_runs(
        ClaimRequest(before=soon, limit=10, work_pool_name="local", claimant="a test", presence=execution.presence())
    )
    enter(execution, claimed, StateType.RUNNING)
    return claimed


def enter(execution: Execution, claimed: Claim, kind: StateType, message: str | None = None) -> None:
    state = StateCreate(type=kind, message=message)
    presence = execution.presence() if kind is StateType.RUNNING else None
    proposal = Proposal(flow_run_id=claimed.flow_run.id, state=state, epoch=claimed.epoch, presence=presence)
    assert execution.propose_flow_run_state(proposal).written


def write_line(server: ServerProcess, run_id: UUID, message: str) -> None:
    line = LogCreate(name="flow_runs", level=20, message=message, timestamp=clock.now(), flow_run_id=run_id)
    administration: Any = server.open_administration()
    with closing(administration):
        administration.create_logs([line])


def test_a_run_is_made_looked_at_and_cancelled(machine: Machine, server: ServerProcess) -> None:
    options = ["-p", "limit=7", "--start-in", "10 minutes", "--tag", "by-hand", "--flow-run-name", "my-run"]
    shown = machine.headrace("deployment", "run", "animal-facts/daily", *options)
    (run,) = machine.read("flow-run", "ls")
    assert (run["name"], run["parameters"], run["tags"]) == ("my-run", {"limit": 7}, ["by-hand"])
    assert f"Page        {server.url.removesuffix('/api')}/runs/{run['id']}" in shown
    assert "no worker online" in shown
    assert [each["id"] for each in machine.read("work-pool", "preview", "local")] == [run["id"]]
    assert machine.read("work-pool", "preview", "local", "-h", "0.1") == []
    queue = machine.read("work-queue", "inspect", "default", "-p", "local")
    assert [each["id"] for each in machine.read("work-queue", "preview", queue["id"])] == [run["id"]]
    assert "is cancelled: nothing was executing it" in machine.headrace("flow-run", "cancel", "my-run")
    assert machine.read("flow-run", "inspect", run["id"])["state_type"] == "CANCELLED"
    assert "it is Cancelled" in machine.refuse("flow-run", "cancel", "my-run")


def test_a_run_that_executes_is_cancelled_by_whoever_executes_it(machine: Machine, server: ServerProcess) -> None:
    machine.headrace("deployment", "run", "daily", "--flow-run-name", "my-run")
    execution = server.open_execution()
    claimed = claim(execution)
    assert [each["name"] for each in machine.read("work-pool", "slots", "local")["flow_runs"]] == ["my-run"]
    assert machine.headrace("flow-run", "cancel", "my-run").endswith("is being cancelled.\n")
    assert machine.headrace("flow-run", "cancel", "my-run").endswith("is being cancelled already.\n")
    enter(execution, claimed, StateType.CANCELLED)
    assert "it is Cancelled" in machine.refuse("flow-run", "cancel", "my-run")
    assert "Error: Flow run my-run ended Cancelled" in machine.run(HEADRACE, "flow-run", "watch", "my-run").stderr


def test_a_run_is_watched_across_a_restart_of_the_server(machine: Machine, server: ServerProcess) -> None:
    command = [HEADRACE, "deployment", "run", "daily", "--flow-run-name", "my-run", "--watch"]
    command += ["--watch-interval", "0.1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=machine.environ
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None

        def await_line(wanted: str) -> None:
            assert watching.stdout is not None
            for line in watching.stdout:
                if wanted in line:
                    return
            pytest.fail(f"it ended without {wanted!r}")

        await_line("is Scheduled")
        execution = server.open_execution()
        claimed = claim(execution)
        await_line("is Running")
        write_line(server, claimed.flow_run.id, "before the outage")
        await_line("Flow run 'my-run' - before the outage")
        server.kill()
        assert "Trying again" in watching.stderr.readline()
        server.start()
        write_line(server, claimed.flow_run.id, "after the outage")
        enter(execution, claimed, StateType.COMPLETED)
        await_line("Flow run 'my-run' - after the outage")
        await_line("is Completed")
        # `communicate` would not see what the lines read so far have brought along.
        assert watching.stdout.read().startswith("Flow run my-run ended Completed")
        assert (watching.wait(60), watching.stderr.read()) == (0, "")


def test_schedules_and_what_they_make(machine: Machine, server: ServerProcess) -> None:
    options = ["--timezone", "Europe/Berlin", "--slug", "mornings"]
    machine.headrace("deployment", "schedule", "create", "daily", "--cron", "0 9 * * 1-5", *options)
    machine.headrace("deployment", "schedule", "create", "animal-facts/daily", "--interval", "1h", "-p", "limit=1")
    mornings, hourly = sorted(machine.read("deployment", "schedule", "ls", "daily"), key=lambda each: each["created"])
    assert (mornings["slug"], mornings["schedule"]["timezone"]) == ("mornings", "Europe/Berlin")
    assert (hourly["schedule"]["interval"], hourly["parameters"]) == (3600, {"limit": 1})
    machine.headrace("deployment", "schedule", "pause", "daily", "mornings")
    machine.headrace("deployment", "schedule", "delete", "daily", hourly["id"])
    (left,) = machine.read("deployment", "schedule", "ls", "daily")
    assert (left["id"], left["active"]) == (mornings["id"], False)
    machine.headrace("deployment", "schedule", "create", "daily", "--cron", "@hourly", "--replace")
    (replaced,) = machine.read("deployment", "inspect", "daily")["schedules"]
    assert replaced["schedule"]["cron"] == "@hourly"
    machine.headrace("deployment", "schedule", "clear", "daily", "-y")
    assert machine.read("deployment", "schedule", "ls", "daily") == []
    machine.headrace("deployment", "delete", "daily")
    assert machine.read("deployment", "ls") == []


def test_tables_fit_the_terminal(machine: Machine) -> None:
    machine.headrace("work-pool", "create", "a-pool-with-a-long-name", "--description", "long " * 40, "-l", "3")
    machine.headrace("work-queue", "create", "a-queue-with-a-long-name", "-p", "a-pool-with-a-long-name")
    machine.headrace("deployment", "schedule", "create", "daily", "--rrule", "FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9")
    machine.headrace("deployment", "run", "daily")
    for command in (
        "deployment ls",
        "deployment inspect daily",
        "deployment schedule ls daily",
        "work-pool ls",
        "work-pool ls -v",
        "work-pool inspect local",
        "work-pool preview local",
        "work-pool slots local",
        "work-queue ls",
        "work-queue inspect a-queue-with-a-long-name",
        "work-queue preview default -p local",
    ):
        shown = machine.headrace(*command.split(), COLUMNS="80")
        assert all(len(line) <= 80 for line in shown.splitlines()), command


BAD = (
    ("deployment run animal-facts/dayly", "did you mean 'animal-facts/daily'?"),
    ("deployment inspect nothing", "no deployment 'nothing'"),
    ("deployment run daily -p limit=many", 'limit: "many" is not of type "integer"'),
    ("deployment run daily -p other=1", "no parameter 'other'; it has limit"),
    ("deployment run daily --start-in soon", "'soon' is no duration"),
    ("deployment schedule create daily --cron hello", "five fields"),
    ("deployment schedule create daily --interval 60 --timezone Europe/Berln", "no time zone 'Europe/Berln'"),
    ("deployment schedule create daily --rrule FREQ=OFTEN", "OFTEN"),
    ("deployment schedule delete daily nothing", "no schedule 'nothing'"),
    ("work-pool create local", "'local' already"),
    ("work-pool inspect a/../b", "no work pool 'a/../b'"),
    ("work-queue create x -p locale", "did you mean 'local'?"),
    ("work-queue create default -p local", "already"),
    ("work-queue delete default -p local", "default queue"),
    ("flow-run cancel nobody", "no flow run 'nobody'"),
)


def test_bad_input_is_one_line(machine: Machine) -> None:
    for command, said in BAD:
        assert said in machine.refuse(*command.split()), command
    assert machine.read("flow-run", "ls") == []
    assert json.loads(machine.headrace("deployment", "schedule", "ls", "daily", "-o", "json")) == []
