"""Clients that keep no journal: their reports become the same facts, each once, in whatever order they come."""

import itertools
from typing import Any
from uuid import UUID

import pytest

from headrace.base.clock import FrozenClock
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor
from headrace.schema.fact import StateFact, TaskRunFact
from headrace.schema.report import BeatReport, EventReport, StateReport
from headrace.schema.state import StateType
from tests.conformance.scenes import SECOND, Stage

PENDING, RUNNING, COMPLETED = StateType.PENDING, StateType.RUNNING, StateType.COMPLETED


def report(
    run: TaskRunFact, type_: StateType, at: int, count: int = 0, *, id_: UUID | None = None, **what: Any
) -> StateReport:
    state = StateFact(0, type_, what.pop("name", type_.capitalize()), at, **what)
    return StateReport(id_ or uuid7(), run, state, count)


def story(run: TaskRunFact, now: int) -> list[StateReport]:
    return [
        report(run, PENDING, now),
        report(run, RUNNING, now + 2 * SECOND, 1),
        report(run, COMPLETED, now + 5 * SECOND, 1),
    ]


@pytest.mark.parametrize("order", range(6))
def test_reports_in_any_order_tell_the_same_story(
    execution: Execution, administration: Administration, stage: Stage, clock: FrozenClock, order: int
) -> None:
    run = stage.made(stage.running().id)
    reports = list(itertools.permutations(story(run, clock.now)))[order]
    for each in reports:
        execution.report([each])
        execution.report([each])
    task_run = execution.read_task_run(run.id)
    assert (task_run.state_type, task_run.run_count, task_run.total_run_time) == (COMPLETED, 1, 3.0)
    assert (task_run.name, task_run.task_key, task_run.flow_run_id) == (run.name, run.task_key, run.flow_run_id)
    states = administration.list_task_run_states(run.id)
    assert [state.type for state in states] == [PENDING, RUNNING, COMPLETED]
    assert len({state.id for state in states}) == 3


def test_states_of_one_instant_go_by_the_ids_of_their_reports(
    execution: Execution, administration: Administration, stage: Stage, clock: FrozenClock
) -> None:
    first, second, third = sorted(uuid7() for _ in range(3))
    run = stage.made(stage.running().id)
    execution.report([report(run, RUNNING, clock.now, 1, id_=second)])
    execution.report([report(run, COMPLETED, clock.now, 1, id_=third), report(run, PENDING, clock.now, id_=first)])
    states = administration.list_task_run_states(run.id)
    assert [state.type for state in states] == [PENDING, RUNNING, COMPLETED]
    assert execution.read_task_run(run.id).state_type is COMPLETED


def test_reports_that_come_after_the_run_was_ended_from_outside_are_history(
    execution: Execution, administration: Administration, stage: Stage, clock: FrozenClock
) -> None:
    run = stage.made(stage.running().id)
    pending, running, ended = story(run, clock.now)
    execution.report([pending, running])
    clock.advance(3)
    stage.propose(execution.read_flow_run(run.flow_run_id or run.id), StateType.CRASHED)
    again = report(run, RUNNING, ended.state.timestamp + SECOND, 2)
    for each in (ended, again, ended, again):
        execution.report([each])
    assert execution.read_task_run(run.id).state_type is StateType.CRASHED
    states = administration.list_task_run_states(run.id)
    assert [state.type for state in states] == [PENDING, RUNNING, StateType.CRASHED, COMPLETED, RUNNING]
    assert len({state.id for state in states}) == 5


def test_a_name_from_a_template_comes_with_a_later_report(
    execution: Execution, stage: Stage, clock: FrozenClock
) -> None:
    run = stage.made(stage.running().id, name="load-0")
    named = stage.made(run.flow_run_id, run.id, name="load March")
    execution.report([report(named, RUNNING, clock.now + SECOND, 1), report(run, PENDING, clock.now)])
    assert execution.read_task_run(run.id).name == "load March"


def test_the_first_beat_takes_the_lease_and_the_end_gives_it_back(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    execution.report([BeatReport(uuid7(), run.id, 180.0), BeatReport(uuid7(), uuid7(), 180.0)])
    execution.report([BeatReport(uuid7(), run.id, 180.0)])
    assert execution.crash_if_dead() == 0
    stage.propose(run, COMPLETED)
    execution.report([BeatReport(uuid7(), run.id, 180.0)])
    assert execution.read_flow_run(run.id).state_type is COMPLETED


def test_any_other_event_is_kept_once_in_the_log(execution: Execution, stage: Stage, clock: FrozenClock) -> None:
    before = execution.last_cursor()
    run = stage.running()
    event = EventReport(uuid7(), clock.now, {"event": "data.arrived", "payload": {"rows": 3}}, run.id)
    execution.report([event, event])
    execution.report([event])
    logged = [each for each in execution.read_events(before).events if each.kind == "custom"]
    assert [(each.subject_id, each.flow_run_id, each.body) for each in logged] == [(event.id, run.id, event.body)]
    assert logged[0].cursor > Cursor()
