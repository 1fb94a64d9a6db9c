"""Runs are found by the tags they have now, whichever way they got them."""

import pytest

from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.filters import FlowRunFilter, RunSelection, TagsFilter, TaskRunFilter
from headrace.schema.run import FlowRunSort, FlowRunUpdate, TaskRunCreate, TaskRunSort
from headrace.storage import tags
from tests.conformance.scenes import Stage


def flow_runs(administration: Administration, *wanted: str) -> list[str]:
    """The names of the flow runs that have all of some tags."""
    selection = RunSelection(flow_runs=FlowRunFilter(tags=TagsFilter(all_=[*wanted])))
    found = administration.list_flow_runs(selection, FlowRunSort.NAME_ASC)
    assert administration.count_flow_runs(selection) == len(found)
    return [run.name for run in found]


def task_runs(administration: Administration, *wanted: str) -> list[str]:
    """The names of the task runs that have all of some tags."""
    selection = RunSelection(task_runs=TaskRunFilter(tags=TagsFilter(all_=[*wanted])))
    found = administration.list_task_runs(selection, TaskRunSort.NAME_ASC)
    assert administration.count_task_runs(selection) == len(found)
    return [run.name for run in found]


def test_a_flow_run_is_found_by_the_tags_it_was_given_last(administration: Administration, stage: Stage) -> None:
    run = stage.run(name="one", tags=["a", "b", "a"])
    assert (flow_runs(administration, "a"), flow_runs(administration, "a", "b")) == (["one"], ["one"])
    administration.update_flow_run(run.id, FlowRunUpdate(name="two"))
    assert flow_runs(administration, "a", "b") == ["two"]
    administration.update_flow_run(run.id, FlowRunUpdate(tags=["b", "c"]))
    assert (flow_runs(administration, "a"), flow_runs(administration, "b", "c")) == ([], ["two"])
    administration.update_flow_run(run.id, FlowRunUpdate(tags=[]))
    assert (flow_runs(administration, "b"), flow_runs(administration)) == ([], ["two"])


def test_a_task_run_is_found_by_its_tags_however_late_it_is_announced(
    administration: Administration, stage: Stage
) -> None:
    early, late = stage.made(name="early", tags=["a"]), stage.made(name="late", tags=["a"])
    stage.deliver(early, *stage.story(early), *stage.story(late))
    assert task_runs(administration, "a") == ["early"]
    new = stage.made(name="new", tags=["a"])
    stage.deliver(late, new)
    assert task_runs(administration, "a") == ["early", "late", "new"]


def test_a_task_run_announced_again_has_the_tags_of_the_last_word(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    made = execution.create_task_run(TaskRunCreate(id=uuid7(), task_key="k", dynamic_key="0", name="one", tags=["a"]))
    assert task_runs(administration, "a") == ["one"]
    stage.deliver(stage.made(None, made.id, name="one", tags=["b"]), stage.made(name="two", tags=["b"]))
    assert (task_runs(administration, "a"), task_runs(administration, "b")) == ([], ["one", "two"])


def test_a_task_run_that_only_a_past_attempt_knows_is_found(administration: Administration, stage: Stage) -> None:
    run = stage.running()
    known, unknown = (stage.made(run.id, name=name, tags=[name]) for name in ("known", "unknown"))
    stage.deliver(known, attempts={run.id: 1})
    again = stage.made(run.id, known.id, name="known", tags=["other"])
    stage.deliver(again, unknown, attempts={run.id: 0})
    assert [task_runs(administration, tag) for tag in ("known", "unknown", "other")] == [["known"], ["unknown"], []]


def test_tags_are_deleted_with_their_runs(administration: Administration, stage: Stage) -> None:
    run, kept = stage.running(name="run", tags=["a"]), stage.running(name="kept", tags=["a"])
    tasks = [stage.made(run.id, name="of-run", tags=["a"]), stage.made(kept.id, name="of-kept", tags=["a"])]
    loose = stage.made(name="loose", tags=["a"])
    stage.deliver(*tasks, loose)
    administration.delete_flow_run(run.id)
    administration.delete_task_run(loose.id)
    assert (flow_runs(administration, "a"), task_runs(administration, "a")) == (["kept"], ["of-kept"])
    # Whoever gets the id again begins without them.
    stage.run(id=run.id, name="again")
    stage.deliver(stage.made(None, loose.id, name="again"))
    assert (flow_runs(administration, "a"), task_runs(administration, "a")) == (["kept"], ["of-kept"])


def test_long_tags_that_begin_alike_are_told_apart(administration: Administration, stage: Stage) -> None:
    begin = "ü" * 5_000
    stage.run(name="one", tags=[f"{begin}1", f"{begin}3"])
    stage.run(name="two", tags=[f"{begin}2"])
    assert [flow_runs(administration, begin + end) for end in ("1", "2", "3", "")] == [["one"], ["two"], ["one"], []]


def test_a_tag_that_many_runs_have_finds_the_same(
    administration: Administration, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, given in (("one", ["a"]), ("two", ["a", "b"]), ("three", ["b"]), ("four", [])):
        stage.run(name=name, tags=given)
        stage.deliver(stage.made(name=name, tags=given))
    monkeypatch.setattr(tags, "MANY", 2)
    monkeypatch.setattr(tags, "PAGE", 1)
    for wanted, names in ((["a"], ["one", "two"]), (["a", "b"], ["two"]), (["a", "c"], []), (["c"], [])):
        assert flow_runs(administration, *wanted) == names
        assert task_runs(administration, *wanted) == names
    either = RunSelection(flow_runs=FlowRunFilter(tags=TagsFilter(any_=["a", "b"])))
    assert [run.name for run in administration.list_flow_runs(either)] == ["three", "two", "one"]
