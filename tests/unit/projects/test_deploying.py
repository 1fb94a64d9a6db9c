"""What project files say becomes deployments; what is wrong in them is told with its line, and then nothing is made."""

import sys
from pathlib import Path
from typing import Any

import pytest

from headrace.base.errors import ConfigurationError
from headrace.projects.deploying import Wishes, deploy
from headrace.projects.project_files import find_base, open_project
from headrace.projects.steps.naming import PREFIX
from headrace.schema.block import BlockDocumentCreate, BlockSchemaFilter, BlockSelection
from headrace.schema.filters import IdFilter
from headrace.schema.schedule import DeploymentScheduleCreate, Schedule
from headrace.schema.variable import VariableCreate
from headrace.schema.work_pool import WorkPoolCreate, WorkQueueCreate
from tests.unit.projects.conftest import Workshop

HERE = f"{PREFIX}set_working_directory"


def test_a_deployment_is_made_as_the_file_says(workshop: Workshop) -> None:
    workshop.administration.create_work_queue("local", WorkQueueCreate(name="fast"))
    workshop.write(
        "headrace.yaml",
        """
        name: trains
        headrace-version: 1
        definitions:
          weekdays: &weekdays
            cron: "0 6 * * 1-5"
            timezone: Europe/Berlin
        deployments:
        - name: daily
          version: "2.0"
          version_type: headrace:mine
          tags: [one, two]
          description: Each morning.
          entrypoint: flow.py:train
          parameters: {rows: 10, since: 2026-01-31}
          enforce_parameter_schema: true
          concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW, grace_period_seconds: 60}
          paused: true
          work_pool: {name: local, work_queue_name: fast, job_variables: {env: {A: b}}}
          schedules:
          - <<: *weekdays
            slug: weekdays
            parameters: {start: 2}
          - interval: 3600
            anchor_date: 2026-01-01 00:30:00
            active: false
            max_scheduled_runs: 5
          - rrule: FREQ=WEEKLY;BYDAY=MO
          - "@daily"
        """,
    )
    made = workshop.only()
    deployment = made.deployment
    assert made.pool is not None
    assert (made.full_name, made.is_new, made.pool.name, made.notes) == ("train/daily", True, "local", [])
    assert (deployment.name, deployment.version, deployment.description) == ("daily", "2.0", "Each morning.")
    assert deployment.version_info == {"type": "headrace:mine", "version": "2.0"}
    assert (deployment.tags, deployment.entrypoint, deployment.paused) == (["one", "two"], "flow.py:train", True)
    assert deployment.parameters == {"rows": 10, "since": "2026-01-31"}
    assert deployment.parameter_openapi_schema is not None
    assert deployment.parameter_openapi_schema["properties"]["rows"]["description"] == "How many rows."
    assert deployment.concurrency_limit == 2
    assert deployment.concurrency_options is not None
    assert deployment.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert (deployment.work_pool_name, deployment.work_queue_name) == ("local", "fast")
    assert deployment.job_variables == {"env": {"A": "b"}}
    assert deployment.pull_steps == [{HERE: {"directory": str(workshop.folder)}}]
    assert {each.schedule.cron or each.schedule.rrule or each.schedule.interval for each in deployment.schedules} == {
        "0 6 * * 1-5",
        "@daily",
        "FREQ=WEEKLY;BYDAY=MO",
        3600,
    }
    (weekdays,) = [each for each in deployment.schedules if each.slug == "weekdays"]
    assert (weekdays.parameters, weekdays.schedule.timezone) == ({"start": 2}, "Europe/Berlin")


def test_deploying_again_makes_the_same_deployment_anew(workshop: Workshop) -> None:
    text = "deployments: [{name: one, entrypoint: 'flow.py:report', schedule: '0 6 * * *', tags: [TAG]}]"
    workshop.write("headrace.yaml", text)
    first = workshop.only()
    workshop.administration.pause_deployment(first.deployment.id)
    workshop.write("headrace.yaml", text.replace("TAG", "new").replace("schedule: '0 6 * * *', ", ""))
    again = workshop.only()
    assert (again.is_new, again.deployment.id, again.deployment.tags) == (False, first.deployment.id, ["new"])
    assert again.deployment.paused
    assert [each.schedule.cron for each in again.deployment.schedules] == ["0 6 * * *"]
    workshop.write("headrace.yaml", "deployments: [{name: one, entrypoint: 'flow.py:report', schedules: []}]")
    assert workshop.only().deployment.schedules == []


def test_what_whoever_deploys_says_goes_before_the_file(workshop: Workshop) -> None:
    workshop.administration.create_work_pool(WorkPoolCreate(name="other"))
    workshop.write(
        "headrace.yaml",
        """
        deployments:
        - name: daily
          entrypoint: flow.py:train
          parameters: {rows: 1, start: 1}
          concurrency_limit: 3
          schedule: {cron: "0 6 * * *"}
          work_pool: {name: local, job_variables: {a: 1, b: 1}}
        """,
    )
    made = workshop.only(
        version="9",
        description="Other.",
        tags=["t"],
        parameters={"start": 2},
        job_variables={"b": 2},
        work_pool="other",
        schedules=[DeploymentScheduleCreate(schedule=Schedule(interval=60))],
        collision_strategy="ENQUEUE",
        enforce_parameter_schema=False,
    )
    deployment = made.deployment
    assert (deployment.version, deployment.description, deployment.tags) == ("9", "Other.", ["t"])
    assert (deployment.parameters, deployment.job_variables) == ({"rows": 1, "start": 2}, {"a": 1, "b": 2})
    assert (deployment.work_pool_name, deployment.enforce_parameter_schema) == ("other", False)
    assert [each.schedule.interval for each in deployment.schedules] == [60]
    assert (deployment.concurrency_limit, deployment.concurrency_options is not None) == (3, True)
    assert workshop.only(concurrency_limit=7).deployment.concurrency_limit == 7


def test_without_a_file_an_entrypoint_and_a_name_are_enough(workshop: Workshop) -> None:
    project = open_project(workshop.folder)
    wishes = Wishes(entrypoint=str(workshop.folder / "flow.py:train"), name="by-hand")
    base = find_base(project, "flow.py:train", "by-hand")
    (made,) = deploy(project, [(base, wishes)], workshop.administration, lambda: workshop.execution, print)
    deployment = made.deployment
    assert (deployment.name, deployment.entrypoint, deployment.work_pool_name) == ("by-hand", "flow.py:train", "local")
    assert deployment.description == "Trains it."
    assert deployment.version_info == {"type": "headrace:simple", "version": deployment.version}
    with pytest.raises(ConfigurationError, match=r"^There is no file none\.py"):
        deploy(
            project,
            [(base, Wishes(entrypoint="none.py:x", name="y"))],
            workshop.administration,
            lambda: workshop.execution,
            print,
        )


def test_a_schedule_that_lacks_what_the_flow_needs_is_noted(workshop: Workshop) -> None:
    workshop.write("headrace.yaml", "deployments: [{name: one, entrypoint: 'flow.py:train', schedule: '@daily'}]")
    assert workshop.only().notes == ["Scheduled runs of 'one' will lack parameters that the flow needs: rows."]
    assert workshop.only(parameters={"rows": 1}).notes == []


def test_where_runs_of_a_durable_flow_resume_is_noted(workshop: Workshop) -> None:
    code = """
    from pathlib import Path
    from headrace import flow

    @flow(durable=True{})
    def load(): ...
    """
    workshop.write("own.py", code.format(""))
    workshop.write("shared.py", code.format(", result_storage=Path(__file__).parent / 'kept'"))
    workshop.write("headrace.yaml", "deployments: [{name: one, entrypoint: 'own.py:load'}]")
    (note,) = workshop.only().notes
    assert note.startswith(
        "Runs of 'one' keep the values of their tasks on the host they run on, and resume only there."
    )
    assert workshop.only(entrypoint="shared.py:load").notes == []


def test_placeholders_are_filled_in(workshop: Workshop, monkeypatch: Any) -> None:
    monkeypatch.setenv("STAGE", "prod")
    monkeypatch.setenv("ROWS", "7")
    program = f"{sys.executable} -c \"print('v7')\""
    workshop.write(
        "headrace.yaml",
        f"""
        build:
        - {PREFIX}run_shell_script:
            id: made
            script: |
              {program}
              touch built
        push:
        - {PREFIX}run_shell_script:
            script: touch pushed-{{{{ made.stdout }}}}
        pull:
        - {PREFIX}git_clone:
            id: clone
            repository: https://example.com/{{{{ made.stdout }}}}.git
            access_token: "{{{{ $GIT_TOKEN }}}}"
        - {PREFIX}set_working_directory:
            directory: "{{{{ clone.directory }}}}/src"
        deployments:
        - name: "{{{{ $STAGE }}}}-train"
          entrypoint: flow.py:train
          parameters: {{rows: 7, names: ["{{{{ $STAGE }}}}"]}}
          concurrency_limit: "{{{{ $ROWS }}}}"
          version: "{{{{ made.stdout }}}}"
        - name: second
          entrypoint: flow.py:report
        """,
    )
    first, second = workshop.deploy(every=True)
    deployment = first.deployment
    assert (deployment.name, deployment.version, deployment.concurrency_limit) == ("prod-train", "v7", 7)
    assert deployment.parameters == {"rows": 7, "names": ["prod"]}
    # What is secret is filled in where the code is fetched, and never stored.
    assert deployment.pull_steps == [
        {
            f"{PREFIX}git_clone": {
                "id": "clone",
                "repository": "https://example.com/v7.git",
                "access_token": "{{ $GIT_TOKEN }}",
            }
        },
        {HERE: {"directory": "{{ clone.directory }}/src"}},
    ]
    assert second.deployment.name == "second"
    assert workshop.lines == ["v7"]
    assert (workshop.folder / "built").exists()
    assert (workshop.folder / "pushed-v7").exists()


def test_several_are_chosen_by_their_names(workshop: Workshop) -> None:
    workshop.write(
        "headrace.yaml",
        """
        deployments:
        - {name: a-one, flow_name: train, entrypoint: "flow.py:train"}
        - {name: a-two, entrypoint: "flow.py:report"}
        - {name: b, entrypoint: "flow.py:report"}
        """,
    )
    assert [made.deployment.name for made in workshop.deploy("a-*")] == ["a-one", "a-two"]
    assert [made.deployment.name for made in workshop.deploy("b", "train/*")] == ["b", "a-one"]
    assert len(workshop.deploy(every=True)) == 3
    with pytest.raises(
        ConfigurationError, match="has 3 deployments: name some with -n, or take --all: a-one, a-two, b"
    ):
        workshop.deploy()
    with pytest.raises(ConfigurationError, match=r"headrace\.yaml has no deployment 'c'; it has a-one, a-two, b\."):
        workshop.deploy("c")


ONE = "deployments:\n- name: one\n  entrypoint: flow.py:train\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ndeploymnts: []\n", "line 2: there is no key 'deploymnts' here; did you mean 'deployments'?"),
        (ONE + "  paramters: {}\n", "line 4: there is no key 'paramters' here; did you mean 'parameters'?"),
        (ONE + "  work_pool:\n    nme: local\n", "line 5: there is no key 'nme' here; did you mean 'name'?"),
        (ONE + "  schedules:\n  - cron: '@daily'\n    timezon: UTC\n", "line 6: there is no key 'timezon' here"),
        (ONE + "  schedule:\n    crn: '@daily'\n", "line 5: there is no key 'crn' here; did you mean 'cron'?"),
        (ONE + "  concurrency_limit:\n    limt: 1\n", "line 5: there is no key 'limt' here"),
        (ONE + "  tags: [a\n", "line 5: this is no YAML"),
        (ONE + "  tags: a\n", "line 4: tags: expected a list or nothing, got a text."),
        (ONE + "  tags: [a, 3]\n", "line 4: tags: expected a text, got a whole number."),
        (ONE + "  version: 1.0\n", "line 4: version is a text: write it in quotes."),
        (ONE + "  concurrency_limit: many\n", "line 4: concurrency_limit: expected a whole number, got a text."),
        (ONE + "  concurrency_limit: 0\n", "line 4: concurrency_limit: expected a whole number >= 1."),
        (ONE + "  concurrency_limit: {limit: 1, collision_strategy: X}\n", "collision_strategy: invalid enum value"),
        (ONE + "  schedule: '1 2 3'\n", "line 4: A cron string has five fields"),
        (ONE + "  schedule:\n    cron: '61 * * * *'\n", "line 5: Cron '61 * * * *' is wrong in its minute."),
        (ONE + "  schedules:\n  - cron: '@daily'\n    timezone: Europe/Berln\n", "line 6: There is no time zone"),
        (ONE + "  schedule: {rrule: FREQ=OFTEN}\n", "line 4: Rule 'FREQ=OFTEN' cannot be read"),
        (ONE + "  schedule: {interval: 0}\n", "line 4: An interval is at least one second"),
        (ONE + "  schedule: {interval: 9, anchor_date: soon}\n", "line 4: 'soon' is no date"),
        (ONE + "  schedule: {interval: 9, cron: '@daily'}\n", "this one has interval and cron."),
        (ONE + "  schedule: '@daily'\n  schedules: ['@daily']\n", "line 4: write either schedule or schedules."),
        (ONE + "  schedules: '@daily'\n", "line 4: schedules is a list; a single one is written as schedule."),
        (ONE + "  schedules: [{cron: '@daily', slug: ''}]\n", "line 4: a slug has 1 to 200 characters."),
        (ONE + "  schedules: [{cron: '@daily', slug: a}, {cron: '@hourly', slug: a}]\n", "two schedules have the slug"),
        (
            ONE + "  schedules: [{cron: '@daily', parameters: {strt: 1}}]\n",
            "no parameter 'strt'; did you mean 'start'?",
        ),
        (
            ONE + "  parameters: {nothing_like_it: 1}\n",
            "line 4: flow 'train' has no parameter 'nothing_like_it'; it has",
        ),
        (ONE + "  parameters: {rows: many}\n", 'line 4: The parameters do not fit the deployment: rows: "many" is not'),
        (ONE + "  work_pool: {name: nowhere}\n", "makes it: headrace work-pool create nowhere --type process"),
        (ONE + "  work_pool: {work_queue_name: slow}\n", "makes it: headrace work-queue create slow --pool local"),
        (ONE + "  description: '{{ $NOWHERE }}'\n", "line 4: {{ $NOWHERE }} stands for nothing"),
        (ONE + "  description: '{{ made.stdout }}'\n", "line 4: {{ made.stdout }} stands for nothing"),
        (ONE + "  pull:\n  - headrace.deployments.steps.git_clon: {}\n", "line 5: There is no step"),
        (
            ONE + "  pull:\n  - headrace.deployments.steps.git_clone: {}\n",
            "line 5: Step git_clone needs its 'repository'.",
        ),
        (ONE + "  pull: git_clone\n", "line 4: pull is a list of steps"),
        (
            ONE + f"  pull:\n  - {HERE}: {{directory: '{{{{ clone.directory }}}}'}}\n",
            "line 5: {{ clone.directory }} stands",
        ),
        (f"pull:\n- {HERE}: {{directory: '{{{{ x.y }}}}'}}\n{ONE}", "line 2: {{ x.y }} stands for nothing"),
        ("pull:\n- no.such.step: {}\n" + ONE, "line 2: There is no step 'no.such.step'"),
        ("deployments:\n- name: one\n", "line 2: deployment 'one' has no entrypoint"),
        (
            "deployments:\n- name: one\n  entrypoint: flw.py:train\n",
            "line 3: There is no file flw.py; did you mean flow.py?",
        ),
        (
            "deployments:\n- name: one\n  entrypoint: flow.py:tran\n",
            "line 3: There is no 'tran' in flow.py; did you mean",
        ),
        ("deployments:\n- entrypoint: flow.py:train\n", "line 2: this deployment has no name: give it one with -n."),
        ("deployments:\n- name: a/b\n  entrypoint: flow.py:train\n", "line 2: a deployment cannot be called 'a/b'"),
        ("deployments: one\n", "line 1: deployments is a list"),
        ("deployments:\n- one\n", "line 2: a deployment is made of keys with values."),
        (ONE + "- name: one\n  entrypoint: flow.py:train\n", "Two deployments would be train/one"),
        ("name: a\n", "headrace.yaml has no deployments: add one, or name an entrypoint"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_nothing_is_made(text: str, message: str, workshop: Workshop) -> None:
    workshop.write("headrace.yaml", text)
    with pytest.raises(ConfigurationError) as refusal:
        workshop.deploy(every=True)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    if "line" in message:
        assert str(refusal.value).startswith("headrace.yaml, line ")
    assert workshop.is_empty()


def test_all_are_checked_before_the_first_is_made(workshop: Workshop) -> None:
    workshop.write("headrace.yaml", f"{ONE}- name: two\n  entrypoint: flow.py:report\n  schedule: '1 2 3'\n")
    with pytest.raises(ConfigurationError, match="five fields"):
        workshop.deploy(every=True)
    assert workshop.is_empty()


def test_a_build_that_fails_makes_nothing(workshop: Workshop) -> None:
    workshop.write("headrace.yaml", f"build:\n- {PREFIX}run_shell_script: {{script: 'false'}}\n{ONE}")
    with pytest.raises(ConfigurationError, match="Step 1, run_shell_script: Line 1 of the script: 'false' ended with"):
        workshop.deploy()
    assert workshop.is_empty()


def test_without_a_pool_the_way_to_one_is_told(workshop: Workshop) -> None:
    workshop.write("headrace.yaml", ONE)
    workshop.administration.create_work_pool(WorkPoolCreate(name="second"))
    with pytest.raises(ConfigurationError, match=r"^Say with -p which work pool it is for: local, second\."):
        workshop.deploy()
    for name in ("local", "second"):
        workshop.administration.delete_work_pool(name)
    with pytest.raises(ConfigurationError, match="this makes one: headrace work-pool create default --type process"):
        workshop.deploy()
    with pytest.raises(
        ConfigurationError, match=r"^There is no work pool 'a b'; this makes it: .* create 'a b' --type"
    ):
        workshop.deploy(work_pool="a b")


def test_a_collision_strategy_goes_with_a_limit(workshop: Workshop) -> None:
    workshop.write("headrace.yaml", ONE)
    with pytest.raises(ConfigurationError, match="add --concurrency-limit"):
        workshop.deploy(collision_strategy="CANCEL_NEW")


def test_parameters_are_not_checked_where_nobody_wants_it(workshop: Workshop) -> None:
    workshop.write("headrace.yaml", f"{ONE}  parameters: {{rows: many}}\n  enforce_parameter_schema: false\n")
    assert workshop.only().deployment.parameters == {"rows": "many"}


def test_a_folder_without_a_project_says_how_to_begin(workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="There is nothing to deploy: name an entrypoint"):
        workshop.deploy()
    with pytest.raises(ConfigurationError, match=r"There is no file other\.yaml\."):
        workshop.deploy(file="other.yaml")


def test_variables_are_filled_in_and_left_to_pull_steps(workshop: Workshop) -> None:
    workshop.administration.create_variable(VariableCreate(name="rows", value=7))
    workshop.administration.create_variable(VariableCreate(name="where", value="here"))
    workshop.write(
        "headrace.yaml",
        f"""
        build:
        - {PREFIX}run_shell_script: {{id: built, script: "echo {{{{ headrace.variables.where }}}}"}}
        pull:
        - {HERE}: {{directory: "{{{{ headrace.variables.where }}}}"}}
        deployments:
        - name: one
          entrypoint: flow.py:train
          description: "{{{{ built.stdout }}}} {{{{ headrace.variables.rows }}}}"
          parameters: {{rows: "{{{{ headrace.variables.rows }}}}"}}
          work_pool: {{name: local}}
        """,
    )
    deployment = workshop.only().deployment
    assert (deployment.description, deployment.parameters) == ("here 7", {"rows": 7})
    assert deployment.pull_steps == [{HERE: {"directory": "{{ headrace.variables.where }}"}}]


def test_what_blocks_hold_is_never_stored(workshop: Workshop) -> None:
    secret = workshop.administration.read_block_type_by_slug("secret")
    (schema,) = workshop.administration.list_block_schemas(
        BlockSelection(block_schemas=BlockSchemaFilter(block_type_id=IdFilter(any_=[secret.id])))
    )
    workshop.administration.create_block_document(
        BlockDocumentCreate(name="token", data={"value": "s3cret"}, block_schema_id=schema.id, block_type_id=secret.id)
    )
    token = "{{ headrace.blocks.secret/token }}"
    workshop.write(
        "headrace.yaml",
        f"""
        build:
        - {PREFIX}run_shell_script: {{script: "echo {token}"}}
        pull:
        - {PREFIX}git_clone: {{repository: "https://example.com/a.git", access_token: "{token}"}}
        deployments:
        - name: one
          entrypoint: flow.py:train
          work_pool: {{name: local, job_variables: {{env: {{TOKEN: "{token}"}}}}}}
          parameters: {{rows: 1}}
        """,
    )
    deployment = workshop.only().deployment
    assert workshop.lines == ["s3cret"]
    assert deployment.job_variables == {"env": {"TOKEN": token}}
    assert deployment.pull_steps is not None
    assert deployment.pull_steps[0][f"{PREFIX}git_clone"]["access_token"] == token
    file = workshop.folder / "headrace.yaml"
    file.write_text(file.read_text().replace("rows: 1", f'rows: "{token}"'))
    with pytest.raises(
        ConfigurationError, match=r"line 10.*what block secret/token holds is not stored in a deployment"
    ):
        workshop.deploy()
