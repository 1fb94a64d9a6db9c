"""What a browser asks a server for, over HTTP."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bench.calls import Api

SAMPLES = 20
"""Of each question, in turn with the others."""

FAILED = ("FAILED", "CRASHED")
MOVING = ("RUNNING", "PENDING", "PAUSED", "CANCELLING", "COMPLETED")


@dataclass(frozen=True)
class Question:
    """What is asked, and the limits of the budget: of the median at 20,000 runs (if any), of the 95th percentile beyond."""

    key: str
    title: str
    p50: float | None
    p95: float
    keeps: bool = False
    """The answer is as long whatever the history."""


QUESTIONS = (
    Question("newest", "newest 50 flow runs", 0.005, 0.050, keeps=True),
    Question("page", "page 100 of 50 flow runs", 0.005, 0.050),
    Question("run", "flow run by id", 0.002, 0.050, keeps=True),
    Question("history", "history of 7 days", 0.010, 0.150),
    Question("dashboard", "dashboard: its nine calls one after another", 0.010, 0.150),
    Question("filtered", "newest 50 failed flow runs with a tag", None, 0.050),
    Question("counts", "counts: flow runs and task runs, all and completed, one after another", None, 0.150),
)


class Browser:
    """Asks as the pages of the UI do."""

    def __init__(self, api: Api, random: Random) -> None:
        self._api = api
        self._random = random
        self._ids = [run["id"] for run in self._list(limit=200)]
        self._asked: dict[str, Callable[[], Any]] = {
            "newest": lambda: self._list(limit=50),
            "page": lambda: self._list(limit=50, offset=99 * 50),
            "run": lambda: api.get(f"/flow_runs/{random.choice(self._ids)}"),
            "history": lambda: self._history(timedelta(days=7), 7200),
            "dashboard": self._dashboard,
            "filtered": lambda: self._list(FAILED, "ID_DESC", "prod", limit=50),
            "counts": self._count,
        }

    def measure(self) -> dict[str, list[float]]:
        """Ask each question several times, in turn, and return the seconds."""
        found: dict[str, list[float]] = {key: [] for key in self._asked}
        for ask in self._asked.values():
            ask()
        for _ in range(SAMPLES):
            for key, ask in self._asked.items():
                begin = time.perf_counter()
                ask()
                found[key].append(time.perf_counter() - begin)
        return found

    def _list(
        self, states: tuple[str, ...] = (), sort: str = "START_TIME_DESC", tag: str = "", **page: int
    ) -> list[dict[str, Any]]:
        wanted: dict[str, Any] = {"state": {"type": {"any_": states}}} if states else {}
        if tag:
            wanted["tags"] = {"all_": [tag]}
        return self._api.post("/flow_runs/filter", {"flow_runs": wanted or None, "sort": sort, **page})

    def _count(self) -> None:
        for kind in ("flow_runs", "task_runs"):
            for wanted in (None, {"state": {"type": {"any_": ["COMPLETED"]}}}):
                self._api.post(f"/{kind}/count", {kind: wanted})

    def _history(self, span: timedelta, interval: int) -> Any:
        now = datetime.now(UTC)
        told = {"history_start": (now - span).isoformat(), "history_end": now.isoformat()}
        return self._api.post("/flow_runs/history", {**told, "history_interval_seconds": interval})

    def _dashboard(self) -> None:
        """Make the calls of the page `Overview`, as it is first shown. A browser makes some of them at the same time."""
        self._list(sort="ID_DESC", limit=1, offset=0)
        self._history(timedelta(days=1), 1800)
        for states, sort, limit in (
            (FAILED, "END_TIME_DESC", 5),
            (MOVING, "START_TIME_DESC", 7),
            (("SCHEDULED",), "EXPECTED_START_TIME_ASC", 7),
        ):
            flows = sorted({run["flow_id"] for run in self._list(states, sort, limit=limit, offset=0)})
            self._api.post("/flows/filter", {"flows": {"id": {"any_": flows}}, "limit": 200})
        self._api.post("/work_pools/filter", {"offset": 0, "limit": 6})
