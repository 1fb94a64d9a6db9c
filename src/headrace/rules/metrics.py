"""Figures of flow runs, and what triggers that watch them make of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from headrace.rules.windows import SECOND, Mood
from headrace.schema.action import read_seconds
from headrace.schema.state import StateType
from headrace.schema.trigger import Metric, MetricQuery

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ENDED = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CRASHED})
"""What tells of success or failure; whoever cancels a run tells of neither."""


class Measured(NamedTuple):
    """What a figure needs of a flow run; instants and durations in microseconds."""

    state: StateType | None
    expected: int | None
    started: int | None
    ended: int | None
    ran: int


class Watching(Struct, omit_defaults=True):
    """Where a metric trigger stands: since when its condition has held, and whether it has fired for that."""

    since: int
    fired: bool = False


class Reading(NamedTuple):
    """Where a metric trigger stands after a look, and what it says."""

    watching: Watching | None
    says: Mood | None = None


def measure(metric: Metric, runs: Sequence[Measured], now: int) -> float | None:
    """The figure over some runs: seconds on average, or the share that succeeded; None where no run tells.

    A run that waits past its time is as late as it has waited.
    """
    values: list[float] = []
    for run in runs:
        if metric == Metric.lateness:
            if run.expected is not None and (run.started is not None or run.expected < now):
                values.append(max(0, (now if run.started is None else run.started) - run.expected) / SECOND)
        elif run.state in ENDED:
            values.append(run.ran / SECOND if metric == Metric.duration else float(run.state == StateType.COMPLETED))
    return sum(values) / len(values) if values else None


def meets(query: MetricQuery, figure: float | None) -> bool:
    """Whether a figure meets the condition; none does not."""
    threshold = query.threshold
    if query.name == Metric.successes and threshold > 1:
        threshold /= 100
    return figure is not None and COMPARISONS[query.operator](figure, threshold)


def look(query: MetricQuery, watching: Watching | None, figure: float | None, now: int) -> Reading:
    """What a look at the figure makes of it."""
    if not meets(query, figure):
        return Reading(None, "Resolved" if watching is not None and watching.fired else None)
    watching = watching or Watching(now)
    lasted = now - watching.since >= read_seconds(query.firing_for, "firing_for") * SECOND
    if lasted and not watching.fired:
        return Reading(Watching(watching.since, fired=True), "Triggered")
    return Reading(watching)
