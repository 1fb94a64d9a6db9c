"""Automations with a real server and worker: one flow follows another, and is told what that one made."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.schema.filters import FlowFilter, RunSelection, TextFilter
from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess
from tests.acceptance.working import POOL, Workshop, await_line

FLOWS = """
from headrace import flow
from headrace.events import emit_event

@flow
def load(rows: int):
    emit_event("data.arrived", {"prefect.resource.id": "shop.table"}, payload={"rows": rows})

@flow
def train(pipe: str, after: str, rows: int = 0):
    with open(pipe, "w") as told:
        print(after, rows, file=told)
"""

PROJECT = """
deployments:
- name: here
  entrypoint: flows.py:train
  parameters: {pipe: PIPE, after: nobody}
  work_pool: {name: POOL}
  triggers:
  - expect: [data.arrived]
    match: {prefect.resource.id: shop.*}
    parameters: {after: "{{ event.resource.id }}", rows: {__prefect_kind: json, value: "{{ event.payload.rows }}"}}
"""


@pytest.fixture
def workshop(home: Path, tmp_path: Path) -> Iterator[Workshop]:
    opened = Workshop(ServerProcess(home, tmp_path / "server.log"), tmp_path, {"HEADRACE_HOME": str(home)})
    yield opened
    opened.close()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """What the flow that follows tells its parameters by."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_deployment_runs_when_another_has_completed(workshop: Workshop, pipe: Path, tmp_path: Path) -> None:
    load = workshop.deploy("load", FLOWS)
    train = workshop.deploy("train", (tmp_path / "flows.py").read_text(), parameters={"pipe": str(pipe)})
    written = {
        "name": "train after load",
        "trigger": {
            "expect": ["prefect.flow-run.Completed"],
            "match_related": {
                "prefect.resource.role": "deployment",
                "prefect.resource.id": f"prefect.deployment.{load.id}",
            },
        },
        "actions": [
            {
                "type": "run-deployment",
                "deployment_id": str(train.id),
                "parameters": {"after": "{{ flow_run.name }}", "rows": "{{ flow_run.parameters.rows }}"},
            }
        ],
    }
    assert workshop.command("automation", "create", "-j", json.dumps(written)).startswith("Created: automation train")
    workshop.start_worker()
    first = workshop.run(load, rows=5)
    assert await_line(pipe) == f"{workshop.execution.read_flow_run(first).name} 5"
    (followed,) = workshop.administration.list_flow_runs(
        RunSelection(flows=FlowFilter(name=TextFilter(any_=["train"])))
    )
    assert workshop.wait(followed.id, StateType.COMPLETED).state_type is StateType.COMPLETED
    assert followed.created_by is not None
    assert (followed.created_by.type, followed.created_by.display_value) == ("AUTOMATION", "train after load")


def test_what_happened_while_the_server_was_down_is_made_up_for(workshop: Workshop, pipe: Path, tmp_path: Path) -> None:
    workshop.deploy("load", FLOWS)
    workshop.start_worker()
    project = PROJECT.replace("PIPE", str(pipe)).replace("POOL", POOL)
    (tmp_path / "headrace.yaml").write_text(project, encoding="utf-8")
    assert "run by a trigger" in workshop.command("deploy", folder=tmp_path)
    workshop.server.kill()
    # Without a server this is recorded in the database itself.
    apart = {key: value for key, value in workshop.environ.items() if key != "HEADRACE_API_URL"}
    script = [sys.executable, "-c", "import flows; flows.load(7)"]
    subprocess.run(script, env=apart, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    workshop.server.start()
    assert await_line(pipe) == "shop.table 7"
