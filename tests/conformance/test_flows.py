import pytest

from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.fact import ArtifactFact, LogFact, ResultFact
from headrace.schema.filters import (
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    RunSelection,
    TagsFilter,
    TaskRunFilter,
    TextFilter,
)
from headrace.schema.flow import FlowCreate, FlowSort, FlowUpdate
from headrace.schema.run import Page
from tests.conformance.scenes import Stage


def test_a_name_is_registered_once(execution: Execution, administration: Administration) -> None:
    first = execution.register_flow(FlowCreate(name="etl", tags=["a"], labels={"team": "data", "cores": 2}))
    again = execution.register_flow(FlowCreate(name="etl", tags=["b"]))
    assert again == first == administration.read_flow(first.id) == administration.read_flow_by_name("etl")
    assert (first.tags, first.labels) == (["a"], {"team": "data", "cores": 2})
    assert administration.count_flows() == 1


def test_a_flow_that_is_not_there_is_not_found(administration: Administration) -> None:
    with pytest.raises(ObjectNotFound):
        administration.read_flow(uuid7())
    with pytest.raises(ObjectNotFound):
        administration.read_flow_by_name("nothing")
    with pytest.raises(ObjectNotFound):
        administration.update_flow(uuid7(), FlowUpdate(tags=[]))
    with pytest.raises(ObjectNotFound):
        administration.delete_flow(uuid7())


def test_flows_are_listed_by_name(administration: Administration, stage: Stage) -> None:
    for name in ("pears", "apples", "Quinces", "plums"):
        stage.flow(name)
    names = [flow.name for flow in administration.list_flows()]
    assert names == ["Quinces", "apples", "pears", "plums"]
    assert [flow.name for flow in administration.list_flows(page=Page(2, 1))] == ["apples", "pears"]


def test_flows_are_filtered(administration: Administration, stage: Stage) -> None:
    apples = stage.flow("apples", tags=["fruit", "red"])
    stage.flow("carrots", tags=["root"])
    deployment = administration.create_deployment(DeploymentCreate(name="daily", flow_id=apples)).id
    for wanted in (
        FlowFilter(name=TextFilter(like_="PPL")),
        FlowFilter(tags=TagsFilter(all_=["red", "fruit"])),
        FlowFilter(id=IdFilter(any_=[apples])),
        FlowFilter(deployment=IdFilter(any_=[deployment])),
        FlowFilter(deployment=IdFilter(is_null_=False)),
    ):
        selection = RunSelection(flows=wanted)
        assert [flow.name for flow in administration.list_flows(selection)] == ["apples"]
        assert administration.count_flows(selection) == 1
    for other in (
        FlowFilter(deployment=IdFilter(is_null_=True)),
        FlowFilter(deployment=IdFilter(not_any_=[deployment])),
        FlowFilter(tags=TagsFilter(any_=["root", "leaf"])),
    ):
        assert [flow.name for flow in administration.list_flows(RunSelection(flows=other))] == ["carrots"]


def test_flows_are_found_by_their_runs(administration: Administration, stage: Stage) -> None:
    run = stage.running(flow="apples")
    stage.deliver(stage.made(run.id, name="peel"))
    stage.ended(flow="pears")
    for wanted, names in (
        (RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[run.id]))), ["apples"]),
        (RunSelection(task_runs=TaskRunFilter(name=TextFilter(any_=["peel"]))), ["apples"]),
        (RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[]))), []),
    ):
        assert [flow.name for flow in administration.list_flows(wanted)] == names
        assert administration.count_flows(wanted) == len(names)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (FlowSort.NAME_ASC, "abc"),
        (FlowSort.NAME_DESC, "cba"),
        (FlowSort.CREATED_DESC, "acb"),
        (FlowSort.UPDATED_DESC, "bac"),
    ],
)
def test_flows_are_listed_in_order(administration: Administration, stage: Stage, sort: FlowSort, names: str) -> None:
    for name in "bca":
        stage.flow(name)
        stage.clock.advance(1)
    administration.update_flow(stage.flow("b"), FlowUpdate(tags=["new"]))
    assert "".join(flow.name for flow in administration.list_flows(sort=sort)) == names


def test_a_flows_tags_are_replaced(administration: Administration, stage: Stage) -> None:
    flow = stage.flow("etl", tags=["a", "b"])
    administration.update_flow(flow, FlowUpdate(tags=["c"]))
    assert administration.read_flow(flow).tags == ["c"]


def test_a_flow_is_deleted_with_all_its_runs_left(administration: Administration, stage: Stage) -> None:
    other = stage.run(flow="other")
    runs = [stage.running(flow="etl") for _ in range(25)]
    task = stage.made(runs[0].id)
    stage.deliver(
        task,
        *stage.story(task),
        LogFact(uuid7(), "flow", 20, "hello", stage.clock.now, runs[0].id),
        LogFact(uuid7(), "task", 20, "hello", stage.clock.now, runs[0].id, task.id),
        ArtifactFact(uuid7(), "report", "markdown", None, "# hi", stage.clock.now, runs[0].id),
        ResultFact(uuid7(), "key", "file:///tmp", "json", 3, stage.clock.now, None, runs[0].id, task.id),
    )
    administration.delete_flow(runs[0].flow_id)
    assert [flow.name for flow in administration.list_flows()] == ["other"]
    assert [run.id for run in administration.list_flow_runs()] == [other.id]
    assert administration.list_task_runs() == []
    assert administration.list_logs() == []
    assert administration.list_artifacts() == []
    assert administration.list_latest_artifacts() == []
    assert administration.list_results() == []
