"""Projects as people deploy them: real processes, a real server, a real repository."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from headrace.schema.work_pool import WorkPoolCreate
from tests.acceptance.serving import ServerProcess
from tests.unit.outbound.repositories import make_repository

HEADRACE = str(Path(sys.executable).with_name("headrace"))

FLOW = '''
import pickle
from dataclasses import dataclass

from headrace import flow
from rows import ROWS

@dataclass
class Model:
    rows: int

@flow
def train(rows: int = ROWS):
    """Train.

    Args:
        rows: How many rows there are.
    """
    return pickle.loads(pickle.dumps(Model(rows))).rows
'''

PROJECT = """
name: trains
prefect-version: 3.4.0
pull:
- prefect.deployments.steps.git_clone:
    id: clone
    repository: {repository}
    branch: main
- prefect.deployments.steps.run_shell_script:
    script: cat message.txt
    directory: "{{{{ clone.directory }}}}"
deployments:
- name: nightly
  entrypoint: flows/train.py:train
  parameters: {{rows: 7}}
  schedules:
  - cron: "0 3 * * *"
    timezone: Europe/Berlin
  work_pool: {{name: local}}
"""

# What a worker does before a run, in a process of its own.
RUN = """
import sys
from pathlib import Path
from headrace.base.settings import load_settings
from headrace.connect import open_administration
from headrace.projects.entrypoints import load_flow
from headrace.projects.steps.sequence import run_pull_steps

administration = open_administration(load_settings())
deployment = administration.read_deployment_by_name("train", "nightly")
administration.close()
code = run_pull_steps(deployment.pull_steps, Path(sys.argv[1]), print, str, str)
print(load_flow(deployment.entrypoint, code)(**deployment.parameters))
"""


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(home, tmp_path / "server.log")
    server.start()
    with closing(cast("Any", server.open_administration())) as administration:
        administration.create_work_pool(WorkPoolCreate(name="local"))
    yield server
    server.stop()


def run(folder: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_a_project_is_deployed_to_a_server_and_runs_from_its_clone(server: ServerProcess, tmp_path: Path) -> None:
    files = {"flows/train.py": FLOW, "flows/rows.py": "ROWS = 3\n", "message.txt": "here it is\n"}
    repository = make_repository(tmp_path / "trains.git", files)
    working = repository.with_suffix(".tree")
    (working / "prefect.yaml").write_text(PROJECT.format(repository=repository.as_uri()))

    deployed = run(working, HEADRACE, "deploy", "--all", HEADRACE_API_URL=server.url)
    assert (deployed.returncode, deployed.stderr) == (0, "")
    assert deployed.stdout.startswith("Deployed train/nightly\n")
    assert "cron 0 3 * * * (Europe/Berlin)" in deployed.stdout
    assert "headrace deployment run train/nightly" in deployed.stdout

    with closing(cast("Any", server.open_administration())) as administration:
        deployment = administration.read_deployment_by_name("train", "nightly")
    assert f"{server.url.removesuffix('/api')}/deployments/{deployment.id}" in deployed.stdout
    assert deployment.parameter_openapi_schema["properties"]["rows"] == {
        "type": "integer",
        "title": "rows",
        "position": 0,
        "default": 3,
        "description": "How many rows there are.",
    }

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = run(elsewhere, sys.executable, "-c", RUN, str(elsewhere), HEADRACE_API_URL=server.url)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        f"Cloning {repository.as_uri()} into {elsewhere}/trains-main.",
        "here it is",
        "7",
    ]


def test_a_project_begins_with_two_commands(server: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text("from headrace import flow\n\n@flow\ndef greet(name: str): ...\n")
    begun = run(tmp_path, HEADRACE, "init", HEADRACE_API_URL=server.url)
    assert (begun.returncode, begun.stderr) == (0, "")
    command = [HEADRACE, "deploy", "flow.py:greet", "-n", "by hand", "--param", "name=Ann", "-o", "json"]
    deployed = run(tmp_path, *command, HEADRACE_API_URL=server.url)
    (deployment,) = json.loads(deployed.stdout)
    assert (deployment["work_pool_name"], deployment["parameters"]) == ("local", {"name": "Ann"})
    assert deployment["pull_steps"] == [
        {"headrace.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}
    ]


@pytest.mark.parametrize(
    ("project", "message"),
    [
        ("deployments:\n- nme: x\n", "headrace.yaml, line 2: there is no key 'nme' here; did you mean 'name'?"),
        ("deployments: [\n", "headrace.yaml, line 2: this is no YAML: "),
        ("deployments:\n- {name: x, entrypoint: f.py:f}\n", "headrace.yaml, line 2: There is no file f.py"),
        ("a: !!python/object/apply:os.system ['touch pwned']\n", "headrace.yaml, line 1: this is no YAML: could not"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(project: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "headrace.yaml").write_text(project)
    ended = run(tmp_path, HEADRACE, "deploy", "--all")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Error: {message}")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "pwned").exists()
