"""Files of existing projects are read as they are; what means nothing here is passed over, and a note says so."""

from pathlib import Path

import pytest

from headrace.base.errors import ConfigurationError
from headrace.projects.project_files import find_base, open_project
from headrace.projects.steps.naming import PREFIX
from tests.unit.outbound.repositories import make_repository
from tests.unit.projects.conftest import Workshop

HERE = f"{PREFIX}set_working_directory"

LISTED = """
# Generic metadata about this project
name: trains
prefect-version: 3.4.0

build: null
push: null
pull:
- prefect.deployments.steps.git_clone:
    id: clone
    repository: https://example.com/team/trains.git
    branch: main
    access_token: "{{ $TOKEN }}"
- prefect.deployments.steps.pip_install_requirements:
    directory: "{{ clone.directory }}"

something_new: {a: 1}

deployments:
- name: daily
  version: null
  tags: [a]
  description: null
  schedule: {}
  flow_name: train
  entrypoint: flow.py:train
  parameters: {}
  work_pool:
    name: local
    work_queue_name: null
    job_variables: {}
  triggers:
  - type: event
  new_field: x
"""

OLD_PROJECT = """
prefect-version: 2.10.6
name: trains
build: null
push: null
pull:
- prefect.projects.steps.git_clone_project:
    repository: https://example.com/team/trains.git
    branch: main
    access_token: null
"""

OLD_LIST = """
deployments:
- name: nightly
  version: null
  tags: []
  description: null
  schedule:
    cron: 0 3 * * *
    timezone: UTC
    day_or: true
  flow_name: train
  entrypoint: flow.py:train
  path: .
  parameters: {rows: 3}
  work_pool: {name: local, work_queue_name: null, job_variables: {}}
"""

SINGLE = """
# base metadata
name: null
version: null
tags: []
description: null
schedule: null

# flow-specific fields
flow_name: null
entrypoint: null
path: null
parameters: {}
parameter_openapi_schema: null

# infra-specific fields
work_pool:
  name: null
  work_queue_name: null
  job_variables: {}
"""

FLAT = """
###
### A complete description of a deployment for flow 'train'
###
name: built
description: Made by build.
version: 8a90f1a52d4e
work_queue_name: default
work_pool_name: local
tags: [old]
parameters: {rows: 5}
schedule:
  interval: 3600.0
  anchor_date: '2023-01-01T00:00:00+00:00'
  timezone: UTC
is_schedule_active: false
infra_overrides: {env: {A: b}}

###
### DO NOT EDIT BELOW THIS LINE
###
flow_name: train
manifest_path: null
infrastructure:
  type: process
  env: {}
  command: null
storage: null
path: PATH
entrypoint: flow.py:train
parameter_openapi_schema:
  title: Parameters
  type: object
  properties: {}
timestamp: '2023-01-01T00:00:00+00:00'
triggers: []
"""


def test_a_projects_file_of_today_is_read(workshop: Workshop) -> None:
    workshop.write("prefect.yaml", LISTED)
    made = workshop.only()
    deployment = made.deployment
    assert (deployment.name, deployment.tags, deployment.schedules) == ("daily", ["a"], [])
    assert deployment.pull_steps == [
        {
            f"{PREFIX}git_clone": {
                "id": "clone",
                "repository": "https://example.com/team/trains.git",
                "branch": "main",
                "access_token": "{{ $TOKEN }}",
            }
        },
        {f"{PREFIX}pip_install_requirements": {"directory": "{{ clone.directory }}"}},
    ]
    (automation,) = workshop.administration.list_automations()
    assert automation.owner_resource == f"prefect.deployment.{deployment.id}"
    assert workshop.notes == [
        "prefect.yaml: passed over what means nothing here: something_new.",
        "prefect.yaml: passed over what means nothing here: new_field.",
    ]


def test_deployments_beside_a_projects_file_are_read_with_its_steps(workshop: Workshop) -> None:
    workshop.write("prefect.yaml", OLD_PROJECT)
    workshop.write("deployment.yaml", OLD_LIST)
    deployment = workshop.only().deployment
    assert (deployment.name, deployment.parameters) == ("nightly", {"rows": 3})
    assert [each.schedule.cron for each in deployment.schedules] == ["0 3 * * *"]
    assert deployment.pull_steps is not None
    assert [*deployment.pull_steps[0]] == [f"{PREFIX}git_clone"]
    assert workshop.notes == ["deployment.yaml: passed over what means nothing here: path."]


def test_a_single_deployment_with_nothing_filled_in_waits_for_a_name_and_an_entrypoint(workshop: Workshop) -> None:
    workshop.write("prefect.yaml", OLD_PROJECT)
    workshop.write("deployment.yaml", SINGLE.replace("tags: []", "tags: [waiting]"))
    with pytest.raises(ConfigurationError, match=r"deployment\.yaml, line 1: this deployment has no name"):
        workshop.deploy()
    project = open_project(workshop.folder)
    assert find_base(project, "flow.py:train", "mine").value["tags"] == ["waiting"]
    made = workshop.only(name="mine", entrypoint="flow.py:train")
    assert (made.deployment.name, made.deployment.tags, workshop.notes) == ("mine", ["waiting"], [])


@pytest.mark.parametrize("alone", [True, False])
def test_a_single_deployment_that_is_filled_in_is_read(alone: bool, workshop: Workshop) -> None:
    filled = SINGLE.replace("name: null\nversion", "name: filled\nversion").replace(
        "entrypoint: null", "entrypoint: flow.py:report"
    )
    workshop.write("deployment.yaml", filled)
    if not alone:
        workshop.write("headrace.yaml", f"name: trains\npull:\n- {HERE}: {{directory: /srv}}\ndeployments: []\n")
    made = workshop.only()
    assert (made.deployment.name, made.flow_name) == ("filled", "report")
    assert made.deployment.pull_steps == [{HERE: {"directory": str(workshop.folder) if alone else "/srv"}}]


@pytest.mark.parametrize("file", [None, "train-deployment.yaml"])
def test_the_flat_file_is_read(file: str | None, workshop: Workshop, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (workshop.folder / "flow.py").rename(elsewhere / "flow.py")
    workshop.write(file or "deployment.yaml", FLAT.replace("PATH", str(elsewhere)))
    (made,) = workshop.deploy(file=file)
    deployment = made.deployment
    assert (deployment.name, deployment.description, deployment.version) == ("built", "Made by build.", "8a90f1a52d4e")
    assert (deployment.work_pool_name, deployment.work_queue_name, deployment.tags) == ("local", "default", ["old"])
    assert (deployment.parameters, deployment.job_variables) == ({"rows": 5}, {"env": {"A": "b"}})
    assert (deployment.paused, [each.schedule.interval for each in deployment.schedules]) == (True, [3600.0])
    assert deployment.pull_steps == [{HERE: {"directory": str(elsewhere)}}]
    assert deployment.parameter_openapi_schema is not None
    assert [*deployment.parameter_openapi_schema["properties"]] == ["rows", "start", "names", "since"]
    assert workshop.notes == [
        f"{file or 'deployment.yaml'}: passed over what means nothing here: infrastructure.",
    ]


def test_a_flat_file_from_another_machine_is_read_where_it_is(workshop: Workshop) -> None:
    workshop.write("deployment.yaml", FLAT.replace("PATH", "/no/such/place"))
    assert workshop.only().deployment.pull_steps == [{HERE: {"directory": str(workshop.folder)}}]
    assert workshop.notes[0] == (
        f"deployment.yaml, line 29: /no/such/place is not here; the flow is loaded from {workshop.folder}."
    )
    workshop.write(
        "deployment.yaml", FLAT.replace("PATH", "''").replace("work_pool_name: local", "work_pool_name: no-pool")
    )
    with pytest.raises(ConfigurationError, match=r"deployment\.yaml, line 9: there is no work pool 'no-pool'"):
        workshop.deploy()
    workshop.write("deployment.yaml", FLAT.replace("PATH", "3"))
    with pytest.raises(ConfigurationError, match=r"deployment\.yaml, line 29: path is a text\."):
        workshop.deploy()


def test_schedules_with_a_mapping_of_their_own_are_read(workshop: Workshop) -> None:
    nested = "schedules:\n- active: false\n  max_active_runs: 3\n  schedule: {cron: 0 4 * * *, timezone: UTC}\n"
    workshop.write("deployment.yaml", f"{FLAT.replace('PATH', 'null').replace('schedule:', 'old:')}{nested}")
    (schedule,) = workshop.only().deployment.schedules
    assert (schedule.schedule.cron, schedule.active) == ("0 4 * * *", False)
    assert "max_active_runs" in workshop.notes[-1]


def test_our_own_file_goes_before_those_of_others(workshop: Workshop) -> None:
    workshop.write("prefect.yaml", LISTED)
    workshop.write("headrace.yaml", "deployments: [{name: ours, entrypoint: 'flow.py:report'}]")
    workshop.write("deployment.yaml", OLD_LIST)
    assert workshop.only().deployment.name == "ours"
    (made,) = workshop.deploy(file="prefect.yaml")
    assert made.deployment.name == "daily"


def test_a_base_is_what_the_file_says_of_a_name_or_an_entrypoint(workshop: Workshop) -> None:
    workshop.write(
        "headrace.yaml",
        """
        deployments:
        - {name: one, entrypoint: "flow.py:train", tags: [one]}
        - {name: two, entrypoint: "flow.py:report", tags: [two]}
        """,
    )
    project = open_project(workshop.folder)
    assert find_base(project, "flow.py:train", None).name == "one"
    assert find_base(project, "flow.py:train", "two").value["tags"] == ["two"]
    assert find_base(project, "flow.py:other", "three").value == {}


def test_a_deployment_from_a_repository_runs_from_its_clone(workshop: Workshop, tmp_path: Path) -> None:
    from headrace.projects.entrypoints import load_flow
    from headrace.projects.steps.sequence import run_pull_steps

    repository = make_repository(tmp_path / "trains.git", {"flow.py": (workshop.folder / "flow.py").read_text()})
    workshop.write("prefect.yaml", OLD_PROJECT.replace("https://example.com/team/trains.git", repository.as_uri()))
    workshop.write("deployment.yaml", OLD_LIST)
    deployment = workshop.only().deployment
    place = tmp_path / "run"
    place.mkdir()
    code = run_pull_steps(deployment.pull_steps or [], place, workshop.lines.append, str, str)
    assert code == place / "trains-main"
    assert load_flow(deployment.entrypoint or "", code).name == "train"
