"""P10 and P11: nothing is dropped silently, and what is old goes, whoever is killed meanwhile, while others write."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from headrace.base.clock import FrozenClock, micros
from headrace.base.ids import uuid7
from headrace.orchestration.execution import OrchestratedExecution
from headrace.schema.fact import LogFact
from headrace.schema.state import StateType
from headrace.storage import tables
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.chaos.vacuums import PIECE
from tests.conformance.scenes import Stage

POINTS = int(os.environ.get("HEADRACE_CHAOS_POINTS", "50"))
DAY = 86_400_000_000
VACUUM = str(Path(__file__).with_name("vacuums.py"))

LONG = """
import logging
from headrace import flow, get_run_logger
{bug}
@flow
def long():
    get_run_logger().info("x" * 3_000_000)
    get_run_logger().info("short")

long()
"""
SILENT = """
from headrace.engine import logs
message = logs._message
logs._message = lambda record: message(record)[:1000]
"""


def make_runs(database: Database, count: int, days: int) -> list[UUID]:
    """Runs that have ended so many days ago, with what runs leave."""
    clock = FrozenClock(micros() - days * DAY)
    stage = Stage(OrchestratedExecution(database, clock=clock), clock)
    made: list[UUID] = []
    for _ in range(count):
        run = stage.running(tags=["a"])
        task = stage.made(run.id)
        stage.deliver(task, *stage.story(task), LogFact(uuid7(), "flow", 20, "line", clock.now, run.id, task.id))
        made.append(stage.propose(run, StateType.COMPLETED).flow_run.id)
    return made


def vacuum_under_fire(url: str, old: int, kills: int, bug: str | None = None) -> None:
    """Kill the vacuum again and again while others write; then let it finish, and look at what is there."""
    with open_database(url) as database:
        make_runs(database, old, 91)
        young = make_runs(database, 5, 1)
        written: list[UUID] = []
        enough = threading.Event()

        def write() -> None:
            while not enough.is_set():
                written.extend(make_runs(database, 1, 0))

        writer = threading.Thread(target=write)
        writer.start()
        command = [sys.executable, VACUUM, url, *([bug] if bug else [])]
        for _ in range(kills):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            enough.wait(0.6)
            process.kill()
            process.wait()
        enough.set()
        writer.join()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows = database.read(
            lambda connection: {
                table.name: connection.select(select(func.count()).select_from(table))[0][0]
                for table in (tables.flow_runs, tables.task_runs, tables.logs, tables.flow_run_tags)
            }
        )
        kept = len(young) + len(written)
        expected = dict.fromkeys(("flow_runs", "task_runs", "logs", "flow_run_tags"), kept)
        assert rows == expected, (
            f"of what is young, something is gone, or something old is left: {rows}, not {expected}"
        )


def test_what_is_old_goes_and_what_is_young_stays(database_url: str) -> None:
    vacuum_under_fire(database_url, old=POINTS, kills=3)


def test_a_vacuum_that_forgets_age_is_found_out(home: Path) -> None:
    with pytest.raises(AssertionError, match="of what is young, something is gone"):
        vacuum_under_fire(f"sqlite:///{home}/headrace.db", old=5, kills=1, bug="forgets-age")


def vacuum_a_large_run(url: str, bug: str | None = None) -> None:
    """Have a vacuum delete a run with many task runs and lines, none of it in one transaction."""
    count = 5 * PIECE
    with open_database(url) as database:
        clock = FrozenClock(micros() - 91 * DAY)
        stage = Stage(OrchestratedExecution(database, clock=clock), clock)
        run = stage.running()
        for _ in range(count):
            task = stage.made(run.id)
            stage.deliver(task, *stage.story(task), LogFact(uuid7(), "flow", 20, "line", clock.now, run.id, task.id))
        stage.propose(run, StateType.COMPLETED)
        command = [sys.executable, VACUUM, url, *([bug] if bug else [])]
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        left = database.read(lambda connection: connection.select(select(func.count()).select_from(tables.task_runs)))
        assert left[0][0] == 0
        most = int(ended.stdout)
        assert 0 < most <= PIECE, f"{most} rows of a kind were deleted at once"


def test_a_large_run_is_deleted_piece_by_piece(database_url: str) -> None:
    vacuum_a_large_run(database_url)


def test_a_vacuum_that_deletes_all_at_once_is_found_out(home: Path) -> None:
    with pytest.raises(AssertionError, match="rows of a kind were deleted at once"):
        vacuum_a_large_run(f"sqlite:///{home}/headrace.db", "in-one-piece")


def log_at_length(home: Path, folder: Path, bug: str = "") -> None:
    """Log a line that is too long to be kept whole."""
    (folder / "script.py").write_text(LONG.format(bug=bug))
    subprocess.run([sys.executable, str(folder / "script.py")], check=True, capture_output=True)
    with open_database(f"sqlite:///{home}/headrace.db") as database:
        rows = database.read(lambda connection: connection.select(select(tables.logs.c.message)))
    (kept,) = [row[0] for row in rows if row[0].startswith("x")]
    assert "short" in {row[0] for row in rows}
    assert len(kept) < 1_100_000
    assert kept.endswith("… (cut: 3000000 characters)"), "the line was cut silently"


def test_a_line_that_is_too_long_says_that_it_was_cut(home: Path, tmp_path: Path) -> None:
    log_at_length(home, tmp_path)


def test_a_log_that_cuts_silently_is_found_out(home: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the line was cut silently"):
        log_at_length(home, tmp_path, SILENT)
