"""What every script shares: how many tasks to run, and where its figures go.

Figures travel in a file and not on standard output, because several peers
print there.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

TASKS = int(os.environ.get("BENCH_TASKS", "1000"))
"""How many tasks one flow runs."""

READ_BACK_LIMIT = 180.0
"""Seconds after which a script stops waiting for its tasks to be readable."""


def report(**figures: float | None) -> None:
    """Hand the figures of this script to the bench: `seconds`, and what else it measured."""
    Path(os.environ["BENCH_REPORT"]).write_text(json.dumps(figures))


def wait_until_readable(
    count: Callable[[], int], expected: int, ended: float, interval: float
) -> tuple[float | None, int]:
    """Return the seconds from `ended` until `count()` reached `expected`, None if it never did, and the last count.

    `ended` is when the last task ended, on the clock of `time.perf_counter`.
    """
    while True:
        seen = count()
        elapsed = time.perf_counter() - ended
        if seen >= expected:
            return elapsed, seen
        if elapsed > READ_BACK_LIMIT:
            return None, seen
        time.sleep(interval)


def open_reader(path: str | Path) -> sqlite3.Connection:
    """Open a SQLite file for reading only, as a second process would."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=10)
