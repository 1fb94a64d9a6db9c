"""A Prefect server with the budget's 20,000 flow runs and 100,000 task runs, to be asked what Headrace's is asked.

A few runs are made with its own engine; then each of their rows is copied a thousand times within its SQLite file, under new
ids and at earlier times.
"""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from random import Random

from bench.calls import Api, reach, wait_for
from bench.children import ScriptFailed, prepare, run_script
from bench.generation import DAYS
from bench.reads import Browser
from bench.servers import serving
from bench.steps import MIDDLE
from bench.subjects import PREFECT_DATABASE, PREFECT_SETTINGS

PATTERNS = 20
TASK_RUNS = 5 * PATTERNS
COPIES = MIDDLE // PATTERNS
INTERVAL = DAYS * 86_400 // COPIES
"""Seconds from one copy to the next older one."""

RECORDED_LIMIT = 60.0
TABLES = ("flow_run", "flow_run_state", "task_run", "task_run_state")
OWN = {"id", "state_id", "flow_run_id", "task_run_id"}
"""The columns that name a row which is copied along."""


@contextlib.contextmanager
def prefect_with_history(python: Path, home: Path) -> Generator[Browser]:
    """Make the database, start a server on it, and yield who asks it. Raises `ScriptFailed`."""
    prepare(home)
    with serving("prefect", python, home, dict(PREFECT_SETTINGS)) as server, reach(server.url) as api:
        run_script(python, ("prefect_history.py", str(PATTERNS)), home, server.settings)
        wait_for("the patterns' task runs", RECORDED_LIMIT, 0.2, lambda: count_ended(api) >= TASK_RUNS)
    multiply(home / PREFECT_DATABASE.path)
    with serving("prefect", python, home, dict(PREFECT_SETTINGS)) as server, reach(server.url) as api:
        if (found := api.post("/flow_runs/count", {})) != MIDDLE:
            raise ScriptFailed(f"its history has {found} flow runs")
        yield Browser(api, Random(0))


def count_ended(api: Api) -> int:
    return api.post("/task_runs/count", {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}})


def multiply(path: Path) -> None:
    """Copy each run with its states, each copy some time earlier than the one before."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TEMP TABLE copies AS WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
                         f"FROM numbers WHERE n + 1 < {COPIES}) SELECT n FROM numbers")  # fmt: skip
        for table in TABLES:
            columns = [(name, kind) for _, name, kind, *_ in database.execute(f"PRAGMA table_info({table})")]
            names = ", ".join(name for name, _ in columns)
            copied = ", ".join(copy_column(name, kind) for name, kind in columns)
            database.execute(f"INSERT INTO {table} ({names}) SELECT {copied} FROM {table}, copies")


def copy_column(name: str, kind: str) -> str:
    """Return what a copy has in a column."""
    if name in OWN:
        return f"substr({name}, 1, 24) || printf('%012x', n)"
    if kind == "DATETIME" and name != "total_run_time":
        return f"strftime('%Y-%m-%d %H:%M:%S', {name}, '-' || (n * {INTERVAL}) || ' seconds') || substr({name}, 20)"
    return name
