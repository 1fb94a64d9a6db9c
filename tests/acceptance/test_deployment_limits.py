"""Limits of deployments with a server, a worker and real runs: from the command line to who is next, and why not yet."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from headrace.schema.deployment import DeploymentFlowRunCreate
from headrace.schema.filters import DeploymentFilter, IdFilter, RunSelection
from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess
from tests.acceptance.working import POOL, Workshop, await_line

COMPLETED, CRASHED, RUNNING, CANCELLED = (
    StateType.COMPLETED,
    StateType.CRASHED,
    StateType.RUNNING,
    StateType.CANCELLED,
)

FLOWS = """
import os
from headrace import flow
from headrace.deployments import run_deployment

@flow
def holding(journal: str, gate: str):
    with open(journal, "a") as file:
        file.write("+")
    with open(gate, "w") as pipe:
        print(os.getpid(), os.getppid(), file=pipe)
    with open(gate) as pipe:
        pipe.readline()
    with open(journal, "a") as file:
        file.write("-")

@flow
def calling(depth: int):
    if depth:
        return run_deployment("calling/here", parameters={"depth": depth - 1})
"""


@pytest.fixture
def workshop(home: Path, tmp_path: Path) -> Iterator[Workshop]:
    server = ServerProcess(home, tmp_path / "server.log")
    made = Workshop(server, tmp_path, {"HEADRACE_HOME": str(home)})
    yield made
    made.close()


def explain(workshop: Workshop, run_id: UUID) -> list[str]:
    """The kinds of the reasons that the command line gives."""
    told = json.loads(workshop.command("flow-run", "why", str(run_id), "-o", "json"))
    return [reason["kind"] for reason in told["reasons"]]


def await_child(workshop: Workshop, deployment_id: UUID, parent: UUID) -> UUID:
    """The other run of a deployment, once there is one."""
    wanted = RunSelection(deployments=DeploymentFilter(id=IdFilter(any_=[deployment_id])))
    while True:
        workshop.execution.last_cursor()
        for run in workshop.administration.list_flow_runs(wanted):
            if run.id != parent:
                return run.id
        workshop.execution.wait_for_events(5)


@pytest.mark.timeout(300)
def test_runs_of_a_deployment_wait_for_one_another_and_a_killed_one_holds_nobody_up(
    workshop: Workshop, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    gates = [tmp_path / f"gate-{number}" for number in range(3)]
    for gate in gates:
        os.mkfifo(gate)
    deployment = workshop.deploy("holding", FLOWS, concurrency_limit=1)
    first, second, third = (workshop.run(deployment, journal=str(journal), gate=str(gate)) for gate in gates)
    workshop.start_worker()
    _pid, supervisor = map(int, await_line(gates[0]).split())
    waiting = workshop.server.wait_until(third, lambda run: run.state_name == "AwaitingConcurrencySlot")
    assert waiting.state
    assert explain(workshop, third)[0] == "limit"
    assert str(first) in workshop.command("flow-run", "why", str(second))
    os.kill(supervisor, signal.SIGKILL)
    await_line(gates[1])
    assert workshop.wait(first).state_type is CRASHED
    gates[1].write_text("go on\n")
    await_line(gates[2])
    gates[2].write_text("go on\n")
    assert [workshop.wait(run_id).state_type for run_id in (second, third)] == [COMPLETED, COMPLETED]
    assert journal.read_text() == "++-+-"  # the first was killed, and wrote nothing at its end


@pytest.mark.timeout(300)
def test_what_the_command_line_deploys_cancels_one_more(workshop: Workshop, tmp_path: Path) -> None:
    gate, journal = tmp_path / "gate", tmp_path / "journal"
    os.mkfifo(gate)
    made = workshop.deploy("holding", FLOWS)
    (tmp_path / "headrace.yaml").write_text(
        "deployments:\n- name: here\n  entrypoint: flows.py:holding\n"
        f"  work_pool: {{name: {POOL}}}\n  concurrency_limit: 5\n"
    )
    options = ["--concurrency-limit", "1", "--collision-strategy", "CANCEL_NEW"]
    command = [sys.executable, "-m", "headrace", "deploy", "--name", "here", *options]
    subprocess.run(
        command, cwd=tmp_path, env=workshop.environ, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    deployment = workshop.administration.read_deployment(made.id)
    asked = deployment.concurrency_options
    assert (deployment.concurrency_limit, asked and asked.collision_strategy) == (1, "CANCEL_NEW")
    first = workshop.run(deployment, journal=str(journal), gate=str(gate))
    workshop.start_worker()
    await_line(gate)
    second = workshop.administration.run_deployment(
        deployment.id, DeploymentFlowRunCreate(parameters={"journal": str(journal), "gate": str(gate)})
    )
    assert workshop.wait(second.id).state_type is CANCELLED
    assert explain(workshop, second.id) == ["ended"]
    gate.write_text("go on\n")
    assert workshop.wait(first).state_type is COMPLETED


@pytest.mark.timeout(300)
def test_a_run_that_waits_for_itself_does_not_do_so_unnoticed(workshop: Workshop) -> None:
    deployment = workshop.deploy("calling", FLOWS, concurrency_limit=1)
    parent = workshop.run(deployment, depth=1)
    workshop.start_worker()
    workshop.wait(parent, RUNNING)
    child = await_child(workshop, deployment.id, parent)
    workshop.server.wait_until(child, lambda run: run.state_name == "AwaitingConcurrencySlot")
    assert explain(workshop, child)[0] == "deadlock"
    assert "which itself waits for this run to end: neither can go on" in " ".join(
        workshop.command("flow-run", "why", str(child)).split()
    )
    workshop.cancel(child)
    workshop.wait(parent)
