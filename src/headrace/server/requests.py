"""The requests that a process has answered, counted by what was asked and how long it took."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import NamedTuple

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, in seconds, of the classes in which durations of requests are counted."""

NOWHERE = "none"
"""Stands for the route of a request that led to none."""


class Asked(NamedTuple):
    """What was asked and how it was answered. A route is its pattern, so that there are only so many."""

    method: str
    route: str
    status: int


class Requests:
    """The requests that this process has answered. Used from one event loop; read from any thread."""

    def __init__(self) -> None:
        self.counts: dict[Asked, int] = defaultdict(int)
        self.durations: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self.seconds: dict[str, float] = defaultdict(float)

    def note(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Note a request whose answer has begun."""
        route = route or NOWHERE
        self.counts[Asked(method, route, status)] += 1
        self.durations[route][bisect_left(BOUNDS, seconds)] += 1
        self.seconds[route] += seconds
