"""The result as plain text: the budget in one table, every measured subject in a second one, and who keeps what."""

from collections.abc import Iterable

from bench.budget import OTHERS, PREFECT, ROWS, Row, demand, judge
from bench.figures import Figures, Spread
from bench.measures import Run
from bench.quantities import MEASURES, RATES, Unit, duration, quantity, unit_of
from bench.reads import QUESTIONS
from bench.steps import KINDS, make_steps, name_read
from bench.subjects import SUBJECTS, Subject

SIZES = {Unit.MIB, Unit.SHARE}
CLAIM = 2.0
"""A difference below this factor is noise on a shared machine, and is not claimed."""
REPEATS_FOR_A_CLAIM = 3


def align(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines with their columns aligned under a ruled header."""
    rows = [header, *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [texts[0], "  ".join("-" * width for width in widths), *texts[1:]]


def budget_lines(run: Run) -> list[str]:
    """Return the table of the budget, one row of the design a line."""
    header = ("work", "lower bound", "best other peer", "Prefect", "Headrace", "must reach", "reached", "")
    measured = [row for row in ROWS if any(key[0] == row.measure for key in run.figures.samples)]
    return align(header, (budget_line(row, run) for row in measured))


def budget_line(row: Row, run: Run) -> tuple[str, ...]:
    figures = run.figures
    verdict = judge(row, figures, run.tasks)
    title = f"{run.tasks:,} {row.title}" if row.title.startswith("tasks") else row.title
    return (
        title,
        shown(figures, row.measure, (row.bound,) if row.bound else (), run.tasks, named=False),
        shown(figures, row.measure, OTHERS, run.tasks, named=True),
        shown(figures, row.measure, row.references("Prefect") or PREFECT, run.tasks, named=False),
        shown(figures, row.measure, (row.subject,), run.tasks, named=False),
        demand(row),
        verdict.reached,
        verdict.word,
    )


def shown(figures: Figures, measure: str, keys: tuple[str, ...], tasks: int, *, named: bool) -> str:
    """Return the fastest of these subjects, with its name if asked."""
    spreads = [(spread.middle, key) for key in keys if (spread := figures.spread(measure, key))]
    if not spreads:
        return "-"
    best, key = min(spreads)
    title = next(subject.title for subject in SUBJECTS if subject.key == key)
    return f"{title} {quantity(measure, best, tasks)}" if named else quantity(measure, best, tasks)


def detail_lines(run: Run, subjects: Iterable[Subject]) -> list[str]:
    """Return every measured subject with its median, extremes, what was recorded, and Headrace's distance."""
    header = ("", "median", "min", "max", "recorded", "Headrace is")
    lines: list[tuple[str, ...]] = []
    for measure, about in MEASURES.items():
        found = [line for subject in subjects if (line := detail_line(run, measure, subject))]
        if found:
            lines.append((about.title.upper(), "", "", "", "", ""))
            lines.extend(found)
    return ["Everything measured", "", *align(header, lines), ""] if lines else []


def detail_line(run: Run, measure: str, subject: Subject) -> tuple[str, ...] | None:
    figures = run.figures
    lost = figures.lost(measure.removesuffix("-readable"), subject.key)
    recorded = f"{lost.seen:,} of {lost.expected:,}" if lost else "-"
    spread = figures.spread(measure, subject.key)
    if spread is None:
        if (measure, subject.key) in figures.failures:
            return (f"  {subject.title}", "failed", "", "", "", "see below")
        if lost and measure.endswith("-readable"):
            return (f"  {subject.title}", "never", "", "", recorded, "")
        return None
    extremes = sorted((spread.least, spread.most), reverse=unit_of(measure) in RATES)
    return (
        f"  {subject.title}",
        *(quantity(measure, seconds, run.tasks) for seconds in (spread.middle, *extremes)),
        recorded,
        claim(figures, measure, subject),
    )


def claim(figures: Figures, measure: str, subject: Subject) -> str:
    """Return how far Headrace is from a peer, if every repeat says the same."""
    if subject.peer in {"headrace", "bare"} or measure.endswith("-readable"):
        return ""
    ratio = figures.ratio(measure, "headrace", (subject.key,))
    if ratio is None:
        return ""
    better, worse = ("smaller", "larger") if unit_of(measure) in SIZES else ("faster", "slower")
    if ratio.least >= CLAIM:
        return f"{ratio.middle:.3g}x {better}{extremes_of(ratio)}"
    if ratio.most <= 1 / CLAIM:
        return f"{1 / ratio.middle:.3g}x {worse}"
    return f"about even (less than {CLAIM:g}x)"


def extremes_of(ratio: Spread) -> str:
    return f" ({ratio.least:.3g} to {ratio.most:.3g})" if ratio.least != ratio.most else ""


def read_lines(run: Run, history: int) -> list[str]:
    """Return the table of the reads: a question on one kind of database a line, each step of the history two columns."""
    steps = make_steps(history)
    header = ("over HTTP", *(f"{step.flow_runs:,} runs: {end}" for step in steps for end in ("p50", "p95")))
    lines: list[tuple[str, ...]] = []
    for subject, kind in {**KINDS, "prefect-server": "Prefect"}.items():
        for question in QUESTIONS:
            names = [name_read(step.key, question.key, end) for step in steps for end in ("p50", "p95")]
            spreads = [run.figures.spread(name, subject) for name in names]
            if any(spreads):
                cells = [duration(spread.middle) if spread else "-" for spread in spreads]
                lines.append((f"{kind}: {question.title}", *cells))
    return ["Reads", "", *align(header, lines), ""] if lines else []


def failure_lines(figures: Figures) -> list[str]:
    """Return each failure's reason once, with the places it struck."""
    places: dict[str, list[str]] = {}
    for (measure, subject), reason in figures.failures.items():
        places.setdefault(reason, []).append(f"{subject}: {measure}")
    return [f"  {', '.join(struck)}\n      {reason}" for reason, struck in places.items()]


def render(run: Run, subjects: tuple[Subject, ...], history: int) -> str:
    """Return the whole report."""
    parts = [
        f"The budget ({run.repeats} repeats, medians; ratios repeat by repeat)",
        "",
        *budget_lines(run),
        "",
        *detail_lines(run, subjects),
        *read_lines(run, history),
        "What each keeps",
        "",
        *(f"  {subject.title:<28}{subject.durability}" for subject in subjects if subject.peer in run.interpreters),
    ]
    parts += [f"  {peer:<28}NOT MEASURED: {reason}" for peer, reason in run.unavailable.items()]
    if run.figures.failures:
        parts += ["", "What failed", "", *failure_lines(run.figures)]
    if run.repeats < REPEATS_FOR_A_CLAIM:
        parts += ["", f"Fewer than {REPEATS_FOR_A_CLAIM} repeats: an indication, no claim."]
    return "\n".join(parts)
