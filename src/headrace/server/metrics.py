"""Metrics in the form that Prometheus reads: what this process has answered, and what the database holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from headrace.base import clock
from headrace.base.errors import HeadraceError
from headrace.orchestration.measures import Measures
from headrace.server.requests import BOUNDS, Requests

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class Metrics:
    """Everything that is told of a server. `measure` counts in the database; None where nobody can."""

    def __init__(self, version: str, database: str, measure: Callable[[], Measures] | None = None) -> None:
        self.requests = Requests()
        self._version = version
        self._database = database
        self._measure = measure
        self._process = str(os.getpid())

    def write(self, accepted: str = "") -> tuple[bytes, str]:
        """All metrics as text, in the form of a scraper's `Accept` header, and the type of the content."""
        # Imported when somebody asks: a server that nobody watches does without.
        from prometheus_client import CollectorRegistry, ProcessCollector
        from prometheus_client.exposition import choose_encoder

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)  # pyright: ignore[reportArgumentType] - a collector is what collects
        ProcessCollector(registry=registry)
        encode, content_type = choose_encoder(accepted)
        return encode(registry), content_type

    def collect(self) -> Iterator[Metric]:
        """The families of metrics."""
        from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

        yield InfoMetricFamily(
            "headrace", "The server that answers.", {"version": self._version, "database": self._database}
        )
        yield from self._collect_requests()
        measures: Measures | None = None
        if self._measure is not None:
            try:
                measures = self._measure()
            except HeadraceError:
                measures = None
        up = GaugeMetricFamily("headrace_database_up", "Whether the database answers.")
        up.add_metric([], float(measures is not None))
        yield up
        if measures is not None:
            yield from _collect_runs(measures)
            yield from _collect_loops(measures)
            yield _gauge("headrace_database_size_bytes", "What the database takes up.", measures.size)
            yield _gauge("headrace_database_read_seconds", "How long it took to count all this.", measures.took)

    def _collect_requests(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        counts = CounterMetricFamily(
            "headrace_requests", "Requests that were answered.", labels=["process", "method", "route", "status"]
        )
        for asked, count in sorted(self.requests.counts.copy().items()):
            counts.add_metric([self._process, asked.method, asked.route, str(asked.status)], count)
        yield counts
        times = HistogramMetricFamily(
            "headrace_request_seconds", "Time until the answer begins.", labels=["process", "route"]
        )
        for route, classes in sorted(self.requests.durations.copy().items()):
            buckets: list[tuple[str, float]] = []
            total = 0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), [*classes], strict=True):
                total += count
                buckets.append((bound, total))
            times.add_metric([self._process, route], buckets, self.requests.seconds[route])
        yield times


def _collect_runs(measures: Measures) -> Iterator[Metric]:
    yield _gauges(
        "headrace_flow_runs", "Flow runs that have not ended.", ["state"], {(k,): v for k, v in measures.alive.items()}
    )
    yield _gauges(
        "headrace_flow_runs_ended",
        "Flow runs that ended within the last hour.",
        ["state"],
        {(k,): v for k, v in measures.ended.items()},
    )
    places = ["work_pool", "work_queue"]
    yield _gauges(
        "headrace_queue_depth",
        "Runs that are due and that nobody has taken.",
        places,
        {(each.pool, each.queue): each.runs for each in measures.waiting},
    )
    yield _gauges(
        "headrace_queue_wait_seconds",
        "How long the first of them has waited.",
        places,
        {(each.pool, each.queue): each.longest / 1_000_000 for each in measures.waiting},
    )
    yield _gauges(
        "headrace_workers",
        "Workers, by whether they have shown themselves lately.",
        ["work_pool", "status"],
        {(pool, "online" if online else "offline"): count for (pool, online), count in measures.workers.items()},
    )


def _collect_loops(measures: Measures) -> Iterator[Metric]:
    now = clock.now()
    told: tuple[tuple[str, str, Callable[[Any], float | None]], ...] = (
        ("headrace_loop_lag_seconds", "How much later than it should the last look of a loop began.", lambda x: x.lag),
        ("headrace_loop_look_seconds", "How long the last look of a loop took.", lambda x: x.took),
        (
            "headrace_loop_idle_seconds",
            "How long ago a loop's process last showed that it lives.",
            lambda x: (now - x.last_seen).total_seconds(),
        ),
        ("headrace_loop_failing", "Whether the last look of a loop failed.", lambda x: float(x.error is not None)),
        ("headrace_loop_done", "How much there was to do for a loop since its process has it.", lambda x: x.done),
    )
    for name, what, read in told:
        found = {(loop.name,): value for loop in measures.loops if (value := read(loop)) is not None}
        yield _gauges(name, what, ["loop"], found)


def _gauge(name: str, what: str, value: float) -> Metric:
    return _gauges(name, what, [], {(): value})


def _gauges(name: str, what: str, labels: list[str], values: dict[tuple[str, ...], float]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, what, labels=labels)
    for label, value in sorted(values.items()):
        family.add_metric(label, value)
    return family
