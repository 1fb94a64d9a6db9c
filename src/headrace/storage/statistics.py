"""What SQLite's planner is told of the data, so that it need not look at it.

Without statistics it takes every workspace for ten rows and walks all task runs to find those of one flow run; with
statistics gathered from real data, plans would change from one database to the next. So each database gets the same
ones when it is created: those of a large one, with a single workspace. PostgreSQL keeps its own.
"""

from __future__ import annotations

import sqlite3
from itertools import accumulate

ROWS = {
    "flow_runs": 1_000_000,
    "task_runs": 5_000_000,
    "flow_run_tags": 1_000_000,
    "task_run_tags": 1_000_000,
    "events": 6_000_000,
    "logs": 20_000_000,
    "results": 1_000_000,
    "artifacts": 100_000,
}
"""How many rows a large database has in its larger tables."""

OTHERS = 1_000
"""How many rows each of the other tables has."""

# How many rows share one value of a column; of a column that is not named, one.
_SHARED = {
    "workspace_id": 10**9,
    "state_type": 500_000,
    "state_name": 200_000,
    "flow_id": 10_000,
    "deployment_id": 10_000,
    "work_queue_id": 100_000,
    "tag": 10_000,
    "run_id": 2,
    "presence_kind": 500,
    "key": 20,
    "flow_run_id": 20,
    "task_key": 4,
    "limit_id": 50,
    "task_run_id": 4,
    "subject_id": 2,
    "storage_key": 2,
    "parent_flow_run_id": 2,
}


def describe(database: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """The rows of `sqlite_stat1` for a database: table, index, and how many rows share each beginning of its columns."""
    described: list[tuple[str, str, str]] = []
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        rows = ROWS.get(table, OTHERS)
        for _, index, is_unique, *_ in database.execute(f"PRAGMA index_list({table})").fetchall():
            shared = [_SHARED.get(name, 1) for _, _, name in database.execute(f"PRAGMA index_info({index})")]
            if is_unique:
                shared[-1] = 1
            described.append((table, index, " ".join(map(str, accumulate(shared, min, initial=rows)))))
    return sorted(described)
