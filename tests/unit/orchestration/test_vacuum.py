"""What is older than it is kept for goes, with its files, and nothing else does."""

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from headrace.base.clock import FrozenClock
from headrace.base.ids import uuid7
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.loops.vacuum import Retention, Vacuum
from headrace.schema.fact import ArtifactFact, EventFact, LogFact, ResultFact
from headrace.schema.result_file import file_of_key
from headrace.schema.run import FlowRun
from headrace.schema.state import StateType
from headrace.schema.work_pool import WorkerBeat, WorkPoolCreate
from headrace.storage import tables
from headrace.storage.database import Database
from tests.conformance.scenes import Stage

DAY = 86_400.0
KEPT_BY_ALL = {
    *("workspaces", "schema_revision", "flows", "work_pools", "work_queues", "block_types", "block_schemas"),
    "run_counts",
}


def count(database: Database) -> dict[str, int]:
    """How many rows there are in each table that has any, but for what stays."""

    def count_all(connection: Any) -> dict[str, int]:
        every = {
            name: connection.select(select(func.count()).select_from(table))[0][0]
            for name, table in tables.metadata.tables.items()
        }
        return {name: rows for name, rows in every.items() if rows and name not in KEPT_BY_ALL}

    return database.read(count_all)


class House:
    """Runs that have left all that runs leave, and files of results."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder

    def make(self, tasks: int = 3, lines: int = 7) -> FlowRun:
        run = self.stage.running(tags=["a"])
        for _ in range(tasks):
            task = self.stage.made(run.id, tags=["b"])
            self.stage.deliver(task, *self.stage.story(task))
            self.leave(run, task.id)
        for number in range(lines):
            self.stage.deliver(LogFact(uuid7(), "flow", 20, str(number), self.stage.clock.now, run.id))
        self.leave(run, None)
        return self.stage.propose(run, StateType.COMPLETED).flow_run

    def leave(self, run: FlowRun, task_id: Any) -> None:
        now, key = self.stage.clock.now, f"key-{uuid7()}"
        self.stage.deliver(
            LogFact(uuid7(), "flow", 20, "line", now, run.id, task_id),
            ArtifactFact(uuid7(), "report", "markdown", None, "x", now, run.id, task_id),
            self.keep(key, run, task_id),
        )

    def keep(self, key: str, run: FlowRun, task_id: Any = None, location: Path | None = None) -> ResultFact:
        place = location or self.folder
        path = file_of_key(key, place) if location is None else Path(str(location).partition("@")[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("value")
        return ResultFact(uuid7(), key, str(place), "json", 5, self.stage.clock.now, None, run.id, task_id)

    def files(self) -> int:
        return sum(path.is_file() for path in self.folder.rglob("*"))


@pytest.fixture
def house(stage: Stage, tmp_path: Path) -> House:
    return House(stage, tmp_path / "results")


def make_vacuum(database: Database, clock: FrozenClock, house: House, **kept: Any) -> Vacuum:
    return Vacuum(database, Retention(results=house.folder, **kept), clock, piece=2)


def test_an_old_run_goes_with_all_that_it_left(
    database: Database, clock: FrozenClock, stage: Stage, house: House
) -> None:
    vacuum = make_vacuum(database, clock, house)
    stage.flow()
    house.make()
    house.make()
    clock.advance(30 * DAY)
    before = count(database)
    files = house.files()
    young = house.make()
    alone = count(database)
    expected = {name: rows - before.get(name, 0) for name, rows in alone.items()}
    clock.advance(61 * DAY)
    assert vacuum.run_once() == 2 * (1 + 3) + 1  # the marks of the stage's own journal go as well
    assert {name: rows for name, rows in count(database).items() if name != "artifact_collections"} == {
        name: rows for name, rows in expected.items() if rows and name not in {"journals", "artifact_collections"}
    }
    assert house.files() == files // 2
    assert [state.name for state in stage_states(database, clock, young)] == ["Pending", "Running", "Completed"]
    assert vacuum.run_once() == 0


def stage_states(database: Database, clock: FrozenClock, run: FlowRun) -> list[Any]:
    return OrchestratedAdministration(database, clock=clock).list_flow_run_states(run.id)


def test_runs_that_have_not_ended_stay_however_old(
    database: Database, clock: FrozenClock, stage: Stage, house: House
) -> None:
    run = stage.running()
    stage.deliver(LogFact(uuid7(), "flow", 20, "line", clock.now, run.id))
    clock.advance(1000 * DAY)
    make_vacuum(database, clock, house).run_once()
    assert stage.execution.read_flow_run(run.id).state_type is StateType.RUNNING
    assert count(database)["logs"] == 1


def test_histories_outlive_events_that_are_no_states(
    database: Database, clock: FrozenClock, stage: Stage, house: House
) -> None:
    run = house.make(tasks=1, lines=0)
    stage.deliver(*(EventFact(uuid7(), clock.now, {"event": "mine"}) for _ in range(5)))
    states = count(database)["events"] - 5
    clock.advance(7 * DAY - 1)
    stage.deliver(EventFact(uuid7(), clock.now, {"event": "mine"}))
    vacuum = make_vacuum(database, clock, house)
    assert vacuum.run_once() == 0
    clock.advance(2)
    assert vacuum.run_once() == 5
    assert count(database)["events"] == states + 1
    assert len(stage_states(database, clock, run)) == 3


def test_what_belongs_to_no_run_goes_too(database: Database, clock: FrozenClock, stage: Stage, house: House) -> None:
    administration = OrchestratedAdministration(database, clock=clock)
    administration.create_work_pool(WorkPoolCreate(name="pool"))
    stage.execution.beat_worker(WorkerBeat(work_pool_name="pool", name="w"))
    lost, loose = uuid7(), stage.made()
    stage.deliver(loose, *stage.story(loose))
    stage.deliver(*(LogFact(uuid7(), "flow", 20, "line", clock.now, run) for run in (lost, None)))
    clock.advance(91 * DAY)
    make_vacuum(database, clock, house).run_once()
    assert count(database) == {}


def test_what_counts_nothing_goes_too(database: Database, clock: FrozenClock, stage: Stage, house: House) -> None:
    house.make()
    clock.advance(91 * DAY)
    vacuum = make_vacuum(database, clock, house)
    assert vacuum.run_once() > 0
    numbers = select(func.sum(tables.run_counts.c.number), func.count())
    total, rows = database.read(lambda connection: connection.select(numbers))[0]
    # On PostgreSQL the rows of sessions stay that go on: this database's own.
    assert (total, rows) == (None, 0) if database.dialect == "sqlite" else total == 0


def test_nothing_goes_that_is_kept_for_ever(database: Database, clock: FrozenClock, stage: Stage, house: House) -> None:
    house.make()
    stage.deliver(EventFact(uuid7(), clock.now, {"event": "mine"}))
    before = count(database)
    clock.advance(10_000 * DAY)
    assert make_vacuum(database, clock, house, runs=None, events=None).run_once() == 0
    assert count(database) == before


def test_values_that_others_still_have_keep_their_files(
    database: Database, clock: FrozenClock, stage: Stage, house: House, tmp_path: Path
) -> None:
    old = stage.running()
    packs = house.folder / "packs"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "packs").mkdir()
    stage.deliver(
        house.keep("shared", old),
        house.keep("packed", old, location=packs / "empty@0"),
        house.keep("packed", old, location=packs / "full@0"),
        house.keep("packed", old, location=packs / "open@0"),
        house.keep("packed", old, location=elsewhere / "packs" / "foreign@0"),
    )
    stage.propose(old, StateType.COMPLETED)
    for name in ("empty", "full"):
        os.utime(packs / name, (clock.now / 1e6, clock.now / 1e6))
    clock.advance(91 * DAY)
    young = stage.running()
    stage.deliver(house.keep("shared", young), house.keep("young", young, location=packs / "full@9"))
    os.utime(packs / "full", (0, 0))
    os.utime(packs / "open", (clock.now / 1e6, clock.now / 1e6))
    make_vacuum(database, clock, house).run_once()
    assert {path.name for path in packs.iterdir()} == {"full", "open"}
    assert file_of_key("shared", house.folder).exists()
    assert (elsewhere / "packs" / "foreign").exists()


def test_nobody_waits_for_a_piece(
    clock: FrozenClock, stage: Stage, house: House, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much a run has left, no transaction is larger than so many rows of each kind."""
    house.make(tasks=30, lines=100)
    clock.advance(91 * DAY)
    write, largest = database.write, [0]

    def write_counted(unit: Any) -> Any:
        def counted(connection: Any) -> Any:
            before = count_rows(connection)
            result = unit(connection)
            largest[0] = max(largest[0], before - count_rows(connection))
            return result

        return write(counted)

    monkeypatch.setattr(database, "write", write_counted)
    make_vacuum(database, clock, house).run_once()
    assert 0 < largest[0] <= 2 * 8


def count_rows(connection: Any) -> int:
    return sum(
        connection.select(select(func.count()).select_from(table))[0][0] for table in tables.metadata.tables.values()
    )


def test_a_vacuum_that_is_to_stop_does(database: Database, clock: FrozenClock, house: House) -> None:
    house.make()
    house.make()
    clock.advance(91 * DAY)
    vacuum = make_vacuum(database, clock, house)
    vacuum.stop()
    assert vacuum.run_once() == 0
