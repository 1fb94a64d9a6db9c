"""A deployment's own automations: triggers that run it, and who is told how its runs go."""

import json
from pathlib import Path

import pytest

from headrace.base.errors import ConfigurationError, ObjectNotFound
from headrace.schema.action import RunDeployment, SendEmailNotification, SendNotification
from headrace.schema.automation import Automation
from headrace.schema.block import BlockDocumentCreate, BlockSchemaFilter, BlockSelection
from headrace.schema.filters import IdFilter
from headrace.schema.trigger import CompoundTrigger, EventTrigger, Posture
from tests.unit.projects.conftest import Workshop

HEAD = "deployments:\n- name: daily\n  entrypoint: flow.py:report\n"


def deploy(workshop: Workshop, lines: str) -> list[Automation]:
    """The automations of a deployment whose file has these lines, by name."""
    workshop.write("headrace.yaml", HEAD + "".join(f"  {line}\n" for line in lines.strip().splitlines()))
    owner = f"prefect.deployment.{workshop.only().deployment.id}"
    found = workshop.administration.list_automations()
    assert {each.owner_resource for each in found} <= {owner}
    return found


def add_block(workshop: Workshop, name: str) -> None:
    office = workshop.administration
    office.install_block_types()
    kind = office.read_block_type_by_slug("slack-webhook")
    selection = BlockSelection(block_schemas=BlockSchemaFilter(block_type_id=IdFilter(any_=[kind.id])))
    (schema,) = office.list_block_schemas(selection)
    data = {"url": "https://hooks.slack.com/x"}
    office.create_block_document(
        BlockDocumentCreate(name=name, data=data, block_type_id=kind.id, block_schema_id=schema.id)
    )


def test_one_line_sends_a_mail_when_it_succeeds(workshop: Workshop) -> None:
    (made,) = deploy(workshop, "notify: {on: success, email: me@x.org}")
    assert made.name == "report/daily: notice of success"
    trigger, (action,) = made.trigger, made.actions
    assert isinstance(trigger, EventTrigger)
    assert (trigger.expect, trigger.posture) == (["prefect.flow-run.*"], Posture.Reactive)
    assert trigger.match == {"prefect.resource.id": "prefect.flow-run.*", "prefect.state-type": ["COMPLETED"]}
    assert trigger.match_related == {
        "prefect.resource.id": made.owner_resource,
        "prefect.resource.role": "deployment",
    }
    assert isinstance(action, SendEmailNotification)
    assert action.emails == ["me@x.org"]
    assert action.subject == "{{ flow.name }}/{{ deployment.name }}: {{ flow_run.state.name }}"


def test_an_address_alone_is_told_of_failures(workshop: Workshop) -> None:
    (made,) = deploy(workshop, "notify: me@x.org")
    assert isinstance(made.trigger, EventTrigger)
    assert made.trigger.match["prefect.state-type"] == ["FAILED", "CRASHED"]


def test_several_are_told_of_several_things(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM", "team@x.org")
    add_block(workshop, "team")
    late, failed = deploy(
        workshop,
        """
notify:
- {on: [late, crash], email: [a@x.org, "{{ $TEAM }}"], subject: "{{ flow_run.name }}!"}
- {on: failure, block: slack-webhook/team, body: not now}
""",
    )
    if late.name.endswith("failure"):
        late, failed = failed, late
    assert isinstance(late.trigger, CompoundTrigger)
    assert [each.expect for each in late.trigger.triggers if isinstance(each, EventTrigger)] == [
        ["prefect.flow-run.*"],
        ["prefect.flow-run.Late"],
    ]
    (mail,) = late.actions
    assert isinstance(mail, SendEmailNotification)
    assert (mail.emails, mail.subject) == (["a@x.org", "team@x.org"], "{{ flow_run.name }}!")
    (message,) = failed.actions
    assert isinstance(message, SendNotification)
    block = workshop.administration.read_block_document_by_name("slack-webhook", "team")
    assert (message.block_document_id, message.body) == (block.id, "not now")


def test_triggers_run_it(workshop: Workshop) -> None:
    first, second = deploy(
        workshop,
        """
triggers:
- name: a. when data arrives
  expect: [data.arrived]
  match: {prefect.resource.id: s3.*}
  parameters: {n: "{{ event.payload.rows }}"}
  schedule_after: 60
- {type: compound, require: all, within: 60, enabled: false, triggers: [{expect: [a]}, {expect: [b]}]}
""",
    )
    assert (first.name, second.name) == ("a. when data arrives", "report/daily: run by a trigger")
    (run,) = first.actions
    assert isinstance(run, RunDeployment)
    assert f"prefect.deployment.{run.deployment_id}" == first.owner_resource
    assert (run.parameters, run.schedule_after) == ({"n": "{{ event.payload.rows }}"}, 60.0)
    assert isinstance(second.trigger, CompoundTrigger)
    assert (second.enabled, second.trigger.within) == (False, 60.0)


def test_deploying_again_keeps_what_is_as_it_was(workshop: Workshop) -> None:
    both = "triggers: [{expect: [a], threshold: 2}]\nnotify: me@x.org"
    before = deploy(workshop, both)
    after = deploy(workshop, f"tags: [new]\n{both}")
    assert [(each.id, each.trigger) for each in after] == [(each.id, each.trigger) for each in before]
    (left,) = deploy(workshop, "notify: you@x.org")
    assert left.id in {each.id for each in before}
    assert deploy(workshop, "tags: []") == []


def test_names_are_told_apart(workshop: Workshop) -> None:
    found = deploy(workshop, "triggers: [{expect: [a]}, {expect: [b]}]")
    assert [each.name for each in found] == ["report/daily: run by a trigger", "report/daily: run by a trigger (2)"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "notify: {on: succes, email: a@x.org}",
            "line 4: notify: on says when: success, failure, crash, cancellation, end, ",
        ),
        ("notify: {on: success}", "line 4: notify: it goes to nobody: say email or block."),
        ("notify: {email: me}", "line 4: notify: 'me' is no e-mail address."),
        ("notify: {email: a@x.org, when: now}", "line 4: notify: object contains unknown field when."),
        ("notify: 3", "line 4: notify: expected a list or nothing, got a whole number."),
        ("notify: {email: a@x.org, body: '{{ flow'}", "line 4: body: Line 1 of the template"),
        ("notify: {block: team}", "line 4: block 'team' is written as type/name, such as slack-webhook/team."),
        ("triggers: [{expect: a}]", "line 4: expect: expected a list, got a text."),
        ("triggers: [{expect: [a], parameters: {a: '{% if'}}]", "line 4: parameters: Line 1 of the template"),
        ("triggers: [{expect: [a], parameters: {a: {__prefect_kind: x}}}]", "line 4: parameters: __prefect_kind 'x'"),
        (
            "triggers: [{posture: Proactive}]",
            "line 4: triggers: within has to say how many seconds a Proactive trigger waits.",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_line(workshop: Workshop, line: str, problem: str) -> None:
    workshop.write("headrace.yaml", f"{HEAD}  {line}\n")
    with pytest.raises(ConfigurationError) as raised:
        workshop.deploy()
    assert str(raised.value).startswith(f"headrace.yaml, {problem}")
    assert workshop.administration.count_deployments() == 0


def test_a_block_that_is_not_there_is_told_before_anything_is_made(workshop: Workshop) -> None:
    workshop.write("headrace.yaml", f"{HEAD}  notify: {{block: slack-webhook/none}}\n")
    with pytest.raises(ObjectNotFound, match="none"):
        workshop.deploy()
    assert workshop.administration.count_deployments() == 0


def test_an_option_goes_before_the_file(workshop: Workshop, tmp_path: Path) -> None:
    from headrace.cli.deploy_options import read_triggers

    file = tmp_path / "more.yaml"
    file.write_text("triggers:\n- {expect: [x]}\n- {expect: [y]}\n", encoding="utf-8")
    single = tmp_path / "one.json"
    single.write_text('{"expect": ["z"]}', encoding="utf-8")
    wanted = [*read_triggers(str(file)), *read_triggers(str(single)), *read_triggers(json.dumps({"expect": ["w"]}))]
    workshop.write("headrace.yaml", f"{HEAD}  triggers: [{{expect: [a]}}]\n")
    workshop.deploy(triggers=wanted)
    found = [each.trigger for each in workshop.administration.list_automations()]
    assert sorted(each.expect for each in found if isinstance(each, EventTrigger)) == [["w"], ["x"], ["y"], ["z"]]
    with pytest.raises(ConfigurationError, match="--trigger: object contains unknown field expekt"):
        read_triggers('{"expekt": []}')
