"""Reads on a long history: `python -m bench.history`, from the root of the repository.

The same database is measured twice: with a hundredth of the runs, then with all of them. Reads go through the
administration gateway in this process. Every query's plan is asked for; a plan that reads too much (`plans.py`) fails the run.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles
from uuid import UUID

from bench.children import adopt_orphans, prepare, run_script
from bench.generation import DAYS, Amount, generate, settle
from bench.plans import Inspector
from bench.progress import say
from bench.quantities import duration
from bench.steps import GROWTH
from bench.table import align
from headrace.base import clock
from headrace.gateway.administration import Administration
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.schema.filters import (
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    RunSelection,
    StateFilter,
    StateTypeFilter,
    TagsFilter,
    TaskRunFilter,
)
from headrace.schema.run import FlowRunSort, Page
from headrace.schema.state import StateType
from headrace.storage.database import Database
from headrace.storage.databases import open_database

SAMPLES = 30
GROWTH_LIMIT = 1.3
LIST_LIMIT = 0.050
DASHBOARD_LIMIT = 0.150
TASK_REPEATS = 3


@dataclass(frozen=True)
class Read:
    """One question to the gateway. `limit` is the seconds the budget gives its 95th percentile, if it does."""

    title: str
    ask: Callable[[], object]
    limit: float | None = None
    whole: bool = False
    """It is about all rows of the workspace, or a good part, in an index's own order: its plan may walk an index."""


@dataclass
class Answers:
    """How long each question took, with the small history and with the whole one."""

    small: dict[str, list[float]] = field(default_factory=dict)
    whole: dict[str, list[float]] = field(default_factory=dict)


def reads(gateway: Administration, random: Random) -> list[Read]:
    """Return the questions. Ids are drawn anew for each, so that no answer is simply still in memory."""
    newest = [run.id for run in gateway.list_flow_runs(page=Page(200))]
    tasks = [run.id for run in gateway.list_task_runs(page=Page(200))]
    now = clock.now()
    week = now - timedelta(days=7)

    def some(ids: list[UUID]) -> UUID:
        return random.choice(ids)

    def in_state(kind: StateType) -> StateFilter:
        return StateFilter(type=StateTypeFilter(any_=[kind]))

    def flow_runs(**filters: object) -> RunSelection:
        return RunSelection(flow_runs=FlowRunFilter(**filters))  # pyright: ignore[reportArgumentType]

    flows = [flow.name for flow in gateway.list_flows()]
    failed = flow_runs(state=in_state(StateType.FAILED))
    of_flow = RunSelection(flows=FlowFilter(id=IdFilter(any_=[gateway.read_flow_by_name(flows[0]).id])))
    tagged, untagged = (flow_runs(tags=TagsFilter(all_=[tag])) for tag in ("prod", "nowhere"))
    failed_tasks = RunSelection(task_runs=TaskRunFilter(state=in_state(StateType.FAILED)))
    listed = [
        Read("flow runs: newest 50", lambda: gateway.list_flow_runs(page=Page(50)), LIST_LIMIT, whole=True),
        Read("flow runs: page 100 of 50", lambda: gateway.list_flow_runs(page=Page(50, 4950)), LIST_LIMIT, whole=True),
        Read(
            "flow runs: latest 50 by start",
            lambda: gateway.list_flow_runs(sort=FlowRunSort.START_TIME_DESC, page=Page(50)),
            LIST_LIMIT,
        ),
        Read("flow runs: newest 50 of a flow", lambda: gateway.list_flow_runs(of_flow, page=Page(50)), LIST_LIMIT),
        Read("flow runs: newest 50 failed", lambda: gateway.list_flow_runs(failed, page=Page(50)), LIST_LIMIT),
        Read(
            "flow runs: newest 50 with a tag",
            lambda: gateway.list_flow_runs(tagged, page=Page(50)),
            LIST_LIMIT,
            whole=True,
        ),
        Read("flow runs: with a tag nobody has", lambda: gateway.list_flow_runs(untagged, page=Page(50)), LIST_LIMIT),
        Read("flow run by id", lambda: gateway.read_flow_run(some(newest))),
        Read("flow run's states", lambda: gateway.list_flow_run_states(some(newest))),
        Read("task runs: newest 50", lambda: gateway.list_task_runs(page=Page(50)), LIST_LIMIT, whole=True),
        Read("task runs: page 100 of 50", lambda: gateway.list_task_runs(page=Page(50, 4950)), LIST_LIMIT, whole=True),
        Read("task runs: newest 50 failed", lambda: gateway.list_task_runs(failed_tasks, page=Page(50)), LIST_LIMIT),
        Read(
            "task runs of a flow run",
            lambda: gateway.list_task_runs(
                RunSelection(task_runs=TaskRunFilter(flow_run_id=IdFilter(any_=[some(newest)])))
            ),
            LIST_LIMIT,
        ),
        Read("task run by id", lambda: gateway.read_task_run(some(tasks))),
    ]
    counted = [
        Read("flow runs: count", gateway.count_flow_runs, DASHBOARD_LIMIT, whole=True),
        Read("task runs: count", gateway.count_task_runs, DASHBOARD_LIMIT, whole=True),
    ]
    for kind in (StateType.COMPLETED, StateType.FAILED, StateType.RUNNING, StateType.SCHEDULED):
        chosen = flow_runs(state=in_state(kind))
        title = f"flow runs: count {kind.lower()}"
        counted.append(Read(title, lambda chosen=chosen: gateway.count_flow_runs(chosen), DASHBOARD_LIMIT))
    for kind in (StateType.COMPLETED, StateType.FAILED):
        chosen = RunSelection(task_runs=TaskRunFilter(state=in_state(kind)))
        title = f"task runs: count {kind.lower()}"
        counted.append(Read(title, lambda chosen=chosen: gateway.count_task_runs(chosen), DASHBOARD_LIMIT))
    history = [
        Read("history of 7 days by hour", lambda: gateway.flow_run_history(week, now, 3600), DASHBOARD_LIMIT),
        Read("history of 7 days by 6 hours", lambda: gateway.flow_run_history(week, now, 21600), DASHBOARD_LIMIT),
    ]
    return [*listed, *counted, *history]


def measure(database: Database, seed: int) -> dict[str, list[float]]:
    """Ask each question several times, in turn, and return the seconds."""
    found: dict[str, list[float]] = {}
    questions = reads(OrchestratedAdministration(database), Random(seed))
    for question in questions:
        question.ask()
    for _ in range(SAMPLES):
        for question in questions:
            begin = time.perf_counter()
            question.ask()
            found.setdefault(question.title, []).append(time.perf_counter() - begin)
    return found


def inspect(database: Database, seed: int) -> tuple[list[str], int]:
    """Return the plans that read too much, each with the question that needs it, and how many plans there were."""
    inspector = Inspector(database)
    found: list[str] = []
    for question in reads(OrchestratedAdministration(inspector), Random(seed)):  # pyright: ignore[reportArgumentType]
        inspector.found.clear()
        question.ask()
        blamed = [step for step in inspector.found if step.kind == "scan" or not question.whole]
        found += [f"  {question.title}: {step.text}\n      {shorten(step.query)}" for step in blamed]
    return found, inspector.queries


def shorten(query: str) -> str:
    """Return the end of a query, which says what it is about; its list of columns does not."""
    text = " ".join(query.split())
    return text if "FROM" not in text else f"... {text[text.index('FROM') :]}"


def time_tasks(home: Path, tasks: int) -> list[float]:
    """Run a flow of no-op tasks that records into the database of this home, and return the seconds of its loop."""
    found: list[float] = []
    for _ in range(TASK_REPEATS):
        report = run_script(Path(sys.executable), ("headrace_sequential.py",), home, {"BENCH_TASKS": str(tasks)}).report
        found.append(report["seconds"] or 0.0)
    return found


def render(questions: list[Read], answers: Answers) -> str:
    """Return the answers as a table."""
    header = ("", "1/100: p50", "all: p50", "p95", "budget p95", f"growth at {GROWTH}x", "")
    lines: list[tuple[str, ...]] = []
    for question in questions:
        small, whole = answers.small[question.title], answers.whole[question.title]
        p95 = quantiles(whole, n=20)[-1]
        limit = question.limit
        lines.append(
            (
                question.title,
                duration(median(small)),
                duration(median(whole)),
                duration(p95),
                f"<= {duration(limit)}" if limit else "-",
                f"{median(whole) / median(small):.2g}x",
                "" if limit is None else "pass" if p95 <= limit else "FAIL",
            )
        )
    return "\n".join(align(header, lines))


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--url", help="an empty database; without it, a SQLite file that is removed afterwards")
    parser.add_argument("--flow-runs", type=int, default=100_000)
    parser.add_argument("--task-runs", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Generate, measure, print, and return 1 if a budget was missed or a plan reads too much."""
    options = parse(arguments)
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="hb-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        prepare(home)
        (home / "headrace").mkdir()
        url = options.url or f"sqlite:///{home / 'headrace' / 'headrace.db'}"
        with open_database(url) as database:
            gateway = OrchestratedAdministration(database)
            if gateway.count_flows():
                print(f"{database.name} is not empty: give a database that may be filled.", file=sys.stderr)
                return 2
            return compare(database, options, url, None if options.url else home)


def compare(database: Database, options: argparse.Namespace, url: str, home: Path | None) -> int:
    """Fill the database in two steps and measure after each."""
    now = clock.micros()
    part = Amount(options.flow_runs // GROWTH, options.task_runs // GROWTH, options.seed)
    rest = Amount(options.flow_runs - part.flow_runs, options.task_runs - part.task_runs, options.seed + 1)
    answers = Answers()
    task_times: list[list[float]] = []
    for amount, kept in ((part, answers.small), (rest, answers.whole)):
        begin = time.perf_counter()
        generate(database, amount, now)
        settle(url)
        took = time.perf_counter() - begin
        say(f"{amount.flow_runs:,} flow runs and {amount.task_runs:,} task runs written in {took:.1f} s")
        kept.update(measure(database, options.seed))
        if home is not None:
            task_times.append(time_tasks(home, 1000))
    scans, plans = inspect(database, options.seed)
    questions = reads(OrchestratedAdministration(database), Random(options.seed))
    print(
        f"{options.flow_runs:,} flow runs and {options.task_runs:,} task runs over {DAYS} days, {database.dialect}, "
        f"{SAMPLES} samples each\n\n{render(questions, answers)}\n"
    )
    growth = median(task_times[1]) / median(task_times[0]) if home is not None else None
    if growth is not None:
        rates = " and ".join(f"{1000 / median(times):,.0f}/s" for times in task_times)
        word = "pass" if growth <= GROWTH_LIMIT else "FAIL"
        print(
            f"1,000 tasks in a loop, beside the small and the whole history: {rates}, {growth:.2f}x the cost: {word}\n"
        )
    print(f"{plans} plans, {len(scans)} read too much", *scans, sep="\n")
    late = [q.title for q in questions if q.limit and quantiles(answers.whole[q.title], n=20)[-1] > q.limit]
    return int(bool(scans or late or (growth is not None and growth > GROWTH_LIMIT)))


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main(sys.argv[1:]))
