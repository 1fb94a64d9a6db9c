from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.fact import LogFact
from headrace.schema.filters import FlowRunFilter, IdFilter, RunSelection
from headrace.schema.run import FlowRunCreate, FlowRunPolicy, FlowRunUpdate
from headrace.schema.state import StateCreate, StateType
from tests.conformance.scenes import Stage

PENDING, RUNNING, COMPLETED = StateType.PENDING, StateType.RUNNING, StateType.COMPLETED


def test_a_run_is_returned_as_it_is_stored(execution: Execution, administration: Administration, stage: Stage) -> None:
    made = stage.run(
        name="monday",
        parameters={"path": "s3://in", "rows": [1, 2.5, None], "ünï": "cøde"},
        context={"a": 1},
        flow_version="v1",
        tags=["nightly"],
        labels={"team": "data"},
        empirical_policy=FlowRunPolicy(retries=2, retry_delay=10),
        job_variables={"cpu": 2},
    )
    assert made == execution.read_flow_run(made.id) == administration.read_flow_run(made.id)
    assert made.parameters == {"path": "s3://in", "rows": [1, 2.5, None], "ünï": "cøde"}
    assert (made.name, made.context, made.flow_version, made.tags) == ("monday", {"a": 1}, "v1", ["nightly"])
    assert (made.labels, made.job_variables, made.epoch) == ({"team": "data"}, {"cpu": 2}, 0)
    assert made.empirical_policy == FlowRunPolicy(retries=2, retry_delay=10)
    assert (made.created, made.expected_start_time, made.run_count) == (stage.now, stage.now, 0)
    assert made.state
    assert (made.state_type, made.state_name, made.state.timestamp) == (PENDING, "Pending", stage.now)
    assert made.state.id == made.state_id
    assert made.state.state_details.flow_run_id == made.id


def test_a_run_without_a_name_gets_one(stage: Stage) -> None:
    assert "-" in stage.run().name


def test_what_no_database_can_hold_is_replaced(stage: Stage, execution: Execution) -> None:
    made = stage.run(name="a\0b", parameters={"x": "nul \0 here", "half": "\ud83d"}, tags=["t\0"])
    read = execution.read_flow_run(made.id)
    assert (read.name, read.tags) == ("a\ufffdb", ["t\ufffd"])
    assert read.parameters == {"x": "nul \ufffd here", "half": "\ufffd"}


def test_the_same_id_makes_one_run(execution: Execution, administration: Administration, stage: Stage) -> None:
    create = FlowRunCreate(flow_id=stage.flow(), id=uuid7(), name="first")
    first = execution.create_flow_run(create)
    create.name = "second"
    assert execution.create_flow_run(create) == first
    assert administration.count_flow_runs() == 1
    assert len(administration.list_flow_run_states(first.id)) == 1


def test_the_same_key_makes_one_run_of_a_flow(administration: Administration, stage: Stage) -> None:
    first = stage.run(idempotency_key="monday")
    assert stage.run(idempotency_key="monday") == first
    assert stage.run(idempotency_key="tuesday").id != first.id
    assert stage.run(flow="other", idempotency_key="monday").id != first.id
    assert administration.count_flow_runs() == 3


def test_a_key_makes_one_run_however_many_ask_at_once(
    administration: Administration, execution: Execution, stage: Stage
) -> None:
    flow = stage.flow()

    def create(_: int) -> Any:
        return execution.create_flow_run(FlowRunCreate(flow_id=flow, idempotency_key="once")).id

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(create, range(16)))) == 1
    assert administration.count_flow_runs() == 1


def test_a_run_needs_its_flow(execution: Execution) -> None:
    with pytest.raises(ObjectNotFound):
        execution.create_flow_run(FlowRunCreate(flow_id=uuid7()))


def test_no_run_begins_by_being_cancelled(stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match="CANCELLING"):
        stage.run(state=StateCreate(type=StateType.CANCELLING))


def test_a_scheduled_run_has_a_next_start(stage: Stage) -> None:
    run = stage.scheduled(3600)
    assert run.expected_start_time == run.next_scheduled_start_time == stage.after(3600)
    unplanned = stage.run(state=StateCreate(type=StateType.SCHEDULED))
    assert unplanned.next_scheduled_start_time == stage.now


def test_a_batch_is_stored_before_the_run(execution: Execution, stage: Stage) -> None:
    parent = stage.running()
    task = stage.made(parent.id)
    create = FlowRunCreate(flow_id=stage.flow("child"), parent_task_run_id=task.id)
    child = execution.create_flow_run(create, stage.batch(task))
    assert child.state
    assert child.state.state_details.task_run_id == task.id
    mirrored = execution.read_task_run(task.id)
    assert mirrored.state
    assert (mirrored.state.type, mirrored.state.state_details.child_flow_run_id) == (PENDING, child.id)


def test_children_are_found_by_their_parent(administration: Administration, stage: Stage) -> None:
    parent = stage.running()
    task = stage.made(parent.id)
    stage.deliver(task)
    child = stage.run(flow="child", parent_task_run_id=task.id)
    for wanted in (
        FlowRunFilter(parent_flow_run_id=IdFilter(any_=[parent.id])),
        FlowRunFilter(parent_task_run_id=IdFilter(any_=[task.id])),
        FlowRunFilter(parent_task_run_id=IdFilter(is_null_=False)),
    ):
        found = administration.list_flow_runs(RunSelection(flow_runs=wanted))
        assert [run.id for run in found] == [child.id]


def test_a_run_that_is_not_there_is_not_found(execution: Execution, administration: Administration) -> None:
    asks: list[Callable[[UUID], object]] = [
        execution.read_flow_run,
        administration.read_flow_run,
        administration.list_flow_run_states,
        administration.delete_flow_run,
        lambda run_id: execution.update_flow_run(run_id, FlowRunUpdate(name="x")),
        lambda run_id: administration.update_flow_run(run_id, FlowRunUpdate(name="x")),
        administration.read_flow_run_state,
    ]
    for ask in asks:
        with pytest.raises(ObjectNotFound):
            ask(uuid7())


def test_an_update_changes_what_it_names(execution: Execution, administration: Administration, stage: Stage) -> None:
    run = stage.run(name="before", tags=["a"], flow_version="v1", parameters={"x": 1}, job_variables={"cpu": 1})
    stage.clock.advance(1)
    execution.update_flow_run(run.id, FlowRunUpdate(name="after", infrastructure_pid="host:42"))
    changed = execution.read_flow_run(run.id)
    assert (changed.name, changed.infrastructure_pid, changed.updated) == ("after", "host:42", stage.now)
    assert (changed.tags, changed.flow_version, changed.parameters) == (["a"], "v1", {"x": 1})
    policy = FlowRunPolicy(retries=1)
    update = FlowRunUpdate(
        tags=[], flow_version=None, parameters={"x": 2}, empirical_policy=policy, job_variables=None, name=None
    )
    administration.update_flow_run(run.id, update)
    changed = execution.read_flow_run(run.id)
    assert (changed.tags, changed.flow_version, changed.parameters) == ([], None, {"x": 2})
    assert (changed.name, changed.empirical_policy, changed.job_variables) == ("after", policy, None)


def test_time_passes_while_a_run_runs(execution: Execution, stage: Stage) -> None:
    run = stage.run()
    stage.clock.advance(3)
    running = stage.propose(run, RUNNING).flow_run
    assert (running.run_count, running.start_time, running.estimated_start_time_delta) == (1, stage.now, 3.0)
    stage.clock.advance(10)
    assert execution.read_flow_run(run.id).estimated_run_time == 10.0
    ended = stage.propose(run, COMPLETED).flow_run
    stage.clock.advance(10)
    assert ended == execution.read_flow_run(run.id)
    assert (ended.total_run_time, ended.estimated_run_time, ended.end_time) == (10.0, 10.0, stage.after(-10))


def test_every_state_is_kept_in_order(administration: Administration, stage: Stage) -> None:
    run = stage.run()
    stage.propose(run, RUNNING, message="here we go")
    stage.propose(run, COMPLETED, data={"storage_key": "k"})
    states = administration.list_flow_run_states(run.id)
    assert [state.name for state in states] == ["Pending", "Running", "Completed"]
    times = [state.timestamp for state in states]
    assert times == sorted(times)  # pyright: ignore[reportArgumentType]
    assert len({*times}) == 3
    assert states[1].message == "here we go"
    assert states[2] == administration.read_flow_run(run.id).state
    for state in states:
        assert state.id
        assert administration.read_flow_run_state(state.id) == state


def test_a_run_is_deleted_with_what_it_left(execution: Execution, administration: Administration, stage: Stage) -> None:
    run, other = stage.running(), stage.running()
    task, kept = stage.made(run.id), stage.made(other.id)
    stage.deliver(task, kept, *stage.story(task), *stage.story(kept))
    stage.deliver(*(LogFact(uuid7(), "flow", 20, "hi", stage.clock.now, each.id) for each in (run, other)))
    child = stage.run(flow="child", parent_task_run_id=task.id)
    administration.delete_flow_run(run.id)
    with pytest.raises(ObjectNotFound):
        execution.read_flow_run(run.id)
    with pytest.raises(ObjectNotFound):
        execution.read_task_run(task.id)
    assert [log.flow_run_id for log in administration.list_logs()] == [other.id]
    assert len(administration.list_task_run_states(kept.id)) == 3
    assert execution.read_flow_run(child.id).parent_task_run_id is None


def test_history_counts_runs_by_interval_and_state(administration: Administration, stage: Stage) -> None:
    start = stage.now
    stage.ended()
    stage.clock.advance(5)
    late = stage.scheduled(0)
    stage.clock.advance(9)
    run = stage.run()
    stage.clock.advance(1)
    running = stage.propose(run, RUNNING).flow_run
    stage.clock.advance(4)
    history = administration.flow_run_history(start, start + timedelta(seconds=20), 10.0)
    assert [interval.interval_start for interval in history] == [start, start + timedelta(seconds=10)]
    assert history[0].interval_end == history[1].interval_start
    first, second = history[0].states, history[1].states
    assert [(state.state_type, state.count_runs) for state in first] == [(COMPLETED, 1), (StateType.SCHEDULED, 1)]
    assert first[1].sum_estimated_lateness == 14.0
    assert [(state.state_name, state.sum_estimated_run_time) for state in second] == [("Running", 4.0)]
    only = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[late.id])))
    states = [interval.states for interval in administration.flow_run_history(start, stage.now, 30.0, only)]
    assert [[state.count_runs for state in each] for each in states] == [[1]]
    assert running.state_type is RUNNING


def test_a_history_of_all_runs_is_that_of_each(administration: Administration, stage: Stage) -> None:
    start = stage.now
    for _ in range(3):
        stage.ended()
        stage.clock.advance(2)
        stage.propose(stage.run(), RUNNING)
        stage.propose(stage.run(), RUNNING)
        stage.clock.advance(2)
    other = stage.propose(stage.run(), RUNNING).flow_run
    stage.propose(other, COMPLETED, name="Done")
    every = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[run.id for run in administration.list_flow_runs()])))
    for seconds, interval in ((12, 3.0), (7, 5.0), (20, 30.0)):
        whole = administration.flow_run_history(start, start + timedelta(seconds=seconds), interval)
        assert whole == administration.flow_run_history(start, start + timedelta(seconds=seconds), interval, every)
        assert any(state.state_name == "Completed" for each in whole for state in each.states)


@pytest.mark.parametrize(("seconds", "interval"), [(10, 0.0), (0, 1.0), (-1, 1.0), (501, 1.0)])
def test_a_history_has_bounds(administration: Administration, stage: Stage, seconds: int, interval: float) -> None:
    with pytest.raises(InvalidRequest):
        administration.flow_run_history(stage.now, stage.after(seconds), interval)
