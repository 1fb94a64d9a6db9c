"""The lower bound of recording: one row per task by sqlite3 in WAL mode.

Arguments: `each` (a commit per task) or `once` (one transaction), then the
value of `PRAGMA synchronous`.
"""

import sqlite3
import sys
import uuid
from pathlib import Path
from time import perf_counter

from report import TASKS, open_reader, report, wait_until_readable


def insert(connection, count, each):
    begin = perf_counter()
    if not each:
        connection.execute("BEGIN IMMEDIATE")
    for number in range(count):
        connection.execute(
            "INSERT INTO task_runs (id, name, state_type, payload) VALUES (?, ?, 'COMPLETED', ?)",
            (f"{number:032x}", f"noop-{number}", b"x" * 200),
        )
    if not each:
        connection.execute("COMMIT")
    return begin, perf_counter()


def main():
    commit, synchronous = sys.argv[1], sys.argv[2]
    path = Path(f"bare-{uuid.uuid4().hex}.db")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("CREATE TABLE task_runs (id TEXT PRIMARY KEY, name TEXT, state_type TEXT, payload BLOB)")
    begin, ended = insert(connection, TASKS, commit == "each")
    reader = open_reader(path)
    readable, recorded = wait_until_readable(
        lambda: reader.execute("SELECT count(*) FROM task_runs").fetchone()[0], TASKS, ended, 0.001
    )
    report(seconds=ended - begin, readable_seconds=readable, recorded=recorded)


if __name__ == "__main__":
    main()
