from datetime import timedelta

import pytest

from headrace.base.errors import ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.artifact import ArtifactCreate, ArtifactSort, ArtifactUpdate
from headrace.schema.fact import ArtifactFact, LogFact, ResultFact
from headrace.schema.filters import (
    ArtifactCollectionFilter,
    ArtifactFilter,
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    LevelFilter,
    LogFilter,
    ResultFilter,
    RunSelection,
    SearchFilter,
    TaskRunFilter,
    TextFilter,
    TimeFilter,
)
from headrace.schema.log import LogCreate, LogSort
from headrace.schema.orchestration import ConcurrencyLimitCreate, ConcurrencyLimitUpdate
from headrace.schema.run import Page
from tests.conformance.scenes import SECOND, Stage

# logs


def messages(administration: Administration, wanted: LogFilter | None = None, **how: LogSort | Page) -> list[str]:
    return [log.message for log in administration.list_logs(wanted, **how)]  # pyright: ignore[reportArgumentType]


def test_lines_are_read_in_order_of_time_and_then_of_writing(administration: Administration, stage: Stage) -> None:
    for number, seconds in enumerate((2, 0, 1, 0)):
        stage.deliver(LogFact(uuid7(), "flow", 20, str(number), stage.clock.now + seconds * SECOND))
    assert messages(administration) == ["1", "3", "2", "0"]
    assert messages(administration, sort=LogSort.TIMESTAMP_DESC) == ["0", "2", "3", "1"]
    assert messages(administration, page=Page(2, 1)) == ["3", "2"]


def test_lines_are_kept_for_clients_without_a_journal(administration: Administration, stage: Stage) -> None:
    run = uuid7()
    line = LogCreate(name="flow", level=30, message="careful", timestamp=stage.now, flow_run_id=run)
    administration.create_logs([line])
    administration.create_logs([])
    (log,) = administration.list_logs()
    assert (log.name, log.level, log.message, log.timestamp) == ("flow", 30, "careful", stage.now)
    assert (log.flow_run_id, log.task_run_id) == (run, None)


def test_lines_are_filtered(administration: Administration, stage: Stage) -> None:
    run, task = uuid7(), uuid7()
    stage.deliver(
        LogFact(uuid7(), "flow", 20, "Disk is 100% full_stop", stage.clock.now, run),
        LogFact(uuid7(), "task", 40, "disk broken beyond repair", stage.clock.now + SECOND, run, task),
        LogFact(uuid7(), "other", 10, "all is well", stage.clock.now + 2 * SECOND),
    )
    for wanted, found in (
        (LogFilter(level=LevelFilter(ge_=20)), 2),
        (LogFilter(level=LevelFilter(ge_=20, le_=30)), 1),
        (LogFilter(flow_run_id=IdFilter(any_=[run])), 2),
        (LogFilter(flow_run_id=IdFilter(is_null_=True)), 1),
        (LogFilter(task_run_id=IdFilter(any_=[task])), 1),
        (LogFilter(timestamp=TimeFilter(after_=stage.after(1))), 2),
        (LogFilter(timestamp=TimeFilter(before_=stage.after(1))), 2),
        (LogFilter(text=SearchFilter(query="DISK")), 2),
        (LogFilter(text=SearchFilter(query="disk -broken")), 1),
        (LogFilter(text=SearchFilter(query="disk !full_stop")), 1),
        (LogFilter(text=SearchFilter(query='"beyond repair"')), 1),
        (LogFilter(text=SearchFilter(query='"repair beyond"')), 0),
        (LogFilter(text=SearchFilter(query="100%")), 1),
        (LogFilter(text=SearchFilter(query="1%l")), 0),
        (LogFilter(text=SearchFilter(query="full.stop")), 0),
        (LogFilter(operator="or_", level=LevelFilter(ge_=40), text=SearchFilter(query="well")), 2),
    ):
        assert len(administration.list_logs(wanted)) == found, wanted


# artifacts


def test_an_artifact_is_returned_as_it_is_stored(administration: Administration) -> None:
    run, task, chosen = uuid7(), uuid7(), uuid7()
    asked = ArtifactCreate(
        id=chosen,
        key="report",
        type="table",
        description="all rows",
        data=[{"a": 1}],
        metadata_={"by": "me"},
        flow_run_id=run,
        task_run_id=task,
    )
    made = administration.create_artifact(asked)
    assert made == administration.read_artifact(chosen) == administration.read_latest_artifact("report")
    assert (made.type, made.description, made.data) == ("table", "all rows", [{"a": 1}])
    assert (made.metadata_, made.flow_run_id, made.task_run_id) == ({"by": "me"}, run, task)
    assert administration.create_artifact(asked) == made
    assert administration.create_artifact(ArtifactCreate(id=chosen, key="another")) == made
    assert administration.count_artifacts() == 1


def test_the_latest_of_a_key_is_the_newest(administration: Administration, stage: Stage) -> None:
    older = ArtifactFact(uuid7(), "k", "markdown", None, "old", stage.clock.now)
    newer = ArtifactFact(uuid7(), "k", "markdown", None, "new", stage.clock.now + SECOND)
    stage.deliver(newer)
    stage.deliver(older, ArtifactFact(uuid7(), None, "markdown", None, "no key", stage.clock.now))
    assert administration.read_latest_artifact("k").data == "new"
    (collection,) = administration.list_latest_artifacts()
    assert (collection.latest_id, collection.data) == (newer.id, "new")
    administration.delete_artifact(newer.id)
    assert administration.read_latest_artifact("k").data == "old"
    administration.delete_artifact(older.id)
    assert administration.list_latest_artifacts() == []
    assert administration.count_artifacts() == 1


def test_an_artifact_is_changed_in_place(administration: Administration, stage: Stage) -> None:
    made = administration.create_artifact(ArtifactCreate(key="p", type="progress", data=0, description="x"))
    stage.clock.advance(1)
    administration.update_artifact(made.id, ArtifactUpdate(data=50.0))
    changed = administration.read_artifact(made.id)
    assert (changed.data, changed.description, changed.updated) == (50.0, "x", stage.now)
    administration.update_artifact(made.id, ArtifactUpdate(data=None, description=None, metadata_={"a": "b"}))
    changed = administration.read_artifact(made.id)
    assert (changed.data, changed.description, changed.metadata_) == (None, None, {"a": "b"})
    administration.update_artifact(made.id, ArtifactUpdate(metadata_=None))
    assert administration.read_artifact(made.id).metadata_ is None


def test_artifacts_are_filtered_and_ordered(administration: Administration, stage: Stage) -> None:
    run = stage.running(flow="reports")
    task = stage.made(run.id)
    stage.deliver(task)
    for key, kind, flow_run_id, task_run_id in (
        ("b", "markdown", run.id, None),
        ("a", "table", run.id, task.id),
        ("c", "markdown", None, None),
        (None, "link", None, None),
    ):
        stage.clock.advance(1)
        administration.create_artifact(
            ArtifactCreate(key=key, type=kind, flow_run_id=flow_run_id, task_run_id=task_run_id)
        )

    def keys(wanted: ArtifactFilter | None = None, selection: RunSelection | None = None) -> list[str | None]:
        found = [artifact.key for artifact in administration.list_artifacts(wanted, selection, ArtifactSort.KEY_ASC)]
        assert administration.count_artifacts(wanted, selection) == len(found)
        return found

    assert keys() == ["a", "b", "c", None]
    assert keys(ArtifactFilter(type=TextFilter(any_=["markdown"]))) == ["b", "c"]
    assert keys(ArtifactFilter(type=TextFilter(not_any_=["markdown"]))) == ["a", None]
    assert keys(ArtifactFilter(key=TextFilter(exists_=False))) == [None]
    assert keys(ArtifactFilter(key=TextFilter(exists_=True, not_any_=["a"]))) == ["b", "c"]
    assert keys(ArtifactFilter(flow_run_id=IdFilter(is_null_=True))) == ["c", None]
    assert keys(None, RunSelection(flows=FlowFilter(name=TextFilter(any_=["reports"])))) == ["a", "b"]
    assert keys(None, RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[run.id])))) == ["a", "b"]
    assert keys(None, RunSelection(task_runs=TaskRunFilter(id=IdFilter(any_=[task.id])))) == ["a"]

    def order(sort: ArtifactSort) -> list[str | None]:
        return [artifact.key for artifact in administration.list_artifacts(sort=sort)]

    assert order(ArtifactSort.KEY_DESC) == ["c", "b", "a", None]
    for newest in (ArtifactSort.CREATED_DESC, ArtifactSort.UPDATED_DESC):
        assert order(newest) == [None, "c", "a", "b"]
    ids = [artifact.id for artifact in administration.list_artifacts()]
    assert ids == sorted(ids, reverse=True)


def test_the_latest_of_keys_are_filtered_and_ordered(administration: Administration, stage: Stage) -> None:
    run = uuid7()
    for key, kind, number in (("a", "markdown", 1), ("b", "table", 2), ("a", "link", 3)):
        stage.clock.advance(1)
        administration.create_artifact(ArtifactCreate(key=key, type=kind, data=number, flow_run_id=run))

    def latest(wanted: ArtifactCollectionFilter | None = None, sort: ArtifactSort = ArtifactSort.KEY_ASC) -> list[int]:
        assert administration.count_latest_artifacts(wanted) == len(administration.list_latest_artifacts(wanted))
        return [collection.data for collection in administration.list_latest_artifacts(wanted, sort=sort)]

    assert latest() == [3, 2]
    assert latest(sort=ArtifactSort.KEY_DESC) == [2, 3]
    assert latest(sort=ArtifactSort.UPDATED_DESC) == [3, 2]
    assert latest(sort=ArtifactSort.CREATED_DESC) == [2, 3]
    assert sorted(latest(sort=ArtifactSort.ID_DESC)) == [2, 3]
    assert latest(ArtifactCollectionFilter(type=TextFilter(any_=["markdown"]))) == []
    assert latest(ArtifactCollectionFilter(key=TextFilter(like_="B"))) == [2]
    assert latest(ArtifactCollectionFilter(flow_run_id=IdFilter(any_=[run]), type=TextFilter(any_=["link"]))) == [3]
    assert administration.list_latest_artifacts(page=Page(1, 5)) == []
    elsewhere = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[run])))
    assert administration.count_latest_artifacts(selection=elsewhere) == 0, "no such run is recorded"


def test_an_artifact_that_is_not_there_is_not_found(administration: Administration) -> None:
    for ask in (administration.read_artifact, administration.delete_artifact):
        with pytest.raises(ObjectNotFound):
            ask(uuid7())
    with pytest.raises(ObjectNotFound):
        administration.update_artifact(uuid7(), ArtifactUpdate(data=1))
    with pytest.raises(ObjectNotFound):
        administration.read_latest_artifact("nothing")


# results


def test_records_of_results_are_found_and_forgotten(administration: Administration, stage: Stage) -> None:
    run, task = uuid7(), uuid7()
    expires = stage.clock.now + SECOND
    stage.deliver(
        ResultFact(stage.new_id(), "a", "file:///r", "json", 1, stage.clock.now, None, run, task),
        ResultFact(stage.new_id(), "a", "file:///r", "pickle", 2, stage.clock.now, expires),
        ResultFact(stage.new_id(), "b", "file:///r", "json", 3, stage.clock.now, None, run),
    )
    newest = administration.read_result("a")
    assert (newest.serializer, newest.size, newest.location) == ("pickle", 2, "file:///r")
    assert newest.expiration == stage.now + timedelta(seconds=1)
    for wanted, sizes in (
        (None, [3, 2, 1]),
        (ResultFilter(storage_key=TextFilter(any_=["a"])), [2, 1]),
        (ResultFilter(flow_run_id=IdFilter(any_=[run])), [3, 1]),
        (ResultFilter(task_run_id=IdFilter(any_=[task])), [1]),
    ):
        assert [record.size for record in administration.list_results(wanted)] == sizes
    administration.delete_result("a")
    assert [record.size for record in administration.list_results(page=Page(1))] == [3]
    with pytest.raises(ObjectNotFound):
        administration.read_result("a")
    with pytest.raises(ObjectNotFound):
        administration.delete_result("a")


# limits


def test_limits_are_made_changed_and_deleted(administration: Administration, execution: Execution) -> None:
    made = administration.create_concurrency_limit(ConcurrencyLimitCreate(name="db", limit=2))
    assert made == administration.read_concurrency_limit("db")
    assert (made.limit, made.active, made.active_slots, made.slot_decay_per_second) == (2, True, 0, 0.0)
    with pytest.raises(ObjectAlreadyExists):
        administration.create_concurrency_limit(ConcurrencyLimitCreate(name="db", limit=3))
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="api", limit=9, slot_decay_per_second=0.5))
    assert [limit.name for limit in administration.list_concurrency_limits()] == ["api", "db"]
    assert [limit.name for limit in administration.list_concurrency_limits(Page(1, 1))] == ["db"]
    assert [limit.name for limit in administration.list_concurrency_limits(prefix="d")] == ["db"]
    assert [limit.name for limit in administration.find_concurrency_limits(["db", "nothing", "api"])] == ["api", "db"]
    assert administration.find_concurrency_limits([]) == []
    assert administration.read_concurrency_limit(str(made.id)) == made
    administration.update_concurrency_limit("db", ConcurrencyLimitUpdate(name="store", limit=5, active=False))
    changed = administration.read_concurrency_limit("store")
    assert (changed.id, changed.limit, changed.active) == (made.id, 5, False)
    with pytest.raises(ObjectAlreadyExists):
        administration.update_concurrency_limit("store", ConcurrencyLimitUpdate(name="api"))
    administration.delete_concurrency_limit("store")
    with pytest.raises(ObjectNotFound):
        administration.read_concurrency_limit("store")
    with pytest.raises(ObjectNotFound):
        administration.update_concurrency_limit("store", ConcurrencyLimitUpdate(limit=1))
    with pytest.raises(ObjectNotFound):
        administration.delete_concurrency_limit("store")
