"""A server on a database with a history, on SQLite and on PostgreSQL: reads, ingest, tasks, and how they grow.

The database is filled in steps through the project's own storage layer. At each step a server is started on it and asked.
"""

import contextlib
import sqlite3
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles

from bench.calls import reach
from bench.children import ScriptFailed, prepare, run_script
from bench.environments import Unavailable
from bench.generation import Amount, generate, settle
from bench.measures import Run
from bench.postgresql import postgresql
from bench.prefect_history import prefect_with_history
from bench.progress import say
from bench.reads import QUESTIONS, Browser
from bench.retention import Witness
from bench.servers import serving
from bench.steps import KINDS, MIDDLE, Step, make_steps, name_read
from headrace.base import clock
from headrace.storage.databases import open_database

TASKS_A_RUN = 5
LONG_LOOP = 5_000
LOOPS = 3

GROUPS = ("reads", "ingest", "growth", "retention")
PREFECT = "prefect-server"


@dataclass(frozen=True)
class Stock:
    """The measurements on one kind of database."""

    run: Run
    subject: str
    wanted: set[str]
    beside: Path | None = None
    """The Prefect that is asked the same at the middle step."""

    def measure(self, folder: Path, history: int) -> None:
        """Fill a database and measure at each step that something wanted is measured at."""
        steps = [step for step in make_steps(history) if self.wanted & {*step.groups}]
        home = folder / self.subject
        prepare(home)
        (home / "headrace").mkdir()
        try:
            with open_url(self.subject, home) as url:
                written = 0
                for seed, step in enumerate(steps):
                    fill(url, step.flow_runs - written, seed)
                    written = step.flow_runs
                    say(f"a server on {KINDS[self.subject]} with {written:,} flow runs")
                    if self.wanted & {*step.groups} - {"retention"}:
                        self.ask(step, home, url)
                    if "retention" in self.wanted & {*step.groups}:
                        self.watch_vacuum(home, url)
        except (ScriptFailed, Unavailable) as reason:
            say(f"  {KINDS[self.subject]}: {reason}")
            for group in GROUPS:
                if group in self.wanted:
                    self.run.figures.fail(group, self.subject, str(reason))
        self.compare()

    def ask(self, step: Step, home: Path, url: str) -> None:
        """Start a server on the database and take all that is wanted at this step."""
        groups = self.wanted & {*step.groups}
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(
                serving("headrace", self.run.interpreters["headrace"], home, {"HEADRACE_DATABASE_URL": url})
            )
            browsers = {self.subject: Browser(stack.enter_context(reach(server.url)), Random(0))}
            if step.flow_runs == MIDDLE and self.beside is not None:
                self.add_prefect(stack, browsers, home)
            for repeat in range(self.run.repeats):
                if groups & {"reads", "growth"}:
                    for subject, browser in browsers.items():
                        self.read(step, repeat, subject, browser)
                if "growth" in groups:
                    self.add(f"served-{step.key}", repeat, self.time_tasks(home, server.settings))
            for repeat in range(self.run.repeats if "ingest" in groups else 0):  # last: it adds to the history
                self.add("ingest", repeat, self.time("headrace_ingest.py", home, server.settings))
                self.add("served", repeat, self.time("headrace_sequential.py", home, server.settings))

    def watch_vacuum(self, home: Path, url: str) -> None:
        """Let the vacuum delete part of the history beside a running flow: last of all, for the history is shorter then."""
        witness = Witness(self.run.interpreters["headrace"], home, {"HEADRACE_DATABASE_URL": url})
        for repeat in range(self.run.repeats):
            say(f"a flow beside the vacuum, on {KINDS[self.subject]}")
            alone, beside = witness.watch(repeat)
            for name, waits in (("retention-alone", alone), ("retention-beside", beside)):
                self.add(name, repeat, waits.p50)
                self.add(f"{name}-p99", repeat, waits.p99)
            self.add("retention-pace", repeat, 1 / beside.deleted)

    def add_prefect(self, stack: contextlib.ExitStack, browsers: dict[str, Browser], home: Path) -> None:
        """Add who asks a Prefect server on as long a history."""
        assert self.beside is not None
        say(f"a Prefect server with {MIDDLE:,} flow runs")
        try:
            browsers[PREFECT] = stack.enter_context(prefect_with_history(self.beside, home / "beside"))
        except (ScriptFailed, sqlite3.Error) as reason:
            say(f"  Prefect, reads: {reason}")
            self.run.figures.fail("reads", PREFECT, str(reason))

    def read(self, step: Step, repeat: int, subject: str, browser: Browser) -> None:
        """Ask all questions."""
        for question, seconds in browser.measure().items():
            self.run.figures.add(name_read(step.key, question, "p50"), subject, repeat, median(seconds))
            self.run.figures.add(name_read(step.key, question, "p95"), subject, repeat, quantiles(seconds, n=20)[-1])

    def time_tasks(self, home: Path, settings: dict[str, str]) -> float:
        """Return the seconds of a long loop of tasks: short ones differ more than what is looked for."""
        told = {**settings, "BENCH_TASKS": str(LONG_LOOP)}
        return median(self.time("headrace_sequential.py", home, told) for _ in range(LOOPS))

    def time(self, script: str, home: Path, settings: dict[str, str]) -> float:
        """Run a script through the server and return the seconds it reports."""
        told = {"BENCH_TASKS": str(self.run.tasks), **settings}
        seconds = run_script(self.run.interpreters["headrace"], (script,), home, told).report["seconds"]
        if seconds is None:
            raise ScriptFailed(f"{script} reported nothing")
        return seconds

    def compare(self) -> None:
        """Add how costs have grown from the small history to the whole one, repeat by repeat."""
        for repeat in range(self.run.repeats):
            self.add_ratio("growth-task", repeat, [("served-whole", "served-small")])
            reads = [
                tuple(name_read(step, each.key, "p50") for step in ("whole", "small"))
                for each in QUESTIONS
                if each.keeps
            ]
            self.add_ratio("growth-request", repeat, reads)

    def add_ratio(self, measure: str, repeat: int, pairs: list[tuple[str, ...]]) -> None:
        """Add the largest of the ratios, if all of them are known."""
        found = [[self.run.figures.sample(name, self.subject, repeat) for name in pair] for pair in pairs]
        ratios = [whole / small for whole, small in found if whole is not None and small]
        if "growth" in self.wanted and len(ratios) == len(pairs):
            self.add(measure, repeat, max(ratios))

    def add(self, measure: str, repeat: int, figure: float) -> None:
        self.run.figures.add(measure, self.subject, repeat, figure)


def measure_stock(run: Run, peers: list[str], wanted: set[str], history: int) -> None:
    """Measure on each kind of database, one after the other."""
    prefect = run.interpreters.get("prefect") if "prefect" in peers else None
    if "headrace" in run.interpreters:
        with tempfile.TemporaryDirectory(prefix="hb-", ignore_cleanup_errors=True) as folder:
            for subject in KINDS:
                beside = prefect if KINDS[subject] == "SQLite" and "reads" in wanted else None
                Stock(run, subject, wanted, beside).measure(Path(folder), history)


@contextlib.contextmanager
def open_url(subject: str, home: Path) -> Generator[str]:
    """Yield the URL of an empty database of the subject's kind, which is gone afterwards."""
    if KINDS[subject] == "SQLite":
        yield f"sqlite:///{home / 'headrace' / 'headrace.db'}"
    else:
        with postgresql() as url:
            yield url


def fill(url: str, flow_runs: int, seed: int) -> None:
    """Write so many flow runs with their task runs, and let the database look at them."""
    begin = time.perf_counter()
    with open_database(url) as database:
        generate(database, Amount(flow_runs, flow_runs * TASKS_A_RUN, seed), clock.micros())
    settle(url)
    say(
        f"{flow_runs:,} flow runs and {flow_runs * TASKS_A_RUN:,} task runs written in {time.perf_counter() - begin:.1f} s"
    )
