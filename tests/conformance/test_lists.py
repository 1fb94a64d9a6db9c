from collections.abc import Callable
from typing import Any

import pytest

from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.schema.event import Cursor
from headrace.schema.filters import (
    CreatedByFilter,
    ExistsFilter,
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    RunSelection,
    StateFilter,
    StateTypeFilter,
    TagsFilter,
    TaskRunFilter,
    TextFilter,
    TimeFilter,
)
from headrace.schema.run import FlowRunSort, Page, TaskRunSort
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.schema.workspace import Scope
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType


@pytest.fixture
def runs(stage: Stage) -> Stage:
    """Four flow runs and four task runs, no two alike."""
    stage.run(name="a-pending", tags=["x"], flow="one")
    stage.clock.advance(1)
    first = stage.running(name="b-running", tags=["x", "y"], flow="one", flow_version="v1")
    stage.clock.advance(1)
    stage.scheduled(-60, name="c_scheduled", flow="two", idempotency_key="k", deployment_id=uuid7())
    stage.clock.advance(1)
    ended = stage.running(name="d%ended", flow="two")
    stage.clock.advance(1)
    stage.propose(ended, COMPLETED)
    for name, flow_run_id, end, seconds in (("t1", first.id, COMPLETED, 4), ("t2", first.id, FAILED, 2)):
        task = stage.made(flow_run_id, name=name, expected_start_time=stage.clock.now, tags=[name])
        stage.deliver(task, stage.state(task, 1, RUNNING, 0, 1), stage.state(task, 2, end, seconds, 1))
        stage.clock.advance(10)
    task = stage.made(ended.id, name="t3", expected_start_time=stage.clock.now)
    waiting = {"scheduled_time": stage.after(99)}
    stage.deliver(task, stage.state(task, 1, SCHEDULED, 0, details=waiting))
    sub = stage.made(ended.id, name="t4")
    stage.deliver(sub)
    stage.run(name="e-child", flow="three", parent_task_run_id=sub.id)
    return stage


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (FlowRunSort.ID_DESC, "edcba"),
        (FlowRunSort.START_TIME_ASC, "bdace"),
        (FlowRunSort.START_TIME_DESC, "dbeca"),
        (FlowRunSort.EXPECTED_START_TIME_ASC, "cabde"),
        (FlowRunSort.EXPECTED_START_TIME_DESC, "edbac"),
        (FlowRunSort.NAME_ASC, "abcde"),
        (FlowRunSort.NAME_DESC, "edcba"),
        (FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC, "cabde"),
        (FlowRunSort.END_TIME_DESC, "decba"),
    ],
)
def test_flow_runs_are_listed_in_order(
    administration: Administration, runs: Stage, sort: FlowRunSort, names: str
) -> None:
    listed = administration.list_flow_runs(sort=sort)
    assert "".join(run.name[0] for run in listed) == names
    parts = [administration.list_flow_runs(sort=sort, page=Page(2, offset)) for offset in (0, 2, 4, 6)]
    assert [run for part in parts for run in part] == listed


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (TaskRunSort.ID_DESC, "4321"),
        (TaskRunSort.EXPECTED_START_TIME_ASC, "1234"),
        (TaskRunSort.EXPECTED_START_TIME_DESC, "4321"),
        (TaskRunSort.NAME_ASC, "1234"),
        (TaskRunSort.NAME_DESC, "4321"),
        (TaskRunSort.NEXT_SCHEDULED_START_TIME_ASC, "3124"),
        (TaskRunSort.END_TIME_DESC, "2143"),
        (TaskRunSort.DURATION_DESC, "1243"),
        (TaskRunSort.DURATION_ASC, "3421"),
    ],
)
def test_task_runs_are_listed_in_order(
    administration: Administration, runs: Stage, sort: TaskRunSort, names: str
) -> None:
    listed = administration.list_task_runs(sort=sort)
    assert "".join(run.name[1] for run in listed) == names
    parts = [administration.list_task_runs(sort=sort, page=Page(3, offset)) for offset in (0, 3, 6)]
    assert [run for part in parts for run in part] == listed


def having(type_: StateType) -> StateFilter:
    return StateFilter(type=StateTypeFilter(any_=[type_]))


def either(type_: StateType, name: str) -> StateFilter:
    return StateFilter(operator="or_", type=StateTypeFilter(any_=[type_]), name=TextFilter(any_=[name]))


FLOW_RUNS: list[tuple[Callable[[Stage], FlowRunFilter], str]] = [
    (lambda _: FlowRunFilter(), "abcde"),
    (lambda _: FlowRunFilter(id=IdFilter(any_=[])), ""),
    (lambda _: FlowRunFilter(id=IdFilter(any_=[uuid7()])), ""),
    (lambda _: FlowRunFilter(id=IdFilter(not_any_=[uuid7()])), "abcde"),
    (lambda _: FlowRunFilter(id=IdFilter(not_any_=[])), "abcde"),
    (lambda _: FlowRunFilter(name=TextFilter(any_=["a-pending", "e-child"])), "ae"),
    (lambda _: FlowRunFilter(name=TextFilter(not_any_=["a-pending"])), "bcde"),
    (lambda _: FlowRunFilter(name=TextFilter(like_="PEND")), "a"),
    (lambda _: FlowRunFilter(name=TextFilter(like_="d%e")), "d"),
    (lambda _: FlowRunFilter(name=TextFilter(like_="a%pending")), ""),
    (lambda _: FlowRunFilter(name=TextFilter(like_="c_")), "c"),
    (lambda _: FlowRunFilter(name=TextFilter(like_="a_pending")), ""),
    (lambda _: FlowRunFilter(name=TextFilter(like_="")), "abcde"),
    (lambda _: FlowRunFilter(tags=TagsFilter(all_=["x"])), "ab"),
    (lambda _: FlowRunFilter(tags=TagsFilter(all_=["x", "y"])), "b"),
    (lambda _: FlowRunFilter(tags=TagsFilter(all_=[])), "abcde"),
    (lambda _: FlowRunFilter(tags=TagsFilter(any_=["y", "z"])), "b"),
    (lambda _: FlowRunFilter(tags=TagsFilter(any_=["x", "y"])), "ab"),
    (lambda _: FlowRunFilter(tags=TagsFilter(any_=[])), ""),
    (lambda _: FlowRunFilter(tags=TagsFilter(operator="or_", all_=["y"], is_null_=True)), "bcde"),
    (lambda _: FlowRunFilter(operator="or_", tags=TagsFilter(all_=["y"]), state=having(COMPLETED)), "bd"),
    (lambda _: FlowRunFilter(tags=TagsFilter(is_null_=True)), "cde"),
    (lambda _: FlowRunFilter(tags=TagsFilter(is_null_=False)), "ab"),
    (lambda _: FlowRunFilter(state=having(COMPLETED)), "d"),
    (lambda _: FlowRunFilter(state=StateFilter(type=StateTypeFilter(any_=[]))), ""),
    (lambda _: FlowRunFilter(state=StateFilter(type=StateTypeFilter(not_any_=[COMPLETED, PENDING]))), "bc"),
    (lambda _: FlowRunFilter(state=StateFilter(name=TextFilter(any_=["Running", "Scheduled"]))), "bc"),
    (lambda _: FlowRunFilter(state=either(RUNNING, "Completed")), "bd"),
    (lambda _: FlowRunFilter(flow_version=TextFilter(any_=["v1"])), "b"),
    (lambda _: FlowRunFilter(flow_version=TextFilter(is_null_=True)), "acde"),
    (lambda _: FlowRunFilter(flow_version=TextFilter(not_any_=["v1"])), "acde"),
    (lambda _: FlowRunFilter(deployment_id=IdFilter(is_null_=False)), "c"),
    (lambda _: FlowRunFilter(deployment_id=IdFilter(is_null_=True)), "abde"),
    (lambda _: FlowRunFilter(idempotency_key=TextFilter(any_=["k"])), "c"),
    (lambda _: FlowRunFilter(work_queue_name=TextFilter(any_=["q"])), ""),
    (lambda _: FlowRunFilter(created_by=CreatedByFilter(is_null_=True)), "abcde"),
    (lambda _: FlowRunFilter(created_by=CreatedByFilter(id_=[uuid7()])), ""),
    (lambda _: FlowRunFilter(created_by=CreatedByFilter(type_=["SCHEDULE"])), ""),
    (lambda _: FlowRunFilter(parent_flow_run_id=IdFilter(is_null_=True)), "abcd"),
    (lambda _: FlowRunFilter(parent_task_run_id=IdFilter(is_null_=False)), "e"),
    (lambda _: FlowRunFilter(start_time=TimeFilter(is_null_=True)), "ace"),
    (lambda _: FlowRunFilter(end_time=TimeFilter(is_null_=False)), "d"),
    (lambda stage: FlowRunFilter(start_time=TimeFilter(before_=stage.now)), "bd"),
    (lambda stage: FlowRunFilter(start_time=TimeFilter(after_=stage.now)), ""),
    (lambda stage: FlowRunFilter(expected_start_time=TimeFilter(after_=stage.after(-30), before_=stage.after(-20))), "abd"),
    (lambda stage: FlowRunFilter(next_scheduled_start_time=TimeFilter(before_=stage.now)), "c"),
    (lambda _: FlowRunFilter(operator="or_", name=TextFilter(like_="child"), state=having(RUNNING)), "be"),
    (lambda _: FlowRunFilter(operator="or_"), "abcde"),
    (lambda _: FlowRunFilter(name=TextFilter(operator="or_", any_=["a-pending"], like_="child")), "ae"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "names"), FLOW_RUNS)
def test_flow_runs_are_filtered(
    administration: Administration, runs: Stage, wanted: Callable[[Stage], FlowRunFilter], names: str
) -> None:
    selection = RunSelection(flow_runs=wanted(runs))
    found = administration.list_flow_runs(selection, FlowRunSort.NAME_ASC)
    assert "".join(run.name[0] for run in found) == names
    assert administration.count_flow_runs(selection) == len(names)


TASK_RUNS: list[tuple[Callable[[Stage], TaskRunFilter], str]] = [
    (lambda _: TaskRunFilter(), "1234"),
    (lambda _: TaskRunFilter(name=TextFilter(like_="T2")), "2"),
    (lambda _: TaskRunFilter(tags=TagsFilter(any_=["t1", "t2"])), "12"),
    (lambda _: TaskRunFilter(tags=TagsFilter(all_=["t1"])), "1"),
    (lambda _: TaskRunFilter(tags=TagsFilter(all_=["t1", "t2"])), ""),
    (lambda _: TaskRunFilter(tags=TagsFilter(is_null_=True)), "34"),
    (lambda _: TaskRunFilter(operator="or_", tags=TagsFilter(any_=["t1"]), name=TextFilter(any_=["t4"])), "14"),
    (lambda _: TaskRunFilter(state=having(FAILED)), "2"),
    (lambda _: TaskRunFilter(state=StateFilter(type=StateTypeFilter(not_any_=[FAILED]))), "134"),
    (lambda _: TaskRunFilter(subflow_runs=ExistsFilter(exists_=True)), "4"),
    (lambda _: TaskRunFilter(subflow_runs=ExistsFilter(exists_=False)), "123"),
    (lambda _: TaskRunFilter(subflow_runs=ExistsFilter()), "1234"),
    (lambda _: TaskRunFilter(flow_run_id=IdFilter(is_null_=True)), ""),
    (lambda _: TaskRunFilter(end_time=TimeFilter(is_null_=False)), "12"),
    (lambda stage: TaskRunFilter(start_time=TimeFilter(after_=stage.after(-10))), "2"),
    (lambda stage: TaskRunFilter(expected_start_time=TimeFilter(before_=stage.after(-10))), "12"),
]


@pytest.mark.parametrize(("wanted", "names"), TASK_RUNS)
def test_task_runs_are_filtered(
    administration: Administration, runs: Stage, wanted: Callable[[Stage], TaskRunFilter], names: str
) -> None:
    selection = RunSelection(task_runs=wanted(runs))
    found = administration.list_task_runs(selection, TaskRunSort.NAME_ASC)
    assert "".join(run.name[1] for run in found) == names
    assert administration.count_task_runs(selection) == len(names)


def test_selections_go_across_nouns(administration: Administration, runs: Stage) -> None:
    def flow_runs(**what: Any) -> str:
        found = administration.list_flow_runs(RunSelection(**what), FlowRunSort.NAME_ASC)
        assert administration.count_flow_runs(RunSelection(**what)) == len(found)
        return "".join(run.name[0] for run in found)

    def task_runs(**what: Any) -> str:
        found = administration.list_task_runs(RunSelection(**what), TaskRunSort.NAME_ASC)
        assert administration.count_task_runs(RunSelection(**what)) == len(found)
        return "".join(run.name[1] for run in found)

    two = FlowFilter(name=TextFilter(any_=["two"]))
    assert flow_runs(flows=two) == "cd"
    assert flow_runs(flows=two, flow_runs=FlowRunFilter(state=having(COMPLETED))) == "d"
    assert flow_runs(task_runs=TaskRunFilter(state=having(FAILED))) == "b"
    assert task_runs(flows=two) == "34"
    assert task_runs(flow_runs=FlowRunFilter(state=having(RUNNING))) == "12"
    assert task_runs(flows=two, task_runs=TaskRunFilter(name=TextFilter(any_=["t1", "t3"]))) == "3"


def test_a_page_has_bounds(administration: Administration) -> None:
    assert administration.list_flow_runs(page=Page(0)) == []
    for page in (Page(201), Page(-1), Page(10, -1)):
        for ask in (administration.list_flow_runs, administration.list_task_runs, administration.list_logs):
            with pytest.raises(InvalidRequest):
                ask(page=page)
        with pytest.raises(InvalidRequest):
            administration.list_flows(page=page)
        with pytest.raises(InvalidRequest):
            administration.list_results(page=page)
        with pytest.raises(InvalidRequest):
            administration.list_concurrency_limits(page=page)
        with pytest.raises(InvalidRequest):
            administration.list_artifacts(page=page)
        with pytest.raises(InvalidRequest):
            administration.list_latest_artifacts(page=page)


def test_one_workspace_does_not_see_another(implementation: Orchestrations, stage: Stage) -> None:
    run = stage.ended()
    task = stage.made(run.id)
    stage.deliver(task, *stage.story(task))
    stage.scheduled(-5)
    other = implementation.open(Scope(uuid7()))
    theirs = Stage(other.execution, stage.clock)
    assert other.administration.count_flow_runs() == other.administration.count_task_runs() == 0
    assert other.administration.list_flows() == []
    assert other.execution.read_events(Cursor()).events == []
    details = StateDetails(scheduled_time=stage.now)
    state = StateCreate(type=SCHEDULED, state_details=details)
    mine = theirs.run(flow="etl", state=state)
    assert mine.flow_id != run.flow_id
    assert other.administration.count_flow_runs() == 1
