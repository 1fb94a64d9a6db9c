"""The budgets of the design, and whether one run reached them.

The ratios, taken in one run, are the budget. The absolute figures say what they looked like on the machine the budget
was written on: they are shown beside, and they only decide where the budget names no ratio or no peer was measured.
"""

from dataclasses import dataclass

from bench.figures import Figures, Spread
from bench.quantities import pace, quantity
from bench.reads import QUESTIONS
from bench.steps import KINDS, name_read

PREFECT = ("prefect", "prefect-tuned", "prefect-server", "prefect-server-tuned", "prefect-worker")
OTHERS = ("dbos", "luigi", "ray", "dask")


@dataclass(frozen=True)
class Ratio:
    """At least `factor` times as good as the best of the references."""

    factor: float
    name: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One line of the budget: what is measured, its lower bound, and what Headrace must reach."""

    title: str
    measure: str
    bound: str | None = None
    ratios: tuple[Ratio, ...] = ()
    at_most: float | None = None
    """In the unit of the measure."""
    per_second: float | None = None
    """Tasks or facts a second."""
    subject: str = "headrace"
    """Whose figure is judged."""
    all_recorded: tuple[str, ...] = ()
    """Measures whose tasks must all have been read back."""

    def references(self, name: str) -> tuple[str, ...]:
        """The subjects that a ratio of this row is taken against; empty if it names no such ratio."""
        return next((ratio.references for ratio in self.ratios if ratio.name == name), ())

    @property
    def needs(self) -> set[str]:
        """The measures without which this row can't be judged."""
        causes = (part for end in ("-readable", "-first", "-p95") if (part := self.measure.removesuffix(end)))
        return {self.measure, *causes, self.measure.partition("-")[0]}


ROWS = (
    Row("import flow, task", "import", "bare", (Ratio(20, "Prefect", ("prefect",)),), at_most=0.090),
    Row(
        "script, one flow and task",
        "cold",
        "bare",
        (Ratio(30, "Prefect", ("prefect",)),),
        at_most=0.35,
        all_recorded=("cold",),
    ),
    Row("... first ever, empty home", "cold-first", "bare", at_most=0.7, all_recorded=("cold-first",)),
    Row("... with a server", "cold", "bare", at_most=0.45, all_recorded=("cold",), subject="headrace-server"),
    Row(
        "tasks in a loop",
        "sequential",
        "sqlite-each",
        (Ratio(50, "Prefect", PREFECT), Ratio(12, "DBOS", ("dbos",))),
        per_second=5000,
        all_recorded=("sequential",),
    ),
    Row("... until all can be read back", "sequential-readable", None, at_most=0.2, all_recorded=("sequential",)),
    Row(
        "... each acknowledged durable",
        "durable-sequential",
        "sqlite-each",
        (Ratio(8, "DBOS", ("dbos",)),),
        per_second=3000,
        all_recorded=("durable-sequential",),
    ),
    Row(
        "tasks submitted at once",
        "fanout",
        None,
        (Ratio(25, "Prefect", PREFECT), Ratio(2, "Ray", ("ray",))),
        per_second=4000,
        all_recorded=("fanout",),
    ),
    Row("... until all can be read back", "fanout-readable", None, at_most=0.2, all_recorded=("fanout",)),
    Row("dispatch, preloaded, p50", "dispatch", None, (Ratio(30, "Prefect", ("prefect-worker",)),), at_most=0.25),
    Row("... p95", "dispatch-p95", at_most=0.6),
    Row("server start", "server-start", at_most=1.0),
    Row("server idle, memory", "server-memory", at_most=90),
    Row("... processor", "server-processor", at_most=0.005),
    Row("worker idle, memory", "worker-memory", at_most=60),
    Row("installed size", "size", at_most=140),
    *(
        Row(
            f"API, 20,000 runs: {each.key}, p50",
            name_read("middle", each.key, "p50"),
            None,
            (Ratio(7, "Prefect", ("prefect-server",)),),
            at_most=each.p50,
        )
        for each in QUESTIONS
        if each.p50 is not None
    ),
    *(
        Row(
            f"API, long history, {kind}: {each.key}, p95",
            name_read("whole", each.key, "p95"),
            at_most=each.p95,
            subject=subject,
        )
        for each in QUESTIONS
        for subject, kind in KINDS.items()
    ),
    *(
        Row(f"a task beside the vacuum, {kind}, p99", "retention-beside-p99", at_most=0.050, subject=subject)
        for subject, kind in KINDS.items()
    ),
    Row("ingest over HTTP, SQLite", "ingest", per_second=10_000),
    Row("... PostgreSQL", "ingest", per_second=7_000, subject="headrace-postgresql"),
    *(
        Row(f"growth of a {what}, {kind}", f"growth-{what}", at_most=1.3, subject=subject)
        for what in ("task", "request")
        for subject, kind in KINDS.items()
    ),
)


@dataclass(frozen=True)
class Verdict:
    """Whether a row was reached, and what was reached in words."""

    word: str
    reached: str


def judge(row: Row, figures: Figures, tasks: int) -> Verdict:
    """Decide a row by its ratios; by its absolute figure where it names no ratio or no peer was measured."""
    ours = figures.spread(row.measure, row.subject)
    if ours is None:
        failed = any(subject == row.subject and measure in row.needs for measure, subject in figures.failures)
        return Verdict("FAIL" if failed else "-", "failed, see below" if failed else "not measured")
    for measure in row.all_recorded:
        lost = figures.lost(measure, row.subject)
        if lost is None or lost.seen < lost.expected:
            return Verdict("FAIL", f"recorded {lost.seen if lost else 0} of {lost.expected if lost else tasks}")
    ratios = [(wanted, figures.ratio(row.measure, row.subject, wanted.references)) for wanted in row.ratios]
    known = [(wanted, spread) for wanted, spread in ratios if spread is not None]
    absolute = is_within(row, ours, tasks)
    if not known:
        return Verdict("pass" if absolute else "FAIL", "no peer measured: by the figure alone" if row.ratios else "")
    passed = all(spread.middle >= wanted.factor for wanted, spread in known)
    reached = ", ".join(f"{spread.middle:.3g}x {wanted.name}" for wanted, spread in known)
    missing = "" if len(known) == len(ratios) else "; a peer is missing"
    return Verdict("pass" if passed else "FAIL", f"{reached}{'' if absolute else '; figure not met'}{missing}")


def is_within(row: Row, ours: Spread, tasks: int) -> bool:
    """Return whether the absolute figure was met."""
    if row.at_most is not None and ours.middle > row.at_most:
        return False
    return row.per_second is None or pace(row.measure, ours.middle, tasks) >= row.per_second


def demand(row: Row) -> str:
    """Return what a row asks for, in words."""
    parts = [f">= {wanted.factor:g}x {wanted.name}" for wanted in row.ratios]
    figure = f"<= {quantity(row.measure, row.at_most, 1)}" if row.at_most is not None else ""
    if row.per_second is not None:
        figure = f">= {row.per_second:,.0f}/s"
    return ", ".join(parts) + (f" ({figure})" if parts else figure)
