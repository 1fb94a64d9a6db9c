"""Automations as they fire: each event once, each action once, whoever looks and whoever dies meanwhile."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from headrace.base.clock import FrozenClock
from headrace.base.errors import Unavailable
from headrace.base.ids import uuid7
from headrace.orchestration import outbox
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.execution import OrchestratedExecution
from headrace.orchestration.loops import automations as loop_module
from headrace.orchestration.loops.automations import RETENTION, Automations
from headrace.orchestration.unit import Unit
from headrace.rules import chains
from headrace.rules.chains import MOST_RECURRENCES
from headrace.schema import action as a
from headrace.schema.automation import Automation, AutomationCreate, AutomationPartialUpdate, AutomationUpdate
from headrace.schema.deployment import Deployment, DeploymentCreate, DeploymentFlowRunCreate
from headrace.schema.event import Cursor, LoggedEvent
from headrace.schema.outbox import Message
from headrace.schema.report import EventReport
from headrace.schema.run import DEPTH, FIRING, FlowRun, TaskRunCreate
from headrace.schema.schedule import DeploymentScheduleCreate, Schedule
from headrace.schema.state import StateType
from headrace.schema.trigger import (
    AnyTrigger,
    CompoundTrigger,
    EventTrigger,
    Metric,
    MetricQuery,
    MetricTrigger,
    Posture,
)
from headrace.schema.work_pool import WorkPoolCreate, WorkQueueUpdate
from headrace.schema.workspace import DEFAULT_SCOPE
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.conformance.scenes import Stage

COMPLETED = "prefect.flow-run.Completed"


class Office:
    """A loop, what it fires about, and what it said."""

    def __init__(self, database: Database, clock: FrozenClock, stage: Stage) -> None:
        self.database = database
        self.clock = clock
        self.stage = stage
        self.administration = OrchestratedAdministration(database, clock=clock)
        self.execution = OrchestratedExecution(database, clock=clock)
        self.loop = Automations(database, clock, ui_url="https://runs.example")

    def make(
        self, *actions: a.AnyAction, trigger: AnyTrigger | None = None, name: str = "tell", **how: Any
    ) -> Automation:
        told = AutomationCreate(name=name, trigger=trigger or expect(COMPLETED), actions=[*actions], **how)
        return self.administration.create_automation(told)

    def deploy(self, name: str = "prod", flow: str = "etl", **what: Any) -> Deployment:
        return self.administration.create_deployment(DeploymentCreate(name=name, flow_id=self.stage.flow(flow), **what))

    def start(self, deployment: Deployment, *states: StateType) -> FlowRun:
        """A run of a deployment, taken through states."""
        run = self.administration.run_deployment(deployment.id, DeploymentFlowRunCreate())
        return self.move(run, *states)

    def move(self, run: FlowRun, *states: StateType) -> FlowRun:
        for state in states:
            run = self.stage.propose(run, state).flow_run
        return run

    def say(self, event: str, resource: str = "shop.order.1", **labels: str) -> UUID:
        """Something of a user's own happens."""
        event_id = uuid7()
        body = {
            "id": str(event_id),
            "event": event,
            "occurred": self.stage.now.isoformat(),
            "resource": {"prefect.resource.id": resource, **labels},
        }
        self.execution.report([EventReport(event_id, self.clock.now, body)])
        return event_id

    def logged(self) -> list[LoggedEvent]:
        return self.execution.read_events(Cursor(), 5_000).events

    def told(self, prefix: str = "prefect.automation.") -> list[dict[str, Any]]:
        """What was said of automations, without its beginning."""
        bodies = [entry.body for entry in self.logged() if entry.kind == "custom" and entry.body is not None]
        return [body for body in bodies if body["event"].startswith(prefix)]

    def names(self) -> list[str]:
        return [body["event"].removeprefix("prefect.automation.") for body in self.told()]

    def messages(self) -> list[Message]:
        """What is to be sent because of firings, in order."""
        keys = [body["payload"].get("message_key") for body in self.told("prefect.automation.action.executed")]

        def find(unit: Unit) -> list[Message]:
            found = [outbox.find_dispatch(unit, key) for key in keys if key is not None]
            return [each.message for each in found if each is not None]

        return self.database.read(lambda connection: find(Unit(connection, DEFAULT_SCOPE.workspace_id, self.clock.now)))


@pytest.fixture
def office(database: Database, clock: FrozenClock, stage: Stage) -> Office:
    return Office(database, clock, stage)


def expect(*names: str, **how: Any) -> EventTrigger:
    how.setdefault("posture", Posture.Reactive)
    return EventTrigger(expect=[*names], **how)


def mail(body: str = "done", subject: str = "run") -> a.SendEmailNotification:
    return a.SendEmailNotification(emails=["me@x.org"], subject=subject, body=body)


# events and firings


def test_it_fires_once_for_each_event_that_it_expects(office: Office) -> None:
    made = office.make(a.DoNothing())
    run = office.stage.ended()
    office.stage.ended(StateType.FAILED)
    assert office.loop.run_once() == 1
    assert office.loop.run_once() == 0
    assert office.names() == ["triggered", "action.triggered", "action.executed"]
    fired = office.told()[0]
    assert fired["resource"] == {
        "prefect.resource.id": f"prefect.automation.{made.id}",
        "prefect.resource.name": "tell",
        DEPTH: "1",
        FIRING: fired["payload"]["firing_id"],
    }
    (related,) = fired["related"]
    assert related["prefect.resource.role"] == "triggering-event"
    state = office.stage.execution.read_flow_run(run.id).state
    assert state is not None
    assert related["prefect.resource.id"] == f"prefect.event.{state.id}"
    executed = office.told("prefect.automation.action.executed")[0]["payload"]
    assert (executed["action_index"], executed["action_type"]) == (0, "do-nothing")
    assert executed["invocation"] == fired["payload"]["firing_id"]


def test_what_happened_before_is_none_of_its_business(office: Office) -> None:
    office.stage.ended()
    made = office.make(a.DoNothing())
    assert office.loop.run_once() == 0
    office.administration.enable_automation(made.id, AutomationPartialUpdate(enabled=False))
    office.stage.ended()
    office.administration.enable_automation(made.id, AutomationPartialUpdate(enabled=True))
    assert office.loop.run_once() == 0
    office.stage.ended()
    assert office.loop.run_once() == 1


def test_each_begins_for_itself(office: Office) -> None:
    office.make(a.DoNothing(), name="first")
    office.stage.ended()
    office.make(a.DoNothing(), name="second")
    office.loop.run_once()
    assert [body["resource"]["prefect.resource.name"] for body in office.told("prefect.automation.triggered")] == [
        "first"
    ]


def test_one_that_is_changed_begins_anew_if_its_trigger_did(office: Office) -> None:
    made = office.make(a.DoNothing(), trigger=expect("a", threshold=2))
    office.say("a")
    office.loop.run_once()
    office.administration.update_automation(
        made.id, AutomationUpdate(name="same", trigger=expect("a", threshold=2), actions=[a.DoNothing()])
    )
    office.say("a")
    assert office.loop.run_once() == 1
    office.say("a")
    office.loop.run_once()
    office.administration.update_automation(
        made.id, AutomationUpdate(name="other", trigger=expect("a", threshold=3), actions=[a.DoNothing()])
    )
    office.say("a")
    office.say("a")
    assert office.loop.run_once() == 0
    office.say("a")
    assert office.loop.run_once() == 1


def test_what_is_performed_depends_on_what_it_says(office: Office) -> None:
    office.make(
        a.DoNothing(),
        trigger=expect("beat", posture=Posture.Proactive, within=60),
        actions_on_trigger=[a.ResumeAutomation(source="inferred")],
        actions_on_resolve=[a.CancelFlowRun()],
    )
    assert office.loop.run_once() == 0
    office.clock.advance(61)
    office.loop.run_once()
    assert office.names()[:3] == ["triggered", "action.triggered", "action.executed"]
    office.clock.advance(600)
    assert office.loop.run_once() == 0
    office.say("beat")
    office.loop.run_once()
    assert "resolved" in office.names()
    assert [body["payload"]["action_type"] for body in office.told("prefect.automation.action.triggered")] == [
        "do-nothing",
        "resume-automation",
        "cancel-flow-run",
    ]


def test_an_absence_is_noticed_for_each_of_its_labels(office: Office) -> None:
    office.make(
        a.CancelFlowRun(),
        trigger=expect(
            "prefect.flow-run.Completed",
            after=["prefect.flow-run.Running"],
            for_each=["prefect.resource.id"],
            posture=Posture.Proactive,
            within=60,
        ),
    )
    slow, quick = office.stage.running(), office.stage.running()
    office.loop.run_once()
    office.clock.advance(30)
    office.stage.propose(quick, StateType.COMPLETED)
    office.clock.advance(31)
    assert office.loop.run_once() == 1
    read = office.stage.execution.read_flow_run
    assert (read(slow.id).state_type, read(quick.id).state_type) == (StateType.CANCELLING, StateType.COMPLETED)
    office.clock.advance(3600)
    assert office.loop.run_once() == 0


def test_absences_of_automations_that_are_gone_are_forgotten(office: Office) -> None:
    gone = office.make(trigger=expect("x", posture=Posture.Proactive, within=10))
    office.make(a.DoNothing(), trigger=expect("y", posture=Posture.Proactive, within=10), name="stays")
    office.administration.enable_automation(gone.id, AutomationPartialUpdate(enabled=False))
    office.clock.advance(11)
    assert office.loop.run_once() == 1


def test_a_composition_hears_of_all_its_triggers(office: Office) -> None:
    office.make(
        a.DoNothing(),
        trigger=CompoundTrigger(
            triggers=[
                expect("paid"),
                expect("shipped", posture=Posture.Proactive, within=60),
                MetricTrigger(metric=MetricQuery(name=Metric.successes, operator="<", threshold=1, firing_for=0)),
            ],
            require="all",
            within=None,
        ),
    )
    office.stage.ended(StateType.FAILED)
    office.say("paid")
    assert office.loop.run_once() == 0
    office.clock.advance(61)
    assert office.loop.run_once() == 1
    assert office.names().count("triggered") == 1


def test_a_figure_that_stays_bad_fires_until_it_is_good(office: Office) -> None:
    flow = office.stage.flow()
    query = MetricQuery(name=Metric.successes, operator="<", threshold=90, range=3600, firing_for=30)
    trigger = MetricTrigger(
        metric=query, match_related={"prefect.resource.role": "flow", "prefect.resource.id": f"prefect.flow.{flow}"}
    )
    office.make(a.DoNothing(), trigger=trigger, actions_on_resolve=[a.DoNothing()])
    office.stage.ended(StateType.FAILED, flow="other")
    assert office.loop.run_once() == 0
    office.stage.ended(StateType.FAILED)
    for seconds, done in ((11, 0), (31, 1), (31, 0)):
        office.clock.advance(seconds)
        assert office.loop.run_once() == done
    office.clock.advance(3600)
    assert office.loop.run_once() == 1
    assert [name for name in office.names() if "action" not in name] == ["triggered", "resolved"]


def test_lateness_is_watched_of_runs_that_are_due(office: Office) -> None:
    query = MetricQuery(name=Metric.lateness, operator=">", threshold=60, firing_for=0)
    office.make(a.DoNothing(), trigger=MetricTrigger(metric=query, match={"prefect.resource.id": "prefect.flow-run.*"}))
    pool = office.administration.create_work_pool(WorkPoolCreate(name="p", type="process"))
    office.start(office.deploy(work_pool_name=pool.name, tags=["slow"]))
    office.clock.advance(30)
    assert office.loop.run_once() == 0
    office.clock.advance(60)
    assert office.loop.run_once() == 1


# actions


def test_a_run_of_a_deployment_is_followed_by_one_of_another(office: Office) -> None:
    first, second = office.deploy("first"), office.deploy("second", parameters={"a": 1})
    made = office.make(
        a.RunDeployment(
            deployment_id=second.id,
            parameters={
                "from": "{{ flow_run.name }} of {{ deployment.name }}",
                "n": {"__prefect_kind": "json", "value": "[1, {{ flow_run.run_count }}]"},
            },
            job_variables={"env": {"WHO": "{{ event.resource.id }}"}},
            schedule_after=timedelta(minutes=5),
        ),
        trigger=expect(
            COMPLETED,
            match_related={"prefect.resource.role": "deployment", "prefect.resource.name": "first"},
        ),
    )
    run = office.start(first, StateType.RUNNING, StateType.COMPLETED)
    office.start(second, StateType.RUNNING, StateType.COMPLETED)
    assert office.loop.run_once() == 1
    (followed,) = [each for each in office.administration.list_flow_runs() if each.state_type is StateType.SCHEDULED]
    assert followed.deployment_id == second.id
    assert followed.parameters == {"a": 1, "from": f"{run.name} of first", "n": [1, 1]}
    assert followed.job_variables == {"env": {"WHO": f"prefect.flow-run.{run.id}"}}
    assert followed.expected_start_time == office.stage.after(300)
    assert followed.labels == {DEPTH: 1, FIRING: office.told()[0]["payload"]["firing_id"]}
    assert followed.created_by is not None
    assert (followed.created_by.id, followed.created_by.type) == (made.id, "AUTOMATION")
    assert followed.created_by.display_value == "tell"
    payload = office.told("prefect.automation.action.executed")[0]["payload"]
    assert payload["flow_run_id"] == str(followed.id)


def test_messages_are_put_into_the_outbox(office: Office) -> None:
    block = uuid7()
    office.make(
        mail("{{ flow.name }}/{{ flow_run.state.message }} {{ flow_run.url }}", "a\n{{ flow_run.state.name }}"),
        a.SendNotification(
            block_document_id=block, subject="s", body="{{ automation.name }} {{ firing.trigger_states }}"
        ),
        a.CallWebhook(block_document_id=block, payload='{"name": "{{ flow_run.name }}"}'),
        a.CallWebhook(block_document_id=block, payload="{{ event.event }}"),
        a.CallWebhook(block_document_id=block, payload="{no json}"),
        trigger=expect("prefect.flow-run.Failed"),
    )
    run = office.stage.running(name='a "b"')
    office.stage.propose(run, StateType.FAILED, message="boom")
    assert office.loop.run_once() == 5
    first, second, *calls = office.messages()
    assert (first.kind, first.to, first.subject) == ("email", ("me@x.org",), "a Failed")
    assert first.body == f"etl/boom https://runs.example/runs/{run.id}"
    assert (second.kind, second.block_document_id, second.body) == ("block", block, "tell ['Triggered']")
    assert [call.kind for call in calls] == ["webhook"] * 3
    assert [call.payload for call in calls] == [{"name": 'a "b"'}, "prefect.flow-run.Failed", "{no json}"]
    assert len({first.key, second.key, *(call.key for call in calls)}) == 5
    assert first.firing == UUID(office.told()[0]["payload"]["firing_id"])


def test_everything_at_hand_can_be_named(office: Office) -> None:
    office.administration.create_work_pool(WorkPoolCreate(name="p", type="process"))
    deployment = office.deploy(work_pool_name="p")
    names = ("flow", "flow_run", "deployment", "work_pool", "work_queue")
    office.make(mail(" ".join(f"{{{{ {name}.name }}}}={{{{ {name}.url }}}}" for name in names)))
    run = office.start(deployment, StateType.RUNNING, StateType.COMPLETED)
    office.loop.run_once()
    (message,) = office.messages()
    pages = dict(each.split("=") for each in message.body.split())
    base = "https://runs.example"
    assert pages == {
        "etl": f"{base}/flows/{run.flow_id}",
        run.name: f"{base}/runs/{run.id}",
        "prod": f"{base}/deployments/{deployment.id}",
        "p": f"{base}/work-pools/p",
        "default": base,
    }


def test_a_task_run_at_hand_can_be_named(office: Office) -> None:
    office.make(mail("{{ task_run.name }} in {{ flow_run.name }}"), trigger=expect("prefect.task-run.Completed"))
    run = office.stage.running()
    task = office.stage.made(run.id)
    office.stage.deliver(task, *office.stage.story(task))
    office.loop.run_once()
    assert [message.body for message in office.messages()] == [f"load-1 in {run.name}"]


Make = Callable[[Deployment, Any], a.AnyAction]
PAUSES: list[tuple[Make, str, bool]] = [
    (lambda d, _: a.PauseDeployment(deployment_id=d.id), "paused", True),
    (lambda _, __: a.PauseDeployment(source="inferred"), "paused", True),
    (lambda _, __: a.ResumeDeployment(source="inferred"), "paused", False),
    (lambda d, _: a.PauseSchedule(deployment_id=d.id, schedule_id=d.schedules[0].id), "active", False),
    (lambda d, _: a.ResumeSchedule(deployment_id=d.id, schedule_id=d.schedules[1].id), "active", True),
    (lambda _, pool: a.PauseWorkPool(work_pool_id=pool.id), "pool", True),
    (lambda _, __: a.PauseWorkPool(source="inferred"), "pool", True),
    (lambda _, __: a.ResumeWorkPool(source="inferred"), "pool", False),
    (lambda d, _: a.PauseWorkQueue(work_queue_id=d.work_queue_id), "queue", True),
    (lambda _, __: a.ResumeWorkQueue(source="inferred"), "queue", False),
]


@pytest.mark.parametrize(("make", "what", "after"), PAUSES)
def test_deployments_schedules_pools_and_queues_are_paused(office: Office, make: Make, what: str, after: bool) -> None:
    pool = office.administration.create_work_pool(WorkPoolCreate(name="p", type="process"))
    both = [DeploymentScheduleCreate(schedule=Schedule(interval=60), active=active) for active in (True, False)]
    deployment = office.deploy(work_pool_name="p", schedules=both)
    office.make(make(deployment, pool))
    office.start(deployment, StateType.RUNNING, StateType.COMPLETED)
    assert office.loop.run_once() == 1
    assert "action.failed" not in office.names()
    now = office.administration.read_deployment(deployment.id)
    assert now.work_queue_id is not None
    number = 0 if isinstance(make(deployment, pool), a.PauseSchedule) else 1
    seen = {
        "paused": now.paused,
        "active": now.schedules[number].active,
        "pool": office.administration.read_work_pool("p").is_paused,
        "queue": office.administration.read_work_queue(now.work_queue_id).is_paused,
    }
    assert seen[what] is after


@pytest.mark.parametrize("kind", ["pool", "queue"])
def test_workers_hear_that_a_pool_or_queue_is_resumed(office: Office, kind: str) -> None:
    pool = office.administration.create_work_pool(WorkPoolCreate(name="p", type="process", is_paused=kind == "pool"))
    queue = office.administration.list_work_queues("p")[0]
    office.administration.update_work_queue(queue.id, WorkQueueUpdate(is_paused=kind == "queue"))
    waiting = office.stage.scheduled(work_pool_name="p")
    by_kind = {"pool": a.ResumeWorkPool(work_pool_id=pool.id), "queue": a.ResumeWorkQueue(work_queue_id=queue.id)}
    office.make(by_kind[kind])
    office.start(office.deploy(), StateType.RUNNING, StateType.COMPLETED)
    begin = office.execution.last_cursor()
    assert office.loop.run_once() == 1
    called = [event.flow_run_id for event in office.execution.read_events(begin, kinds=("slots",)).events]
    assert called == [waiting.id]


@pytest.mark.parametrize(
    ("action", "state", "name"),
    [
        (a.CancelFlowRun(), StateType.CANCELLING, "Cancelling"),
        (a.SuspendFlowRun(), StateType.PAUSED, "Suspended"),
        (a.ChangeFlowRunState(state=StateType.FAILED, name="Refused", message="no"), StateType.FAILED, "Refused"),
        (a.ChangeFlowRunState(state=StateType.SCHEDULED, force=True), StateType.SCHEDULED, "Scheduled"),
    ],
)
def test_the_run_at_hand_is_moved(office: Office, action: a.AnyAction, state: StateType, name: str) -> None:
    office.make(action, trigger=expect("prefect.flow-run.Running"))
    run = office.start(office.deploy(), StateType.RUNNING)
    assert office.loop.run_once() == 1
    after = office.execution.read_flow_run(run.id)
    assert after.state is not None
    assert (after.state_type, after.state_name, after.labels) == (
        state,
        name,
        {DEPTH: 1, FIRING: office.told()[0]["payload"]["firing_id"]},
    )
    assert after.state.message == ("no" if name == "Refused" else "Automation 'tell' did this.")


def test_a_run_is_resumed_and_another_deleted(office: Office) -> None:
    office.make(a.ResumeFlowRun(), trigger=expect("prefect.flow-run.Paused"))
    office.make(a.DeleteFlowRun(), trigger=expect("prefect.flow-run.Failed"), name="forget")
    paused = office.stage.propose(office.stage.running(), StateType.PAUSED).flow_run
    failed = office.stage.ended(StateType.FAILED)
    assert office.loop.run_once() == 2
    assert [(run.id, run.state_type) for run in office.administration.list_flow_runs()] == [
        (paused.id, StateType.RUNNING)
    ]
    assert failed.id != paused.id


def test_an_automation_stops_itself(office: Office) -> None:
    office.make(a.PauseAutomation(source="inferred"), trigger=expect("prefect.automation.triggered"), name="stop")
    first = office.make(a.DoNothing())
    office.stage.ended()
    office.loop.run_once()
    assert office.administration.read_automation(first.id).enabled is False


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (a.RunDeployment(deployment_id=UUID(int=7)), f"There is no deployment with id {UUID(int=7)}."),
        (a.RunDeployment(source="inferred"), "The event that fired has to do with no deployment."),
        (a.PauseWorkPool(work_pool_id=UUID(int=7)), f"There is no work pool with id {UUID(int=7)}."),
        (a.PauseWorkQueue(source="inferred"), "The event that fired has to do with no work queue."),
        (a.CancelFlowRun(), "The flow run stays as it is: The run has ended: it is Completed."),
        (a.ResumeFlowRun(), "The flow run stays as it is: The run is not paused."),
        (mail("{{ 1 / 0 }}"), "Line 1 of the template: division by zero."),
    ],
)
def test_an_action_that_fails_says_why(office: Office, action: a.AnyAction, reason: str) -> None:
    office.make(action, a.DoNothing())
    run = office.stage.ended()
    assert office.loop.run_once() == 2
    assert office.names() == [
        "triggered",
        "action.triggered",
        "action.failed",
        "action.triggered",
        "action.executed",
    ]
    assert office.told("prefect.automation.action.failed")[0]["payload"]["reason"] == reason
    assert office.execution.read_flow_run(run.id).labels == {}
    assert office.loop.run_once() == 0


def test_a_run_that_is_gone_cannot_be_moved(office: Office) -> None:
    office.make(a.CancelFlowRun())
    run = office.stage.ended()
    office.loop._react(office.loop._desks()[0])  # pyright: ignore[reportPrivateUsage]
    office.administration.delete_flow_run(run.id)
    assert office.loop.run_once() == 1
    reason = office.told("prefect.automation.action.failed")[0]["payload"]["reason"]
    assert reason == f"There is no flow run with id {run.id}."


def test_an_action_waits_for_better_times(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.make(a.DoNothing())
    office.stage.ended()

    def refuse(*_: Any) -> bool:
        raise Unavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(loop_module, "carry_out", refuse)
        with pytest.raises(Unavailable):
            office.loop.run_once()
    assert office.names() == ["triggered"]
    assert office.loop.run_once() == 1


def test_a_fault_of_ours_fails_one_action_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.make(a.DoNothing(), a.DoNothing())
    office.stage.ended()
    honest, faults = loop_module.carry_out, [KeyError("x")]

    def stumble(*given: Any) -> bool:
        if faults:
            raise faults.pop()
        return honest(*given)

    monkeypatch.setattr(loop_module, "carry_out", stumble)
    assert office.loop.run_once() == 2
    failed = office.told("prefect.automation.action.failed")
    assert [body["payload"]["reason"] for body in failed] == ["Something unforeseen happened: KeyError."]
    assert office.names()[-1] == "action.executed"


# an end to what goes in circles


def test_automations_that_start_each_other_come_to_an_end(office: Office) -> None:
    deployment = office.deploy()
    office.make(a.RunDeployment(deployment_id=deployment.id))
    run = office.start(deployment, StateType.RUNNING, StateType.COMPLETED)
    for _ in range(20):
        office.loop.run_once()
        newest = office.administration.list_flow_runs()[0]
        if newest.id == run.id:
            break
        run = office.move(newest, StateType.RUNNING, StateType.COMPLETED)
    assert office.administration.count_flow_runs() == 11
    firings = [body["payload"]["firing_id"] for body in office.told("prefect.automation.triggered")]
    assert run.labels == {DEPTH: 10, FIRING: firings[-1]}
    (cut,) = office.told("headrace.automation.cut")
    assert cut["resource"][DEPTH] == "11"
    assert (cut["payload"]["cut"], cut["payload"]["chain"]) == ("depth", firings[0])
    assert cut["payload"]["reason"] == "10 automations have fired one because of another, which is as many as may."


def test_a_chain_is_carried_on_by_subflows_and_events_of_runs(office: Office) -> None:
    deployment = office.deploy()
    office.make(a.RunDeployment(deployment_id=deployment.id), trigger=expect("start"))
    office.make(a.DoNothing(), trigger=expect("data.arrived", COMPLETED), name="notice")
    office.say("start")
    office.loop.run_once()
    parent = office.move(office.administration.list_flow_runs()[0], StateType.RUNNING)
    task = office.execution.create_task_run(TaskRunCreate(flow_run_id=parent.id, task_key="sub", dynamic_key="0"))
    child = office.stage.run(parent_task_run_id=task.id, labels={"mine": True})
    assert child.labels == {"mine": True, **(parent.labels or {})}
    assert parent.labels == {DEPTH: 1, FIRING: office.told()[0]["payload"]["firing_id"]}
    office.move(child, StateType.RUNNING, StateType.COMPLETED)
    body = {
        "id": str(uuid7()), "event": "data.arrived", "occurred": office.stage.now.isoformat(),
        "resource": {"prefect.resource.id": "t"},
        "related": [{"prefect.resource.id": f"prefect.flow-run.{parent.id}", "prefect.resource.role": "flow-run"}],
    }  # fmt: skip
    office.execution.report([EventReport(UUID(str(body["id"])), office.clock.now, body, parent.id)])
    office.loop.run_once()
    depths = [body["resource"][DEPTH] for body in office.told("prefect.automation.triggered")]
    assert depths == ["1", "2", "2"]


def test_who_asks_for_everything_hears_what_others_do(office: Office) -> None:
    office.make(a.DoNothing(), trigger=expect())
    of_automations = expect(match={"prefect.resource.id": "prefect.automation.*"})
    office.make(a.DoNothing(), trigger=of_automations, name="listener")
    office.say("anything")
    office.loop.run_once()
    names = [body["resource"]["prefect.resource.name"] for body in office.told("prefect.automation.triggered")]
    assert names.count("tell") == 1
    assert "listener" in names


def test_automations_that_hear_themselves_come_to_an_end(office: Office) -> None:
    office.make(a.DoNothing(), trigger=expect("anything*", "prefect.automation.*"))
    office.say("anything")
    office.loop.run_once()
    fired = office.told("prefect.automation.triggered")
    assert len(fired) == 1 + MOST_RECURRENCES
    cuts = [body["payload"] for body in office.told("headrace.automation.cut")]
    assert sorted(payload["cut"] for payload in cuts) == ["depth", "recurrence"]  # each of which is said once
    assert {payload["chain"] for payload in cuts} == {fired[0]["payload"]["firing_id"]}
    assert "It has fired because of what it did itself 10 times, which is as often as it may." in {
        payload["reason"] for payload in cuts
    }
    assert office.loop.run_once() == 0
    office.say("anything else")  # which begins a chain of its own
    office.loop.run_once()
    assert len(office.told("prefect.automation.triggered")) == 2 * len(fired)


def test_a_chain_comes_to_an_end_whatever_it_branches_into(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "MOST_FIRINGS", 7)
    for name in ("one", "other", "third"):
        office.make(a.DoNothing(), trigger=expect("anything*", "prefect.automation.*"), name=name)
    for _ in range(2):
        office.say("anything")
    office.loop.run_once()
    fired = {body["payload"]["firing_id"] for body in office.told("prefect.automation.triggered")}
    begun = {body["payload"]["chain"] for body in office.told("headrace.automation.cut")}
    assert len(begun) == 6  # each of three began a chain because of each of two events
    assert begun <= fired
    assert len(fired) == 6 * 7
    assert {body["payload"]["cut"] for body in office.told("headrace.automation.cut")} == {"size"}


def test_what_one_firing_leads_to_many_times_is_no_circle(office: Office) -> None:
    deployment = office.deploy()
    office.make(a.RunDeployment(deployment_id=deployment.id), trigger=expect("start"))
    office.make(a.DoNothing(), trigger=expect("data.*"), name="take")
    office.say("start")
    office.loop.run_once()
    labels = office.administration.list_flow_runs()[0].labels or {}
    for number in range(MOST_RECURRENCES + 2):
        office.say(f"data.{number}", **{name: str(value) for name, value in labels.items()})
    assert office.loop.run_once() == MOST_RECURRENCES + 2
    assert office.told("headrace.automation.cut") == []


def test_a_chain_whose_beginning_is_forgotten_still_ends(office: Office) -> None:
    office.make(a.DoNothing(), trigger=expect("data"))
    for depth in ("9", "10"):
        office.say("data", **{DEPTH: depth, FIRING: str(uuid7())})
    assert office.loop.run_once() == 1
    (cut,) = office.told("headrace.automation.cut")
    assert (cut["payload"]["cut"], cut["payload"]["chain"]) == ("depth", cut["payload"]["firing_id"])


# several loops, and loops that die


def run_on(loop: Automations) -> int:
    """Look several times; how many actions were performed."""
    return sum(loop.run_once() for _ in range(5))


def test_several_loops_fire_once_for_each_event(office: Office, database_url: str) -> None:
    office.make(
        a.RunDeployment(deployment_id=office.deploy().id), trigger=expect("paid", for_each=["prefect.resource.id"])
    )
    with open_database(database_url) as other:
        loops = [Automations(each, office.clock, page=3) for each in (office.database, other)]
        for number in range(30):
            office.say("paid", f"shop.order.{number}")
        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(run_on, loops))
    assert sum(done) == 30
    assert office.administration.count_flow_runs() == 30
    assert len(office.told("prefect.automation.triggered")) == 30


def test_several_loops_notice_an_absence_once(office: Office, database_url: str) -> None:
    office.make(
        a.DoNothing(), trigger=expect("beat", posture=Posture.Proactive, within=10, for_each=["prefect.resource.id"])
    )
    for number in range(20):
        office.say("beat", f"shop.{number}")
    office.loop.run_once()
    office.clock.advance(11)
    with open_database(database_url) as other:
        loops = [Automations(each, office.clock) for each in (office.database, other)]
        with ThreadPoolExecutor(2) as threads:
            assert sum(threads.map(run_on, loops)) == 20


STOPS = ("take_events", "carry_out", "after the events")
DYING = """
import os, sys
from headrace.orchestration.loops import automations
from headrace.orchestration.loops.automations import Automations
from headrace.storage.databases import open_database

url, place = sys.argv[1:]

def dying(honest):
    def die(*given):
        honest(*given)
        os._exit(9)
    return die

if place == "after the events":
    Automations._perform = lambda *_: os._exit(9)
else:
    setattr(automations, place, dying(getattr(automations, place)))
Automations(open_database(url)).run_once()
"""


@pytest.mark.parametrize("place", STOPS)
def test_a_loop_that_is_killed_has_fired_once_in_the_end(office: Office, database_url: str, place: str) -> None:
    office.make(a.RunDeployment(deployment_id=office.deploy().id), mail())
    for _ in range(3):
        office.stage.ended()
    killed = subprocess.run([sys.executable, "-c", DYING, database_url, place], check=False, timeout=60)
    assert killed.returncode == 9
    office.clock.advance(120)  # the loop that died went by the real time
    office.loop.run_once()
    office.loop.run_once()
    started = [run for run in office.administration.list_flow_runs() if run.created_by is not None]
    assert len([run for run in started if run.created_by and run.created_by.type == "AUTOMATION"]) == 3
    assert len(office.messages()) == len(office.told("prefect.automation.triggered")) == 3
    assert len(office.told("prefect.automation.action.executed")) == 6


def test_what_fired_long_ago_is_forgotten(office: Office) -> None:
    office.make(a.DoNothing())
    office.stage.ended()
    office.loop.run_once()

    def count() -> Sequence[Any]:
        return office.database.read(
            lambda connection: loop_module.firings.find_old(connection, DEFAULT_SCOPE.workspace_id, 2**62, 10)
        )

    assert len(count()) == 1
    office.clock.advance(RETENTION / 1_000_000 - 60)
    office.loop.run_once()
    assert len(count()) == 1
    office.clock.advance(120)
    office.loop.run_once()
    assert count() == []


def test_a_loop_on_its_own_thread_reacts(office: Office) -> None:
    import threading

    office.make(a.DoNothing())
    seen = threading.Event()

    class Noticing(Automations):
        def _report(self, done: int) -> None:
            super()._report(done)
            seen.set()

    loop = Noticing(office.database, office.clock, interval=0.01)
    loop.start()
    try:
        office.stage.ended()
        assert seen.wait(30)
    finally:
        loop.stop()


def test_a_message_is_plain(office: Office) -> None:
    """What templates are given is what JSON holds, so that nothing of ours can be reached through it."""
    office.make(mail("{{ flow_run|tojson }}"))
    office.stage.ended()
    office.loop.run_once()
    (message,) = office.messages()
    assert msgspec.json.decode(message.body)["state"]["type"] == "COMPLETED"
