"""Figures of runs, and what is made of them."""

from typing import Any

import pytest

from headrace.rules.metrics import Measured, Watching, look, measure, meets
from headrace.rules.windows import SECOND
from headrace.schema.state import StateType
from headrace.schema.trigger import Metric, MetricQuery


def run(state: StateType | None = StateType.COMPLETED, **what: Any) -> Measured:
    seconds = {"expected": 0, "started": 2, "ended": 5, "ran": 3, **what}
    times: dict[str, Any] = {name: None if at is None else at * SECOND for name, at in seconds.items()}
    return Measured(state, **times)


FAILED, CANCELLED, WAITING = run(StateType.FAILED, ran=5), run(StateType.CANCELLED, ran=99), StateType.SCHEDULED


@pytest.mark.parametrize(
    ("metric", "runs", "figure"),
    [
        (Metric.duration, [run(), FAILED, CANCELLED], 4.0),
        (Metric.successes, [run(), run(), run(StateType.CRASHED), FAILED, CANCELLED], 0.5),
        (Metric.successes, [CANCELLED, run(StateType.RUNNING), run(None)], None),
        (Metric.lateness, [run(), run(started=4)], 3.0),
        (Metric.lateness, [run(WAITING, expected=4, started=None), run(WAITING, expected=11, started=None)], 6.0),
        (Metric.lateness, [run(expected=None), run(expected=3, started=2)], 0.0),
        (Metric.lateness, [run(expected=None)], None),
        (Metric.duration, [], None),
    ],
)
def test_a_figure_is_taken_of_the_runs_that_tell(metric: Metric, runs: list[Measured], figure: float | None) -> None:
    assert measure(metric, runs, 10 * SECOND) == figure


@pytest.mark.parametrize(
    ("name", "operator", "threshold", "figure", "met"),
    [
        ("duration", "<", 5, 4.9, True),
        ("duration", "<", 5, 5, False),
        ("duration", "<=", 5, 5, True),
        ("lateness", ">", 5, 5, False),
        ("lateness", ">=", 5, 5, True),
        ("lateness", ">=", 5, None, False),
        ("successes", "<", 0.9, 0.89, True),
        ("successes", "<", 90, 0.89, True),
        ("successes", "<", 90, 0.91, False),
        ("successes", ">=", 1, 1.0, True),
    ],
)
def test_a_condition_is_met_or_not(name: str, operator: Any, threshold: float, figure: float | None, met: bool) -> None:
    assert meets(MetricQuery(name=Metric(name), operator=operator, threshold=threshold), figure) is met


def test_what_has_lasted_fires_once_and_is_over_once() -> None:
    query = MetricQuery(name=Metric.duration, operator=">", threshold=5, firing_for=30)
    said: list[tuple[int, str | None]] = []
    watching: Watching | None = None
    for second, figure in ((0, 9.0), (29, 9.0), (30, 9.0), (40, 9.0), (50, 4.0), (60, 4.0), (61, 9.0), (62, None)):
        watching, says = look(query, watching, figure, second * SECOND)
        said.append((second, says))
    assert [each for each in said if each[1]] == [(30, "Triggered"), (50, "Resolved")]
    assert watching is None
