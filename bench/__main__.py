"""The command line: `python -m bench`, from the root of the repository."""

import argparse
import json
import platform
import signal
import sqlite3
import sys
from pathlib import Path
from types import FrameType

from bench.budget import ROWS, judge
from bench.children import ScriptFailed, adopt_orphans
from bench.dispatch import LIBRARIES
from bench.environments import ENVIRONMENTS
from bench.measures import SCENARIOS, Run
from bench.profile import profile_tasks
from bench.services import GROUPS as SERVICES
from bench.services import measure_services
from bench.size import measure_sizes
from bench.steps import GROWTH
from bench.stock import GROUPS as STOCK
from bench.stock import measure_stock
from bench.subjects import BOUNDS, OURS, PEER_NAMES, PEERS, Subject
from bench.table import render

PROFILE, SIZE = "profile", "size"
SERVER_GROUPS = (*SERVICES, *STOCK, SIZE)
GROUPS = (*SCENARIOS, *SERVER_GROUPS, PROFILE)
SHORTHAND = {"scripts": tuple(SCENARIOS), "servers": SERVER_GROUPS}
"""Names for several groups at once."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the options."""
    also = "; ".join(f"{name}: {', '.join(groups)}" for name, groups in SHORTHAND.items())
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--peers", default=",".join(PEER_NAMES), help="who is measured beside Headrace (%(default)s)")
    parser.add_argument("--no-peers", action="store_true", help="measure Headrace and the lower bounds only")
    parser.add_argument("--repeats", type=int, default=3, help="how often everybody takes a turn (%(default)s)")
    parser.add_argument("--tasks", type=int, default=1000, help="tasks in a flow (%(default)s)")
    parser.add_argument("--only", default=",".join(GROUPS), help=f"what is measured (%(default)s; {also})")
    parser.add_argument(
        "--history", type=int, default=100_000, help="flow runs of the longest history that is read (%(default)s)"
    )
    parser.add_argument("--headrace", type=Path, metavar="PYTHON", help="measure the Headrace of this interpreter")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to a file as well")
    options = parser.parse_args(arguments)
    options.only = [group for name in options.only.split(",") for group in SHORTHAND.get(name, (name,))]
    options.peers = [] if options.no_peers else options.peers.split(",")
    for given, known in ((options.only, GROUPS), (options.peers, PEER_NAMES)):
        if unknown := set(given) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
    if options.repeats < 1 or options.tasks < 1:
        parser.error("--repeats and --tasks start at 1")
    if options.history < GROWTH:
        parser.error(f"--history starts at {GROWTH}, of which the smallest history is one")
    return options


def main(arguments: list[str]) -> int:
    """Measure what was asked for, print the tables, and return 1 if a budget was missed."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, leave)
    adopt_orphans()
    subjects: tuple[Subject, ...] = (
        *BOUNDS,
        *OURS,
        *(subject for subject in PEERS if subject.peer in options.peers),
    )
    scenarios = tuple(script for name in SCENARIOS if name in options.only for script in SCENARIOS[name])
    run = Run(scenarios, options.tasks, options.repeats)
    if options.headrace:
        run.interpreters["headrace"] = options.headrace.absolute()
    ENVIRONMENTS.mkdir(exist_ok=True)
    measure(run, subjects, options)
    if run.figures.samples or run.figures.failures:
        print(render(run, subjects, options.history))
    if PROFILE in options.only and "headrace" in run.interpreters:
        try:
            print("\n" + profile_tasks(run.interpreters["headrace"], options.tasks))
        except ScriptFailed as reason:
            print(f"\nThe profile failed: {reason}")
    if options.json:
        options.json.write_text(json.dumps(describe(run), indent=2) + "\n")
    words = [judge(row, run.figures, run.tasks).word for row in ROWS]
    return int("FAIL" in words or "headrace" in run.unavailable)


def measure(run: Run, subjects: tuple[Subject, ...], options: argparse.Namespace) -> None:
    """Take all samples of what was asked for, in the environments that it needs."""
    wanted = set(options.only)
    peers = [subject.peer for subject in subjects]
    if not wanted & {*SCENARIOS, SIZE}:
        peers = [peer for peer in peers if peer in {"headrace", "prefect"}]
    run.provide([*peers, *([LIBRARIES] if "dispatch" in wanted else [])])
    if run.scenarios:
        run.measure(subjects)
    if wanted & {*SERVICES}:
        measure_services(run, options.peers, wanted)
    if wanted & {*STOCK}:
        measure_stock(run, options.peers, wanted, options.history)
    if SIZE in wanted:
        measure_sizes(run)


def describe(run: Run) -> dict[str, object]:
    """Return the run as it is written to a file."""
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.system(),
        "tasks": run.tasks,
        "repeats": run.repeats,
        "unavailable": run.unavailable,
        "measures": run.figures.as_json(),
        "budget": [
            {"work": row.title, "measure": row.measure, **vars(judge(row, run.figures, run.tasks))} for row in ROWS
        ],
    }


def leave(_signal: int, _frame: FrameType | None) -> None:
    """End in the ordinary way, so that servers and children are stopped."""
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
