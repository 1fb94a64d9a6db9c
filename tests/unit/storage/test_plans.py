"""Every statement is served by an index: no plan reads a table from end to end.

On SQLite the plans do not depend on the data, because the planner's statistics come with the database. PostgreSQL may
well read a small table whole; here it is told not to where there is another way.
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from headrace.base.clock import to_datetime
from headrace.base.ids import DEFAULT_WORKSPACE, uuid7
from headrace.schema.artifact import ArtifactSort
from headrace.schema.filters import (
    ArtifactFilter,
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    LogFilter,
    ResultFilter,
    RunSelection,
    StateFilter,
    StateTypeFilter,
    TagsFilter,
    TaskRunFilter,
    TextFilter,
    TimeFilter,
)
from headrace.schema.flow import FlowSort
from headrace.schema.listing import HistoryRequest
from headrace.schema.log import LogSort
from headrace.schema.run import FlowRunSort, Page, TaskRunSort
from headrace.schema.state import StateType
from headrace.schema.trigger import Metric
from headrace.storage import (
    artifacts,
    cancellations,
    compiled,
    deletions,
    deployments,
    events,
    explanations,
    figures,
    flows,
    graphs,
    histories,
    logs,
    measures,
    occupancy,
    overviews,
    results,
    retention,
    runs,
    schedules,
    searches,
    serving,
    tables,
    work_pools,
)
from headrace.storage.database import Connection, Database, Insertion, Statement
from headrace.storage.databases import open_database
from headrace.storage.dialect import DIALECTS
from tests import postgresql

LARGE = {"flow_runs", "task_runs", "flow_run_tags", "task_run_tags", "events", "logs", "results", "artifacts"}
FEW = {
    "ix_flow_runs_active",
    "ix_flow_runs_next_of_flow",
    "ix_flow_runs_unfinished_subflows",
    "ix_flow_runs_waiting",
}
"""Indexes that hold only rows of which there are few at any time."""
PAGE = Page(50, 100)
IDS = IdFilter(any_=[uuid7(), uuid7()])
WEEK = TimeFilter(after_=to_datetime(1_600_000_000_000_000), before_=to_datetime(1_600_600_000_000_000))
FAILED = StateFilter(type=StateTypeFilter(any_=[StateType.FAILED, StateType.CRASHED]))

# No index has the names or durations of task runs, see storage/tables.py.
SORTING = {TaskRunSort.NAME_ASC, TaskRunSort.NAME_DESC, TaskRunSort.DURATION_ASC, TaskRunSort.DURATION_DESC}


def of_flow_runs(**conditions: Any) -> RunSelection:
    return RunSelection(flow_runs=FlowRunFilter(**conditions))


def of_task_runs(**conditions: Any) -> RunSelection:
    return RunSelection(task_runs=TaskRunFilter(**conditions))


FLOW_RUNS: dict[str, RunSelection] = {
    "all": RunSelection(),
    "by id": of_flow_runs(id=IDS),
    "by state": of_flow_runs(state=FAILED),
    "by state's name": of_flow_runs(state=StateFilter(name=TextFilter(any_=["Late"]))),
    "by name": of_flow_runs(name=TextFilter(any_=["quiet-heron"])),
    "by start": of_flow_runs(start_time=WEEK),
    "by end": of_flow_runs(end_time=WEEK),
    "by expected start": of_flow_runs(expected_start_time=WEEK),
    "by next start": of_flow_runs(next_scheduled_start_time=WEEK),
    "by key": of_flow_runs(idempotency_key=TextFilter(any_=["key"])),
    "by parent": of_flow_runs(parent_flow_run_id=IDS),
    "by parent task": of_flow_runs(parent_task_run_id=IDS),
    "by deployment": of_flow_runs(deployment_id=IDS),
    "of a flow": RunSelection(flows=FlowFilter(name=TextFilter(any_=["etl"]))),
    "with a tag": of_flow_runs(tags=TagsFilter(all_=["tag-3"])),
    "with all tags": of_flow_runs(tags=TagsFilter(all_=["tag-3", "tag-4"])),
    "with any tag": of_flow_runs(tags=TagsFilter(any_=["tag-3", "tag-4"])),
    "with a tag nobody has": of_flow_runs(tags=TagsFilter(all_=["nowhere"])),
    "of tagged task runs": of_task_runs(tags=TagsFilter(any_=["tag-3"])),
    "with task runs": of_task_runs(state=FAILED),
}
TASK_RUNS: dict[str, RunSelection] = {
    "all": RunSelection(),
    "by id": of_task_runs(id=IDS),
    "by state": of_task_runs(state=FAILED),
    "by start": of_task_runs(start_time=WEEK),
    "by end": of_task_runs(end_time=WEEK),
    "by expected start": of_task_runs(expected_start_time=WEEK),
    "with a tag": of_task_runs(tags=TagsFilter(all_=["tag-3"])),
    "with any tag": of_task_runs(tags=TagsFilter(any_=["tag-3", "tag-4"])),
    "with a tag nobody has": of_task_runs(tags=TagsFilter(all_=["nowhere"])),
    "of tagged flow runs": of_flow_runs(tags=TagsFilter(any_=["tag-3"])),
    "of a flow run": of_task_runs(flow_run_id=IDS),
    "of flow runs": of_flow_runs(id=IDS),
    "of failed flow runs": of_flow_runs(state=FAILED),
}

Ask = Callable[[Connection], object]
own = DEFAULT_WORKSPACE
QUESTIONS: dict[str, Ask] = {
    **{f"flow runs {sort}": partial(runs.list_flow_runs, workspace_id=own, selection=RunSelection(), sort=sort, page=PAGE)
       for sort in FlowRunSort},
    **{f"task runs {sort}": partial(runs.list_task_runs, workspace_id=own, selection=RunSelection(), sort=sort, page=PAGE)
       for sort in TaskRunSort if sort not in SORTING},
    **{f"flow runs {name}": partial(runs.list_flow_runs, workspace_id=own, selection=which, sort=FlowRunSort.ID_DESC, page=PAGE)
       for name, which in FLOW_RUNS.items()},
    **{f"task runs {name}": partial(runs.list_task_runs, workspace_id=own, selection=which, sort=TaskRunSort.ID_DESC, page=PAGE)
       for name, which in TASK_RUNS.items()},
    **{f"count flow runs {name}": partial(runs.count_runs, workspace_id=own, table=tables.flow_runs, selection=which)
       for name, which in FLOW_RUNS.items()},
    **{f"count task runs {name}": partial(runs.count_runs, workspace_id=own, table=tables.task_runs, selection=which)
       for name, which in TASK_RUNS.items()},
    **{f"history of {table.name}": partial(histories.count_history, workspace_id=own, table=table, selection=RunSelection(),
                                           start=0, end=10**15, width=10**12, now=10**15)
       for table in (tables.flow_runs, tables.task_runs)},
    "flows of runs": partial(flows.list_flows, workspace_id=own, selection=of_flow_runs(id=IDS), sort=FlowSort.NAME_ASC,
                             page=PAGE),
    **{f"logs {name}": partial(logs.list_logs, workspace_id=own, logs=which, sort=LogSort.TIMESTAMP_ASC, page=PAGE)
       for name, which in {"": LogFilter(), "of a run": LogFilter(flow_run_id=IDS), "of a task": LogFilter(task_run_id=IDS),
                           "of a week": LogFilter(timestamp=WEEK)}.items()},
    **{f"artifacts {sort}": partial(artifacts.list_artifacts, workspace_id=own, artifacts=None, selection=None, sort=sort,
                                    page=PAGE)
       for sort in ArtifactSort},
    **{f"artifacts {name}": partial(artifacts.list_artifacts, workspace_id=own, artifacts=which, selection=None,
                                    sort=ArtifactSort.ID_DESC, page=PAGE)
       for name, which in {"of a key": ArtifactFilter(key=TextFilter(any_=["report"])),
                           "of a run": ArtifactFilter(flow_run_id=IDS), "of a task": ArtifactFilter(task_run_id=IDS)}.items()},
    "graph's tasks": partial(graphs.list_task_nodes, workspace_id=own, flow_run_id=uuid7(), limit=10),
    "graph's subflows": partial(graphs.list_subflows, workspace_id=own, flow_run_id=uuid7()),
    "graph's artifacts": partial(graphs.list_artifact_nodes, workspace_id=own, flow_run_id=uuid7(), limit=10),
    "task runs by state": partial(runs.count_task_runs_by_state, workspace_id=own, selection=of_task_runs(start_time=WEEK)),
    "task runs by flow run": partial(runs.count_task_runs_by_flow_run, workspace_id=own, ids=[uuid7(), uuid7()]),
    "latest artifact": partial(artifacts.find_latest, workspace_id=own, key="report"),
    **{f"results {name}": partial(results.list_results, workspace_id=own, results=which, page=PAGE)
       for name, which in {"": None, "of a key": ResultFilter(storage_key=TextFilter(any_=["key"])),
                           "of a run": ResultFilter(flow_run_id=IDS)}.items()},
    "place in the log": partial(events.find_place_at, workspace_id=own, instant=7),
    "events of a time": partial(events.read_stretch, workspace_id=own, bounds=(1, 9_000), kinds=["flow-run", "task-run"],
                                subjects=None, with_task_runs=False, descending=True, limit=500),
    "next runs": partial(overviews.list_next_runs, workspace_id=own, flow_ids=[UUID(int=3), UUID(int=4)]),
    "names of states": partial(overviews.list_state_names, workspace_id=own, most=10),
    "state seen": partial(overviews.find_seen, workspace_id=own, state_name="Nowhere"),
}  # fmt: skip
# What looks for few among many: by which index of a large table, if SQLite has a choice.
FINDS: dict[str, tuple[str | None, Ask]] = {
    "place before": (None, partial(events.find_place_before, workspace_id=own, instant=7)),
    **{f"figures: {metric}": (index, partial(figures.list_latest, workspace_id=own, metric=metric, since=0, now=9))
       for metric, index in {Metric.successes: "ix_flow_runs_end_time", Metric.duration: "ix_flow_runs_end_time",
                             Metric.lateness: "ix_flow_runs_expected_start_time"}.items()},
    "metrics: alive": ("ix_flow_runs_state_type", partial(measures.count_alive, workspace_id=own)),
    "metrics: ended": ("ix_flow_runs_end_time", partial(measures.count_ended, workspace_id=own, since=7)),
    "metrics: waiting": ("ix_flow_runs_waiting", partial(measures.count_waiting, workspace_id=own, now=7)),
    "metrics: workers": (None, partial(measures.count_workers, workspace_id=own, now=7)),
    "who is active": ("ix_flow_runs_active",
                      partial(occupancy.list_active, workspace_id=own, queue_id=uuid7(), page=PAGE)),
    "how many are late": ("ix_flow_runs_waiting",
                          partial(occupancy.count_late, workspace_id=own, queue_id=uuid7(), state_name="Late")),
    "holders of places": ("ix_flow_runs_active", partial(explanations.list_place_holders, workspace_id=own,
                                                         queue_ids=[uuid7(), uuid7()], never=9, most=5)),
    "holders of slots": (None, partial(explanations.list_slot_holders, workspace_id=own, limit_id=uuid7(), now=7, most=5)),
    "names of holders": (None, partial(explanations.name_runs, workspace_id=own, ids=[uuid7(), uuid7()])),
    "why: its tasks": ("ix_task_runs_key", partial(explanations.list_waiting_tasks, workspace_id=own, flow_run_id=uuid7(),
                                                   most=5)),
    "why: its tags": ("ix_task_run_tags_run_id", partial(explanations.list_tags, workspace_id=own, task_run_id=uuid7())),
    "why: its parent": (None, partial(explanations.find_parent, workspace_id=own, flow_run_id=uuid7())),
    "why: its lease": (None, partial(explanations.find_lease, workspace_id=own, flow_run_id=uuid7())),
    "why: its waits": (None, partial(explanations.list_waits, workspace_id=own, holder_ids=[uuid7()])),
    "vacuum: runs": ("ix_flow_runs_end_time", partial(retention.find_ended_runs, workspace_id=own, before=7, limit=5)),
    "vacuum: task runs": ("ix_task_runs_end_time",
                          partial(retention.find_ended_task_runs, workspace_id=own, before=7, limit=5)),
    "vacuum: tasks of a run": ("ix_task_runs_key", partial(retention.list_task_runs_of, workspace_id=own,
                                                           flow_run_id=uuid7(), limit=5)),
    "vacuum: values": (None, partial(retention.list_kept, workspace_id=own, flow_run_id=uuid7(), task_run_ids=[uuid7()])),
    "vacuum: a value": ("ix_results_storage_key",
                        partial(retention.is_kept, workspace_id=own, storage_key="x", location="y")),
    "vacuum: values after": (None, partial(retention.list_locations, workspace_id=own, after=uuid7(), limit=5)),
    "vacuum: logs": ("ix_logs_flow_run_id", partial(retention.delete_logs_of, workspace_id=own, flow_run_id=uuid7(), limit=5)),
    "vacuum: events of a run": ("ix_events_subject_id", partial(retention.delete_events_of, workspace_id=own,
                                                                flow_run_id=uuid7(), limit=5)),
    "vacuum: lost logs": ("ix_logs_timestamp", partial(retention.delete_lost_logs, workspace_id=own, before=7, limit=5)),
    "vacuum: events": ("ix_events_passing", partial(retention.delete_passing_events, workspace_id=own, before=7, limit=5)),
    "vacuum: what is silent": (None, partial(retention.delete_silent, workspace_id=own, before=7, limit=5)),
    "vacuum: statuses": (None, partial(retention.delete_lost_statuses, workspace_id=own, limit=5)),
    "sweeper: subflows": ("ix_flow_runs_unfinished_subflows",
                          partial(cancellations.find_children, workspace_id=own, before=7, limit=5)),
    "sweeper: tasks": ("ix_task_runs_state_type", partial(cancellations.find_parents, workspace_id=own, before=7, limit=5)),
    "sweeper: cancelling": ("ix_flow_runs_state_type", partial(runs.list_runs_in, workspace_id=own, state=StateType.CANCELLING,
                                                               after=uuid7(), limit=5)),
    "patience": ("ix_flow_runs_state_type", partial(runs.list_runs_in, workspace_id=own, state=StateType.PAUSED, after=None,
                                                    limit=5)),
    "readiness": (None, partial(serving.find_changes, workspace_id=own, now=7, limit=5)),
    "lateness": ("ix_flow_runs_waiting", partial(schedules.find_overdue_runs, workspace_id=own, state_name="Scheduled",
                                                 before=7, limit=5)),
    "schedules: missed": ("ix_flow_runs_next_scheduled_start_time",
                          partial(schedules.find_missed_runs, workspace_id=own, schedule_id=uuid7(), since=1, until=7)),
    "schedules: waiting": ("ix_flow_runs_next_of_flow",
                           partial(schedules.find_waiting_runs, workspace_id=own, deployment_id=uuid7(), after=7)),
    "pools: next run": ("ix_flow_runs_next_scheduled_start_time",
                        partial(work_pools.find_next_run, workspace_id=own, queue_ids=[uuid7(), uuid7()], before=7)),
    "limits: active": ("ix_flow_runs_state_type",
                       partial(deployments.find_active_runs, workspace_id=own, deployment_id=uuid7())),
    "searches": (None, partial(searches.list_searches, workspace_id=own, page=PAGE)),
}  # fmt: skip
DELETIONS: dict[str, Ask] = {
    "flow run": partial(deletions.delete_flow_run, workspace_id=own, flow_run_id=uuid7()),
    "task run": partial(deletions.delete_task_run, workspace_id=own, task_run_id=uuid7()),
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with enough in it for PostgreSQL to know what is many and what is few."""
    if request.param == "sqlite":
        with open_database(f"sqlite:///{tmp_path_factory.mktemp('plans')}/x.db") as database:
            database.write(fill)
            yield database
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"test_plans_{os.getpid()}"
    with open_database(postgresql.create_database(server, name)) as database:
        database.write(fill)
        database.write(lambda connection: connection.change(text("ANALYZE")))
        yield database
    postgresql.drop_database(server, name)


def fill(connection: Connection) -> None:
    """Write 40 flow runs of each of 25 flows, with 10 task runs each, and something left by every task run."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in ("flow_runs", "task_runs", *LARGE)}
    for number in range(1_000):
        state, flow_run = ("FAILED" if number % 20 == 0 else "COMPLETED"), uuid7()
        run = {**_EMPTY, "state_type": state, "state_name": state.title(), "state_ordinal": 3, "run_count": 1}
        run |= dict.fromkeys(("start_time", "end_time", "expected_start_time"), number * 1_000_000)
        rows["flow_runs"].append({**run, "id": flow_run, "flow_id": UUID(int=number % 25), "name": f"run-{number}"})
        rows["flow_run_tags"].append({**_EMPTY, "run_id": flow_run, "tag": f"tag-{number % 250}"})
        for task in range(10):
            task_run = uuid7()
            left = {
                **_EMPTY,
                "flow_run_id": flow_run,
                "task_run_id": task_run,
                "timestamp": number,
                "key": f"key-{number}",
            }
            rows["task_runs"].append({**run, "id": task_run, "flow_run_id": flow_run, "task_key": f"task-{task}"})
            rows["task_run_tags"].append({**_EMPTY, "run_id": task_run, "tag": f"tag-{number % 250}"})
            rows["events"].append({**left, "subject_id": task_run, "kind": "task-run"})
            for table in ("logs", "results", "artifacts"):
                rows[table].append({**left, "id": uuid7(), "storage_key": f"key-{number}-{task}"})
    for table, dicts in rows.items():
        insertion: Insertion = getattr(compiled, f"insert_{table}")
        names = insertion.columns
        connection.insert(insertion, [tuple(row.get(name, _DEFAULTS.get(name)) for name in names) for row in dicts])


_EMPTY: dict[str, Any] = {"workspace_id": DEFAULT_WORKSPACE}
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("tags", "body"), "[]"),
    **dict.fromkeys(("parameters", "context", "empirical_policy", "task_inputs"), "{}"),
    **dict.fromkeys(("name", "dynamic_key", "location", "serializer", "message"), "x"),
    **dict.fromkeys(("created", "updated", "occurred", "total_run_time", "size", "level", "epoch"), 1),
    **dict.fromkeys(("flow_run_run_count",), 1),
    "auto_scheduled": False,
}

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}


def explain(connection: Any, sql: str) -> list[str]:
    """The steps of a statement's plan."""
    return [row[-1] for row in connection.command(EXPLAIN[connection.dialect] + sql)]


class Undo(Exception):
    """What is asked for a plan's sake leaves no trace."""


def plans(database: Database, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The plan of each wide query that an answer takes."""
    seen: list[list[str]] = []

    def unit(connection: Connection) -> None:
        perform = connection._perform  # pyright: ignore[reportPrivateUsage]
        if database.dialect == "postgresql":
            perform(text("SET LOCAL enable_seqscan = off"))

        def explain_first(construct: Any) -> Any:
            sql = str(construct.compile(dialect=DIALECTS[database.dialect].compiler))  # with its values written out
            seen.append(explain(connection, sql))
            return perform(construct)

        monkeypatch.setattr(connection, "_perform", explain_first)
        try:
            ask(connection)
        finally:
            monkeypatch.undo()
        raise Undo

    with pytest.raises(Undo):
        database.write(unit)
    return seen


def faults(plan: list[str], *, may_walk: bool = False) -> list[str]:
    """The steps of a plan that read a large table whole, or the workspace's part of it.

    A page or a count of everything `may_walk` through the workspace's rows, but not in order to sort them.
    """
    found: list[str] = []
    index = ""
    sorts = any(re.match(r"USE TEMP B-TREE FOR ORDER BY|[ >-]*Sort  ", step) for step in plan)
    table = ""
    for step in plan:
        if match := re.search(r"(?:SCAN|SEARCH| on) (\w+)", step):
            table = match[1]
        if match := re.search(r"(?:INDEX|using) (ix_\w+)", step):
            index = match[1]
        scan = re.match(r"SCAN |[ >-]*(?:Parallel )?Seq Scan", step)
        walk = re.search(r"\(workspace_id=\?\)$|Index Cond: \(workspace_id = '[-0-9a-f]+'::uuid\)$", step)
        if table in LARGE and (scan or (walk and (sorts or not may_walk) and index not in FEW)):
            found.append(step)
    return found


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_a_table_whole(database: Database, question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plans(database, QUESTIONS[question], monkeypatch)
    assert found
    assert [step for plan in found for step in faults(plan, may_walk=True)] == [], found


@pytest.mark.parametrize("name", FINDS)
def test_what_looks_for_few_reads_few(database: Database, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    index, ask = FINDS[name]
    found = plans(database, ask, monkeypatch)
    assert found
    assert [step for plan in found for step in faults(plan)] == [], found
    if index is not None and database.dialect == "sqlite":
        assert any(f"INDEX {index} " in step for plan in found for step in plan), found


def test_a_history_of_all_runs_is_not_sorted_whole(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is asked for: over HTTP the selection, which says nothing, comes with what else was asked."""
    asked = HistoryRequest(history_start=to_datetime(0), history_end=to_datetime(10**9), history_interval_seconds=60.0)
    ask = partial(histories.count_history, workspace_id=own, table=tables.flow_runs, selection=asked, start=0, end=10**9,
                  width=6 * 10**7, now=10**9)  # fmt: skip
    found = plans(database, ask, monkeypatch)
    by_interval = [plan for plan in found if any("intervals" in step for step in plan)]
    assert len(by_interval) == (database.dialect == "sqlite"), found


def test_the_events_of_runs_are_found_by_the_runs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not by walking through the log, which may be long, until enough of them have come by."""
    ask = partial(events.read_stretch, workspace_id=own, bounds=(1, 9_000), kinds=["flow-run", "task-run", "custom"],
                  subjects=[uuid7(), uuid7()], with_task_runs=True, descending=True, limit=500)  # fmt: skip
    (steps,) = plans(database, ask, monkeypatch)
    plan = "\n".join(steps)
    assert {*re.findall(r"ix_(?:events|task_runs)_\w+", plan)} == {
        "ix_events_subject_id",
        "ix_events_reported",
        "ix_task_runs_key",
    }, plan
    assert not re.search(r"pk_events.*\n.*Index Cond: \(\(id >=|rowid>", plan), plan


@pytest.mark.parametrize("noun", DELETIONS)
def test_no_deletion_reads_a_table_whole(database: Database, noun: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plans(database, DELETIONS[noun], monkeypatch)
    assert found
    assert [step for plan in found for step in faults(plan)] == [], found


def test_no_generated_statement_reads_a_table_whole(database: Database) -> None:
    statements = {name: made for name, made in vars(compiled).items() if isinstance(made, Statement)}

    def unit(connection: Connection) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, statement in statements.items():
            if database.dialect == "postgresql":
                connection.change(text("SET LOCAL enable_seqscan = off"))
                found[name] = explain(connection, f"(GENERIC_PLAN) {statement.postgresql.sql}")
            else:
                found[name] = explain(
                    connection, re.sub(r"\(\*\w+\)", "(NULL)", statement.sqlite.sql).replace("?", "NULL")
                )
        return found

    found = database.read(unit)
    assert {name: faults(plan) for name, plan in found.items() if faults(plan)} == {}
    assert found.keys() == statements.keys()


def test_a_fault_would_be_seen(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    worst = partial(
        runs.list_task_runs, workspace_id=UUID(int=1), selection=RunSelection(), sort=TaskRunSort.NAME_ASC, page=PAGE
    )
    assert [step for plan in plans(database, worst, monkeypatch) for step in faults(plan, may_walk=True)] != []
    whole = partial(Connection.select, query=text("SELECT count(*) FROM logs WHERE message = 'x'"))
    assert [step for plan in plans(database, whole, monkeypatch) for step in faults(plan, may_walk=True)] != []
