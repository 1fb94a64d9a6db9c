"""Count Headrace's finished task runs with plain sqlite3, from outside."""

import os
from pathlib import Path

from report import TASKS, open_reader, report, wait_until_readable

DATABASE = Path(os.environ["HEADRACE_HOME"]) / "headrace.db"


def count_completed() -> int:
    if not DATABASE.exists():
        return 0
    reader = open_reader(DATABASE)
    try:
        return reader.execute("SELECT count(*) FROM task_runs WHERE state_type = 'COMPLETED'").fetchone()[0]
    finally:
        reader.close()


def measure(flow) -> None:
    """Run the flow, which returns when its tasks began and ended, then wait until every task run is readable."""
    before = count_completed()
    begin, ended = flow(TASKS)
    readable, seen = wait_until_readable(lambda: count_completed() - before, TASKS, ended, 0.001)
    report(seconds=ended - begin, readable_seconds=readable, recorded=seen)
