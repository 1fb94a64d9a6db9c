"""What the database counts by itself is what counting its rows gives, whoever writes them and however."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, delete, select, update

from headrace.base.ids import DEFAULT_WORKSPACE
from headrace.schema.filters import (
    FlowFilter,
    FlowRunFilter,
    NameFilter,
    RunSelection,
    StateFilter,
    StateTypeFilter,
    TagsFilter,
    TaskRunFilter,
    TextFilter,
)
from headrace.schema.state import StateType
from headrace.storage import run_counts, runs
from headrace.storage import tables as t
from headrace.storage.database import Connection, Database
from headrace.storage.databases import open_database
from headrace.storage.dialect import DIALECTS
from tests.unit.storage.rows_of_runs import make_row, read_counts

OTHER = uuid4()
State = tuple[str | None, str | None]
STATES: list[State] = [
    (None, None),
    ("SCHEDULED", "Scheduled"),
    ("SCHEDULED", "Late"),
    ("RUNNING", "Running"),
    ("COMPLETED", "Done"),
]
TABLES = pytest.mark.parametrize("table", [t.flow_runs, t.task_runs], ids=lambda table: table.name)


def count_rows(connection: Connection, workspace: UUID, table: Table) -> dict[tuple[str, str], int]:
    rows = connection.select(select(table.c.state_type, table.c.state_name).where(table.c.workspace_id == workspace))
    return dict(Counter((kind or "", name or "") for kind, name in rows))


def select_runs(table: Table, **said: Any) -> RunSelection:
    """The runs of a table of which the filter holds."""
    if table is t.flow_runs:
        return RunSelection(flow_runs=FlowRunFilter(**said))
    return RunSelection(task_runs=TaskRunFilter(**said))


def change_at_random(connection: Connection, table: Table, random: Random) -> None:
    """Write in one of the ways in which runs are written."""
    ids = [row[0] for row in connection.select(select(table.c.id))]
    some = random.sample(ids, min(len(ids), random.randrange(4)))
    kind, name = random.choice(STATES)
    match random.randrange(6):
        case 0:
            workspace = random.choice([DEFAULT_WORKSPACE, OTHER])
            connection.change(table.insert().values(make_row(table, (kind, name), workspace)))
        case 1:
            rows = [make_row(table, random.choice(STATES)) for _ in range(random.randrange(1, 5))]
            connection.change(table.insert().values(rows))
        case 2:  # what is there already is changed, or left
            rows = [{**make_row(table, (kind, name)), "id": run_id} for run_id in [*some, uuid4()]]
            insert = DIALECTS[connection.dialect].insert(table).values(rows)
            told = {"state_type": insert.excluded.state_type, "state_name": insert.excluded.state_name}
            connection.change(
                insert.on_conflict_do_update(index_elements=["workspace_id", "id"], set_=told)
                if random.random() < 0.7
                else insert.on_conflict_do_nothing()
            )
        case 3:
            connection.change(update(table).where(table.c.id.in_(some)).values(state_type=kind, state_name=name))
        case 4:
            connection.change(update(table).where(table.c.id.in_(some)).values(updated=1))
        case _:
            connection.change(delete(table).where(table.c.id.in_(some)))


@TABLES
def test_it_is_counted_whatever_is_written(database: Database, table: Table) -> None:
    random = Random(4)
    for step in range(300):
        database.write(lambda connection: change_at_random(connection, table, random))
        if step % 20 == 19:
            for workspace in (DEFAULT_WORKSPACE, OTHER):
                counted = database.read(lambda connection, of=workspace: read_counts(connection, of, table))
                there = database.read(lambda connection, of=workspace: count_rows(connection, of, table))
                assert counted == there
                assert there or workspace == OTHER


@TABLES
def test_what_is_undone_is_not_counted(database: Database, table: Table) -> None:
    def fail(connection: Connection) -> None:
        connection.change(table.insert().values(make_row(table, STATES[1])))
        raise KeyError

    with pytest.raises(KeyError):
        database.write(fail)
    assert database.read(lambda connection: read_counts(connection, DEFAULT_WORKSPACE, table)) == {}


def test_many_count_at_a_time_and_what_they_leave_is_folded(database: Database, database_url: str) -> None:
    """Each writer goes through the states in an order of its own: none waits for another, none is lost."""

    def work(seed: int) -> None:
        random = Random(seed)
        with open_database(database_url) as own:
            for _ in range(30):
                states = random.sample(STATES, 3)

                def walk(connection: Connection, states: Sequence[State] = states) -> None:
                    run = make_row(t.task_runs, states[0])
                    connection.change(t.task_runs.insert().values(run))
                    for kind, name in states[1:]:
                        moved = update(t.task_runs).where(t.task_runs.c.id == run["id"])
                        connection.change(moved.values(state_type=kind, state_name=name))

                own.write(walk)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    there = database.read(lambda connection: count_rows(connection, DEFAULT_WORKSPACE, t.task_runs))
    assert sum(there.values()) == 120
    database.write(lambda connection: connection.change(delete(t.task_runs).where(t.task_runs.c.state_name == "Late")))
    there.pop(("SCHEDULED", "Late"))
    count = t.run_counts.c
    while True:
        database.write(lambda connection: run_counts.fold(connection, DEFAULT_WORKSPACE))
        assert database.read(lambda connection: read_counts(connection, DEFAULT_WORKSPACE, t.task_runs)) == there
        rows = database.read(lambda connection: connection.select(select(count.session, count.state_name)))
        # This database's own session, which deleted, may go on; those that are closed take a moment to be over.
        if len({session for session, _ in rows if session}) <= 1:
            break
    if database.dialect == "sqlite":
        assert {name for _, name in rows} == {name for _, name in there}


@TABLES
def test_only_what_is_asked_of_states_alone_is_answered_from_the_counts(database: Database, table: Table) -> None:
    completed = StateFilter(type=StateTypeFilter(any_=[StateType.COMPLETED]))
    late = StateFilter(name=TextFilter(any_=["Late"]))
    of = partial(select_runs, table)
    answered = [RunSelection(), of(), of(state=completed), of(state=late), RunSelection(flows=FlowFilter())]
    others = [
        of(state=completed, tags=TagsFilter(all_=["a"])),
        of(state=completed, operator="or_"),
        RunSelection(flows=FlowFilter(name=TextFilter(any_=["a"]))),
    ]
    if table is t.flow_runs:
        others.append(RunSelection(task_runs=TaskRunFilter()))
    assert [run_counts.asks_for_states(table, each) for each in answered] == [True] * len(answered)
    assert [run_counts.asks_for_states(table, each) for each in others] == [False] * len(others)


@TABLES
def test_filters_of_states_mean_the_same_of_counts_as_of_runs(database: Database, table: Table) -> None:
    rows = [make_row(table, state) for state in [*STATES, *STATES[2:], STATES[4]]]
    database.write(lambda connection: connection.change(table.insert().values(rows)))
    completed, scheduled = StateType.COMPLETED, StateType.SCHEDULED
    filters = [
        StateFilter(),
        StateFilter(type=StateTypeFilter(any_=[completed, scheduled])),
        StateFilter(type=StateTypeFilter(not_any_=[completed])),
        StateFilter(type=StateTypeFilter(any_=[])),
        StateFilter(name=TextFilter(any_=["Late", "Done"])),
        StateFilter(name=TextFilter(not_any_=["Late"])),
        StateFilter(name=TextFilter(is_null_=True)),
        StateFilter(name=TextFilter(like_="ate")),
        StateFilter(type=StateTypeFilter(any_=[completed]), name=TextFilter(any_=["Scheduled"]), operator="or_"),
    ]
    for wanted in filters:
        by_count = select_runs(table, state=wanted)
        by_rows = select_runs(table, state=wanted, name=NameFilter(exists_=True))
        counted, read = (
            database.read(lambda connection, asked=asked: runs.count_runs(connection, DEFAULT_WORKSPACE, table, asked))
            for asked in (by_count, by_rows)
        )
        assert counted == read, wanted
