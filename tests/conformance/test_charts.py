from datetime import UTC, datetime, timedelta

import pytest

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.filters import FlowRunFilter, IdFilter, RunSelection, TaskRunFilter, TextFilter
from headrace.schema.orchestration import Verb
from headrace.schema.run import FlowRunSort, Page, TaskRunCreate, TaskRunResult, TaskRunUpdate
from headrace.schema.state import StateCreate, StateType
from tests.conformance.scenes import Stage

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType


def test_spans_tell_when_runs_ran_and_for_how_long(administration: Administration, stage: Stage) -> None:
    run = stage.run()
    stage.clock.advance(2)
    stage.propose(run, RUNNING)
    stage.clock.advance(3)
    stage.propose(run, COMPLETED)
    waiting = stage.scheduled(-4)
    done, late = administration.list_flow_run_spans(sort=FlowRunSort.START_TIME_ASC)
    assert (done.id, done.state_type, done.timestamp) == (run.id, COMPLETED, stage.after(-3))
    assert (done.duration, done.lateness) == (3.0, 2.0)
    assert (late.id, late.timestamp, late.duration, late.lateness) == (waiting.id, stage.after(-4), 0.0, 4.0)
    only = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[run.id])))
    assert administration.list_flow_run_spans(only, page=Page(1000)) == [done]
    with pytest.raises(InvalidRequest):
        administration.list_flow_run_spans(page=Page(1001))


def test_lateness_is_an_average(administration: Administration, stage: Stage) -> None:
    assert administration.flow_run_lateness() is None
    stage.scheduled(-4)
    punctual = stage.run()
    stage.propose(punctual, RUNNING)
    assert administration.flow_run_lateness() == pytest.approx(2.0, abs=1e-5)
    only = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[punctual.id])))
    assert administration.flow_run_lateness(only) == pytest.approx(0.0, abs=1e-5)


def test_the_graph_shows_what_ran_and_what_it_took(administration: Administration, stage: Stage) -> None:
    run = stage.running()
    load = stage.made(run.id, name="load")
    clean = stage.made(run.id, name="clean", task_inputs={"rows": [TaskRunResult(id=load.id)]})
    call = stage.made(run.id, name="call")
    stage.deliver(load, *stage.story(load))
    stage.clock.advance(10)
    stage.deliver(clean, *stage.story(clean)[:2], call, stage.state(call, 1, PENDING, 20))
    child = stage.run(flow="child", parent_task_run_id=call.id)
    graph = administration.read_flow_run_graph(run.id)
    nodes = dict(graph.nodes)
    assert {key: node.label for key, node in graph.nodes} == {load.id: "load", clean.id: "clean", child.id: child.name}
    assert [edge.id for edge in nodes[clean.id].parents] == [load.id]
    assert [edge.id for edge in nodes[load.id].children] == [clean.id]
    assert sorted(graph.root_node_ids) == sorted([load.id, child.id])
    assert (nodes[child.id].kind, nodes[load.id].kind) == ("flow-run", "task-run")
    assert [state.type for state in graph.states] == [PENDING, RUNNING]
    assert [key for key, _ in administration.read_flow_run_graph(run.id, since=stage.after(-1)).nodes] != []
    assert load.id not in dict(administration.read_flow_run_graph(run.id, since=stage.now).nodes)
    with pytest.raises(ObjectNotFound):
        administration.read_flow_run_graph(uuid7())


def test_labels_are_added(execution: Execution, administration: Administration, stage: Stage) -> None:
    run = stage.run(labels={"team": "data", "cores": 1})
    administration.label_flow_run(run.id, {"cores": 2, "gpu": False})
    assert execution.read_flow_run(run.id).labels == {"team": "data", "cores": 2, "gpu": False}
    with pytest.raises(ObjectNotFound):
        administration.label_flow_run(uuid7(), {"a": 1})


def test_task_runs_are_counted_by_interval_state_and_flow_run(administration: Administration, stage: Stage) -> None:
    one, two = stage.running(), stage.running()
    start = stage.now
    for run, end in ((one, COMPLETED), (one, COMPLETED), (two, FAILED)):
        task = stage.made(run.id, expected_start_time=stage.clock.now)
        stage.deliver(task, *stage.story(task, end))
        stage.clock.advance(10)
    history = administration.task_run_history(start, start + timedelta(seconds=40), 20.0)
    assert [[(each.state_type, each.count_runs) for each in interval.states] for interval in history] == [
        [(COMPLETED, 2)],
        [(FAILED, 1)],
    ]
    assert history[0].states[0].sum_estimated_run_time == 6.0
    of_two = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[two.id])))
    assert administration.count_task_runs_by_state() == {COMPLETED: 2, FAILED: 1}
    assert administration.count_task_runs_by_state(of_two) == {FAILED: 1}
    none = uuid7()
    assert administration.count_task_runs_by_flow_run([one.id, two.id, none]) == {one.id: 2, two.id: 1, none: 0}
    assert administration.count_task_runs_by_flow_run([]) == {}


def test_a_task_run_is_renamed(administration: Administration, stage: Stage) -> None:
    task = stage.made()
    stage.deliver(task)
    administration.update_task_run(task.id, TaskRunUpdate(name="better"))
    administration.update_task_run(task.id, TaskRunUpdate())
    assert administration.read_task_run(task.id).name == "better"
    found = RunSelection(task_runs=TaskRunFilter(name=TextFilter(any_=["better"])))
    assert administration.count_task_runs(found) == 1
    with pytest.raises(ObjectNotFound):
        administration.update_task_run(uuid7(), TaskRunUpdate(name="x"))


def test_states_of_task_runs_that_others_decide_are_proposed(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    task = execution.create_task_run(TaskRunCreate(task_key="k", dynamic_key="0", state=StateCreate(type=SCHEDULED)))

    def propose(type_: StateType, *, force: bool = False) -> tuple[Verb, StateType | None, bool]:
        decision = execution.propose_task_run_state(task.id, StateCreate(type=type_), force)
        return decision.verb, decision.state and decision.state.type, decision.written

    assert propose(PENDING) == (Verb.ACCEPT, PENDING, True)
    stage.clock.advance(1)
    assert propose(RUNNING) == (Verb.ACCEPT, RUNNING, True)
    assert execution.read_task_run(task.id).run_count == 1
    assert propose(PENDING) == (Verb.ABORT, RUNNING, False)
    stage.clock.advance(3)
    assert propose(COMPLETED) == (Verb.ACCEPT, COMPLETED, True)
    assert execution.read_task_run(task.id).total_run_time == 3.0
    assert propose(RUNNING) == (Verb.REJECT, COMPLETED, False)
    assert propose(FAILED, force=True) == (Verb.ACCEPT, FAILED, True)
    assert execution.read_task_run(task.id).state_type is FAILED
    names = [state.name for state in administration.list_task_run_states(task.id)]
    assert names == ["Scheduled", "Pending", "Running", "Completed", "Failed"]
    with pytest.raises(ObjectNotFound):
        execution.propose_task_run_state(uuid7(), StateCreate(type=RUNNING))


def test_an_interval_may_be_longer_than_time(administration: Administration, stage: Stage) -> None:
    stage.running()
    far = datetime(9999, 12, 31, tzinfo=UTC)
    (whole,) = administration.flow_run_history(stage.after(-10), stage.after(10), 4.5e307)
    assert [state.count_runs for state in whole.states] == [1]
    (last,) = administration.flow_run_history(far, far + timedelta(hours=1), 1e9)
    assert (last.states, last.interval_end.year) == ([], 9999)
