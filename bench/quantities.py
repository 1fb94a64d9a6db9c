"""What is measured, in which unit, and how a figure is shown. Of every figure, less is better."""

from dataclasses import dataclass
from enum import Enum, auto


class Unit(Enum):
    """How a figure is kept and shown."""

    SECONDS = auto()
    TASKS = auto()
    """The seconds of all tasks, shown as tasks a second."""
    FACTS = auto()
    """The seconds of one fact, shown as facts a second."""
    RUNS = auto()
    """The seconds of one flow run, shown as runs a second."""
    MIB = auto()
    SHARE = auto()
    """Of one core."""
    TIMES = auto()


RATES = {Unit.TASKS, Unit.FACTS, Unit.RUNS}


@dataclass(frozen=True)
class Measure:
    """What one figure is about."""

    title: str
    unit: Unit = Unit.SECONDS


DISPATCH = {
    "dispatch": "flow run of a deployment: from its creation being accepted to the first line of user code",
    "dispatch-clone": "... with a git clone from a local repository as its pull step",
    "dispatch-libraries": "... of a flow that imports pandas and xgboost",
    "dispatch-preloaded": "... of the same flow, the worker started with --preload pandas --preload xgboost",
}

MEASURES = {
    "import": Measure("import"),
    "cold": Measure("script with one flow and task, warm"),
    "cold-first": Measure("script with one flow and task, first ever on an empty home"),
    "sequential": Measure("tasks in a loop", Unit.TASKS),
    "sequential-readable": Measure("... from the end of the last one until all can be read back"),
    "fanout": Measure("tasks submitted at once", Unit.TASKS),
    "fanout-readable": Measure("... from the end of the last one until all can be read back"),
    "durable-sequential": Measure("tasks in a loop, each acknowledged durable", Unit.TASKS),
    "durable-fanout": Measure("tasks submitted at once, each acknowledged durable", Unit.TASKS),
    "server-first": Measure("server start until it answers, first ever on an empty home"),
    "server-start": Measure("server start until it answers"),
    "server-memory": Measure("server idle: memory (PSS of all its processes)", Unit.MIB),
    "server-processor": Measure("server idle: processor time", Unit.SHARE),
    "worker-memory": Measure("worker idle: memory (PSS of the worker and all that it started)", Unit.MIB),
    "worker-processor": Measure("worker idle: processor time", Unit.SHARE),
    **{
        f"{name}{end}": Measure(f"{title}, {percentile}")
        for name, title in DISPATCH.items()
        for end, percentile in (("", "p50"), ("-p95", "p95"))
    },
    "ingest": Measure("facts delivered over HTTP, one writer", Unit.FACTS),
    "served": Measure("tasks in a loop through a server", Unit.TASKS),
    "retention-alone": Measure("a task acknowledged durable through a server on the whole history, p50"),
    "retention-alone-p99": Measure("... p99"),
    "retention-beside": Measure("... while the vacuum deletes, p50"),
    "retention-beside-p99": Measure("... p99"),
    "retention-pace": Measure("flow runs with all they left, deleted meanwhile", Unit.RUNS),
    "size": Measure("installed size, byte code included", Unit.MIB),
    "growth-task": Measure("cost of a task through a server, at 100 times the history", Unit.TIMES),
    "growth-request": Measure(
        "cost of a request, at 100 times the history; the worse of newest and run by id", Unit.TIMES
    ),
}
"""Every measure but the reads of a history, which have a table of their own."""


def unit_of(measure: str) -> Unit:
    """Return the unit of a measure."""
    return MEASURES[measure].unit if measure in MEASURES else Unit.SECONDS


def pace(measure: str, figure: float, tasks: int) -> float:
    """Return how many tasks, facts or runs a second a figure stands for."""
    return (tasks if unit_of(measure) is Unit.TASKS else 1) / figure


def duration(seconds: float) -> str:
    """Return a duration with three significant digits."""
    if seconds >= 1:
        return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:.0f} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def quantity(measure: str, figure: float, tasks: int) -> str:
    """Return a figure in the unit of its measure, with three significant digits."""
    match unit_of(measure):
        case Unit.TASKS | Unit.FACTS | Unit.RUNS:
            return f"{float(f'{pace(measure, figure, tasks):.3g}'):,.0f}/s"
        case Unit.MIB:
            return f"{figure:.3g} MiB"
        case Unit.SHARE:
            return f"{figure * 100:.2g} %"
        case Unit.TIMES:
            return f"{figure:.3g}x"
        case Unit.SECONDS:
            return duration(figure)
