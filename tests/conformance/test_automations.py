from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.schema.action import (
    AnyAction,
    CallWebhook,
    DoNothing,
    PauseAutomation,
    RunDeployment,
    SendEmailNotification,
    SendNotification,
)
from headrace.schema.automation import (
    Automation,
    AutomationCreate,
    AutomationFilter,
    AutomationPartialUpdate,
    AutomationSort,
    AutomationUpdate,
)
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.filters import IdFilter, TagsFilter, TextFilter, TimeFilter
from headrace.schema.flow import FlowCreate
from headrace.schema.run import Page
from headrace.schema.trigger import (
    AnyTrigger,
    CompoundTrigger,
    EventTrigger,
    Metric,
    MetricQuery,
    MetricTrigger,
    Posture,
    SequenceTrigger,
    list_triggers,
)
from headrace.schema.workspace import Scope
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage

DEPLOYMENT = UUID("01a20954-8bc8-7ab1-b6e6-d3e07626290d")


def event(*expect: str, **how: Any) -> EventTrigger:
    return EventTrigger(expect=[*expect], posture=Posture.Reactive, **how)


def wanted(name: str = "tell", **how: Any) -> AutomationCreate:
    given: dict[str, Any] = {"trigger": event("shop.order.paid"), "actions": [DoNothing()], **how}
    return AutomationCreate(name=name, **given)


@pytest.fixture
def several(administration: Administration, stage: Stage) -> dict[str, Automation]:
    made: dict[str, Automation] = {}
    for name, tags in (("alert", ["mail"]), ("book", []), ("call", ["mail", "night"])):
        made[name] = administration.create_automation(wanted(name, tags=tags))
        stage.clock.advance(1)
    return made


TRIGGERS: dict[str, AnyTrigger] = {
    "event": event("prefect.flow-run.*", match={"prefect.resource.id": "x*"}, match_related=[{"a": ["b", "!c"]}]),
    "proactive": EventTrigger(
        after=["a"], expect=["b"], for_each=["c"], posture=Posture.Proactive, threshold=2, within=timedelta(minutes=1)
    ),
    "compound": CompoundTrigger(triggers=[event("a"), event("b")], require=2, within=None),
    "sequence": SequenceTrigger(
        triggers=[event("a"), CompoundTrigger(triggers=[event("b")], require="any", within=3)], within=60.5
    ),
    "metric": MetricTrigger(metric=MetricQuery(name=Metric.successes, operator="<", threshold=0.9, range=600)),
}


@pytest.mark.parametrize("trigger", TRIGGERS.values(), ids=TRIGGERS)
def test_a_trigger_comes_back_with_ids(administration: Administration, trigger: AnyTrigger) -> None:
    made = administration.create_automation(wanted(trigger=trigger))
    ids = [each.id for each in list_triggers(made.trigger)]
    assert None not in ids
    assert len({*ids}) == len(ids)
    for each, given in zip(list_triggers(made.trigger), list_triggers(trigger), strict=True):
        given.id = each.id
    assert made.trigger == trigger
    assert administration.read_automation(made.id) == made


def test_actions_come_back(administration: Administration) -> None:
    actions: list[AnyAction] = [
        RunDeployment(deployment_id=DEPLOYMENT, parameters={"a": "{{ event.id }}"}, schedule_after=timedelta(hours=1)),
        SendEmailNotification(emails=["me@x.org"], body="{{ flow_run.name }}"),
        PauseAutomation(source="inferred"),
    ]
    made = administration.create_automation(
        wanted(
            description="all", enabled=False, actions=actions, actions_on_trigger=[DoNothing()],
            actions_on_resolve=[CallWebhook(block_document_id=DEPLOYMENT, payload="{}")], owner_resource="prefect.x.1",
        )
    )  # fmt: skip
    assert (made.actions, made.actions_on_trigger) == (actions, [DoNothing()])
    assert made.actions_on_resolve == [CallWebhook(block_document_id=DEPLOYMENT, payload="{}")]
    assert (made.description, made.enabled, made.owner_resource) == ("all", False, "prefect.x.1")
    assert made.created == made.updated
    assert administration.read_automation(made.id) == made


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        (SendNotification(block_document_id=DEPLOYMENT, body="{{ nobody"), r"actions\[0\], body: Line 1"),
        (SendEmailNotification(emails=["a@b"], subject="{% if", body=""), r"actions\[0\], subject: Line 1"),
        (CallWebhook(block_document_id=DEPLOYMENT, payload="{{"), r"actions\[0\], payload: Line 1"),
        (RunDeployment(source="inferred", parameters={"a": [{"b": "{{ }}"}]}), r"actions\[0\], parameters: Line 1"),
        (RunDeployment(source="inferred", job_variables={"a": "{{ ("}), r"actions\[0\], job_variables: Line 1"),
        (RunDeployment(source="inferred", parameters={"a": {"__prefect_kind": "x"}}), "'x' means nothing here"),
    ],
)
def test_a_broken_template_is_refused(administration: Administration, action: AnyAction, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        administration.create_automation(wanted(actions=[action]))
    assert administration.count_automations() == 0


def test_an_update_says_everything_anew(administration: Administration, stage: Stage) -> None:
    made = administration.create_automation(wanted(tags=["a"], actions_on_resolve=[DoNothing()], owner_resource="o"))
    stage.clock.advance(1)
    same = event("shop.order.paid")
    administration.update_automation(made.id, AutomationUpdate(name="other", trigger=same, actions=[]))
    after = administration.read_automation(made.id)
    assert (after.name, after.tags, after.actions, after.actions_on_resolve) == ("other", [], [], [])
    assert (after.owner_resource, after.trigger, after.created) == ("o", made.trigger, made.created)
    assert after.updated == stage.now
    administration.update_automation(made.id, AutomationUpdate(name="other", trigger=event("else"), actions=[]))
    anew = administration.read_automation(made.id)
    assert anew.trigger.id != made.trigger.id
    broken = AutomationUpdate(name="x", trigger=same, actions=[SendEmailNotification(emails=["a@b"], body="{{")])
    with pytest.raises(InvalidRequest, match="body: Line 1"):
        administration.update_automation(made.id, broken)
    assert administration.read_automation(made.id) == anew


def test_it_is_enabled_and_disabled(administration: Administration, several: dict[str, Automation]) -> None:
    book = several["book"]
    for enabled in (False, False, True):
        administration.enable_automation(book.id, AutomationPartialUpdate(enabled=enabled))
        after = administration.read_automation(book.id)
        assert structs.replace(after, enabled=True, updated=None) == structs.replace(book, updated=None)
        assert after.enabled is enabled


def test_lists_are_filtered_and_ordered(
    administration: Administration, stage: Stage, several: dict[str, Automation]
) -> None:
    def names(wanted: AutomationFilter | None = None, **how: Any) -> list[str]:
        found = [automation.name for automation in administration.list_automations(wanted, **how)]
        if "page" not in how:
            assert administration.count_automations(wanted) == len(found)
        return found

    assert names() == ["alert", "book", "call"]
    assert names(sort=AutomationSort.NAME_DESC) == ["call", "book", "alert"]
    assert names(sort=AutomationSort.CREATED_DESC) == ["call", "book", "alert"]
    administration.enable_automation(several["book"].id, AutomationPartialUpdate(enabled=False))
    assert names(sort=AutomationSort.UPDATED_DESC) == ["book", "call", "alert"]
    assert names(page=Page(1, 1)) == ["book"]
    assert names(AutomationFilter(id=IdFilter(any_=[several["call"].id, uuid7()]))) == ["call"]
    assert names(AutomationFilter(name=TextFilter(any_=["alert", "none"]))) == ["alert"]
    assert names(AutomationFilter(created=TimeFilter(before_=several["book"].created))) == ["alert", "book"]
    assert names(AutomationFilter(tags=TagsFilter(all_=["mail", "night"]))) == ["call"]
    assert names(AutomationFilter(tags=TagsFilter(is_null_=True))) == ["book"]
    with pytest.raises(InvalidRequest):
        administration.list_automations(page=Page(201))


def test_what_has_to_do_with_a_resource_is_found(administration: Administration) -> None:
    resource = f"prefect.deployment.{DEPLOYMENT}"
    trigger = CompoundTrigger(
        triggers=[event("a", match_related=[{}, {"prefect.resource.id": ["x", resource]}])], require="any", within=None
    )
    administration.create_automation(wanted("b", owner_resource=resource))
    administration.create_automation(wanted("c", actions_on_resolve=[RunDeployment(deployment_id=DEPLOYMENT)]))
    administration.create_automation(wanted("a", trigger=trigger))
    administration.create_automation(wanted("d"))
    assert [each.name for each in administration.list_related_automations(resource)] == ["a", "b", "c"]
    assert administration.list_related_automations("prefect.deployment.none") == []
    administration.delete_owned_automations("prefect.deployment.none")
    administration.delete_owned_automations(resource)
    assert [each.name for each in administration.list_automations()] == ["a", "c", "d"]


def test_what_goes_with_a_deployment_is_deleted_with_it(administration: Administration, stage: Stage) -> None:
    flow = stage.execution.register_flow(FlowCreate(name="f"))
    deployment = administration.create_deployment(DeploymentCreate(name="d", flow_id=flow.id))
    administration.create_automation(wanted("its", owner_resource=f"prefect.deployment.{deployment.id}"))
    administration.create_automation(wanted("other"))
    administration.delete_deployment(deployment.id)
    assert [each.name for each in administration.list_automations()] == ["other"]


def test_what_was_deleted_is_gone(administration: Administration, several: dict[str, Automation]) -> None:
    gone = several["alert"].id
    administration.delete_automation(gone)
    assert administration.count_automations() == 2
    update = AutomationUpdate(name="x", trigger=event("a"), actions=[])
    for ask in (
        lambda: administration.read_automation(gone),
        lambda: administration.update_automation(gone, update),
        lambda: administration.enable_automation(gone, AutomationPartialUpdate()),
        lambda: administration.delete_automation(gone),
    ):
        with pytest.raises(ObjectNotFound, match=f"There is no automation with id {gone}"):
            ask()


def test_automations_belong_to_a_workspace(implementation: Orchestrations) -> None:
    one, other = implementation.open().administration, implementation.open(Scope(workspace_id=uuid7())).administration
    made = one.create_automation(wanted(owner_resource="o"))
    other.delete_owned_automations("o")
    with pytest.raises(ObjectNotFound):
        other.delete_automation(made.id)
    assert other.list_related_automations("o") == []
    assert one.read_automation(made.id) == made
