"""Automations from code, on a database of this process's own."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from headrace import flow
from headrace.automations import (
    Automation,
    DoNothing,
    EventTrigger,
    MetricTrigger,
    MetricTriggerQuery,
    Posture,
    RunDeployment,
    SendEmailNotification,
)
from headrace.base.errors import ObjectNotFound, UsageError
from headrace.events import DeploymentEventTrigger, Metric
from headrace.projects.blueprints import draw_plan
from headrace.testing import headrace_test_harness


@pytest.fixture(autouse=True)
def harness() -> Iterator[None]:
    with headrace_test_harness():
        yield


def wanted(name: str = "tell") -> Automation:
    return Automation(name=name, trigger=EventTrigger(expect=["a"]), actions=[DoNothing()], tags=["x"])


def test_an_automation_is_created_changed_and_deleted() -> None:
    made = wanted().create()
    assert made.id is not None
    assert made.trigger.id is not None
    assert Automation.read(made.id) == Automation.read(str(made.id)) == Automation.read(name="tell") == made
    made.description = "says it"
    made.trigger = EventTrigger(
        expect=["b"], posture=Posture.Proactive, within=timedelta(minutes=1), for_each=["prefect.resource.id"]
    )
    made.update()
    assert Automation.read(made.id) == made
    made.disable()
    assert not Automation.read(made.id).enabled
    made.enable()
    assert Automation.read(made.id).enabled
    assert made.delete()
    assert not made.delete()
    with pytest.raises(ObjectNotFound, match="There is no automation with id"):
        Automation.read(made.id)


def test_coroutines_have_their_own_twins() -> None:
    async def main() -> None:
        made = await wanted().acreate()
        made.name = "other"
        await made.aupdate()
        await made.adisable()
        assert not (await Automation.aread(name="other")).enabled
        await made.aenable()
        assert (await Automation.aread(made.id)).enabled
        assert await made.adelete()

    asyncio.run(main())


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(UsageError, match=r"actions\[0\], body: Line 1"):
        Automation(
            name="x", trigger=EventTrigger(), actions=[SendEmailNotification(emails=["a@b"], body="{{")]
        ).create()
    with pytest.raises(UsageError, match="'tell' has not been created yet"):
        wanted().enable()
    with pytest.raises(UsageError, match="say one of the two"):
        Automation.read()
    with pytest.raises(UsageError, match="'7' is no id"):
        Automation.read("7")
    with pytest.raises(ObjectNotFound, match="There is no automation called 'none'"):
        Automation.read(name="none")
    wanted().create()
    wanted().create()
    with pytest.raises(UsageError, match="Several automations are called 'tell'"):
        Automation.read(name="tell")


def test_a_figure_is_watched() -> None:
    query = MetricTriggerQuery(name=Metric.duration, operator=">", threshold=60, range=timedelta(hours=1))
    made = Automation(name="slow", trigger=MetricTrigger(metric=query)).create()
    assert isinstance(made.trigger, MetricTrigger)
    assert made.trigger.metric.range == 3600


@flow
def report() -> None:
    """Nothing."""


def test_a_deployment_has_automations_of_its_own() -> None:
    trigger = DeploymentEventTrigger(expect=["data.arrived"], parameters={}, name="on data")
    blueprint = report.to_deployment("d", triggers=[trigger, {"expect": ["x"]}], notify="me@x.org")
    plan = draw_plan(blueprint, None, lambda _, text: UsageError(text))
    assert plan.automata.triggers[0] == trigger
    assert [each.expect for each in plan.automata.triggers if isinstance(each, EventTrigger)] == [
        ["data.arrived"],
        ["x"],
    ]
    assert [notice.email for notice in plan.automata.notices] == ["me@x.org"]
    with pytest.raises(UsageError, match="Deployment 'd': "):
        report.to_deployment("d", notify={"on": "sometimes", "email": "me@x.org"})
    assert RunDeployment(source="inferred").deployment_id is None


@pytest.mark.parametrize(
    "make",
    [
        RunDeployment,
        lambda: EventTrigger(posture=Posture.Proactive),
        lambda: EventTrigger(posture=Posture.Metric),
        lambda: EventTrigger(within=-1),
        lambda: SendEmailNotification(emails=[], body=""),
        lambda: SendEmailNotification(emails=["a b@c"], body=""),
    ],
)
def test_what_means_nothing_is_refused_where_it_is_written(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"deployment_id|within|posture|emails|address"):
        make()
