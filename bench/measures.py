"""Run every subject through the scenarios, taking turns inside each repeat."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.children import Ended, ScriptFailed, prepare, run_command, run_script
from bench.environments import Unavailable, provide
from bench.figures import Figures
from bench.progress import say
from bench.servers import serving
from bench.subjects import Database, Subject

SCENARIOS = {
    "import": ("import",),
    "cold": ("cold",),
    "sequential": ("sequential",),
    "fanout": ("fanout",),
    "durable": ("durable-sequential", "durable-fanout"),
}
"""What `--only` selects, and the scripts' names behind it."""

IMPORTS = 5
"""Processes whose median is one sample of an import."""
WARM_STARTS = 3
WARM_LIMIT = 5.0
"""Seconds of warm starts after which no further one is made for the same sample."""


@dataclass
class Run:
    """One run of the bench: what is wanted, who can be measured, and what came out."""

    scenarios: tuple[str, ...]
    tasks: int
    repeats: int
    figures: Figures = field(default_factory=Figures)
    interpreters: dict[str, Path] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)

    def provide(self, peers: Iterable[str]) -> None:
        """Make every environment that is needed; one that can't be made is remembered with its reason."""
        for peer in dict.fromkeys(peers):
            if peer in self.interpreters:
                continue
            say(f"environment of {peer}")
            try:
                self.interpreters[peer] = provide(peer)
            except Unavailable as reason:
                self.unavailable[peer] = str(reason)

    def measure(self, subjects: tuple[Subject, ...]) -> None:
        """Take all samples. The order of the subjects moves on by one with each repeat."""
        ready = [subject for subject in subjects if subject.scripts and subject.peer in self.interpreters]
        with tempfile.TemporaryDirectory(prefix="hb-", ignore_cleanup_errors=True) as folder:
            for repeat in range(self.repeats):
                for place in range(len(ready)):
                    subject = ready[(place + repeat) % len(ready)]
                    say(f"repeat {repeat + 1} of {self.repeats}: {subject.title}")
                    # Short names: some peers put sockets below, whose paths may have 107 bytes.
                    home = Path(folder) / f"{repeat}{place}"
                    prepare(home)
                    Turn(self, subject, repeat, home).take()


@dataclass(frozen=True)
class Turn:
    """One subject's turn in one repeat, in a home of its own that starts empty."""

    run: Run
    subject: Subject
    repeat: int
    home: Path

    def take(self) -> None:
        settings = {**self.subject.settings, "BENCH_TASKS": str(self.run.tasks)}
        with contextlib.ExitStack() as stack:
            if self.subject.has_server:
                try:
                    server = stack.enter_context(serving(self.subject.peer, self.python, self.home, settings))
                    settings = server.settings
                except ScriptFailed as reason:
                    for scenario in self.subject.scripts:
                        self.fail(scenario, reason)
                    return
            if "import" in self.run.scenarios:
                self.take_import(settings)
            if "cold" in self.run.scenarios:
                self.take_cold(settings)
            for scenario in self.run.scenarios:
                if scenario not in {"import", "cold"}:
                    self.take_tasks(scenario, settings)

    @property
    def python(self) -> Path:
        return self.run.interpreters[self.subject.peer]

    def take_import(self, settings: dict[str, str]) -> None:
        if self.subject.imports is None:
            return
        command = [str(self.python), "-c", self.subject.imports]
        try:
            seconds = [run_command(command, self.home, settings) for _ in range(IMPORTS)]
        except ScriptFailed as reason:
            self.fail("import", reason)
        else:
            self.add("import", median(seconds))

    def take_cold(self, settings: dict[str, str]) -> None:
        """Run the same small script several times; the first one meets an empty home."""
        script = self.subject.scripts.get("cold")
        if script is None:
            return
        try:
            first = self.count_around("cold-first", script, settings, expected=1)
            warm: list[float] = []
            while len(warm) < WARM_STARTS and sum(warm) < WARM_LIMIT:
                warm.append(self.count_around("cold", script, settings, expected=1).seconds)
        except ScriptFailed as reason:
            self.fail("cold", reason)
            return
        self.add("cold", median(warm))
        if not self.subject.has_server:
            self.add("cold-first", first.seconds)

    def take_tasks(self, scenario: str, settings: dict[str, str]) -> None:
        """Run a script that times its own tasks, and note when all of them could be read back."""
        script = self.subject.scripts.get(scenario)
        if script is None:
            return
        try:
            report = self.count_around(scenario, script, settings, expected=self.run.tasks).report
        except ScriptFailed as reason:
            self.fail(scenario, reason)
            return
        seconds, readable, recorded = (report.get(name) for name in ("seconds", "readable_seconds", "recorded"))
        if seconds is None:
            self.fail(scenario, ScriptFailed("the script reported nothing"))
            return
        self.add(scenario, seconds)
        if readable is not None:
            self.add(f"{scenario}-readable", readable)
        if recorded is not None and self.subject.database is None:
            self.run.figures.add_recorded(scenario, self.subject.key, int(recorded), self.run.tasks)

    def count_around(self, measure: str, script: tuple[str, ...], settings: dict[str, str], expected: int) -> Ended:
        """Run a script and count from outside, once it has ended, how many of its tasks were recorded."""
        before = count_completed(self.home, self.subject.database)
        ended = run_script(self.python, script, self.home, settings)
        after = count_completed(self.home, self.subject.database)
        if after is not None:
            self.run.figures.add_recorded(measure, self.subject.key, after - (before or 0), expected)
        return ended

    def add(self, measure: str, seconds: float) -> None:
        self.run.figures.add(measure, self.subject.key, self.repeat, seconds)

    def fail(self, measure: str, reason: ScriptFailed) -> None:
        say(f"  {self.subject.title}, {measure}: {reason}")
        self.run.figures.fail(measure, self.subject.key, str(reason))


def count_completed(home: Path, database: Database | None) -> int | None:
    """Count the Completed task runs in a subject's file with plain sqlite3, None if it has no such file yet."""
    if database is None or not (home / database.path).exists():
        return None
    reader = sqlite3.connect(f"file:{home / database.path}?mode=ro", uri=True, timeout=10)
    try:
        query = f"SELECT count(*) FROM {database.table} WHERE state_type = 'COMPLETED'"
        return reader.execute(query).fetchone()[0]
    except sqlite3.OperationalError:
        return None
    finally:
        reader.close()
