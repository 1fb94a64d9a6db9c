from datetime import timedelta
from uuid import UUID

from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.event import EventStretch, LoggedEvent
from headrace.schema.report import EventReport
from headrace.schema.workspace import Scope
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage


def read_all(administration: Administration, asked: EventStretch) -> list[LoggedEvent]:
    found: list[LoggedEvent] = []
    while True:
        page = administration.read_event_stretch(asked)
        found += page.events
        if page.place is None:
            return found
        asked.place = page.place


def subjects(events: list[LoggedEvent]) -> list[UUID]:
    return [event.subject_id for event in events]


def report(execution: Execution, stage: Stage, flow_run_id: UUID | None = None) -> UUID:
    event_id = uuid7()
    execution.report([EventReport(event_id, stage.clock.now, {"event": "mine"}, flow_run_id)])
    return event_id


def test_the_log_is_read_either_way_in_stretches(administration: Administration, stage: Stage) -> None:
    assert read_all(administration, EventStretch()) == []
    runs = [stage.run().id for _ in range(7)]
    for limit in (1, 2, 7, 500):
        assert subjects(read_all(administration, EventStretch(limit=limit))) == runs[::-1]
        assert subjects(read_all(administration, EventStretch(limit=limit, descending=False))) == runs


def test_a_stretch_is_of_a_time(administration: Administration, stage: Stage) -> None:
    hours: list[list[UUID]] = []
    for _ in range(5):
        hours.append([stage.run().id for _ in range(100)])
        stage.clock.advance(3600)
    begin = stage.now - timedelta(hours=3)
    found = subjects(read_all(administration, EventStretch(since=begin, until=begin + timedelta(hours=1))))
    assert {*hours[2], *hours[3]} <= {*found}
    assert not {*hours[0], *hours[4][40:]} & {*found}
    assert len(read_all(administration, EventStretch(until=stage.now - timedelta(days=9)))) <= 33  # it ends about there


def test_events_that_say_another_time_do_not_hide_the_others(
    administration: Administration, execution: Execution, stage: Stage
) -> None:
    early = [stage.run().id for _ in range(60)]
    execution.report([EventReport(uuid7(), stage.clock.now + 10**12 * sign, {}) for sign in (-1, 1, -1, 1)])
    stage.clock.advance(3600)
    late = [stage.run().id for _ in range(60)]
    found = {*subjects(read_all(administration, EventStretch(since=stage.after(-60))))}
    assert {*late} <= found
    assert len(found & {*early}) <= 33


def test_the_events_of_a_run_are_found_among_all_others(
    administration: Administration, execution: Execution, stage: Stage
) -> None:
    run = stage.running()
    task = stage.made(run.id)
    stage.deliver(task, *stage.story(task))
    told = report(execution, stage, run.id)
    other = stage.running()
    report(execution, stage)
    report(execution, stage, other.id)

    def found(**asked: object) -> list[UUID]:
        return subjects(read_all(administration, EventStretch(descending=False, **asked)))  # pyright: ignore[reportArgumentType]

    assert found(subjects=[run.id]) == [run.id, run.id, told]
    assert found(subjects=[run.id], with_task_runs=True) == [run.id, run.id, task.id, told]
    assert found(subjects=[task.id]) == [task.id]
    assert found(subjects=[run.id], kinds=["flow-run"], limit=1) == [run.id, run.id]
    assert found(kinds=["task-run"]) == [task.id]
    assert found(subjects=[]) == []


def test_the_log_belongs_to_a_workspace(implementation: Orchestrations, stage: Stage) -> None:
    stage.run()
    other = implementation.open(Scope(workspace_id=uuid7())).administration
    assert read_all(other, EventStretch()) == []
