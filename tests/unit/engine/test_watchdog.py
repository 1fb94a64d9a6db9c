"""Who watches over a process is told of its time limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from headrace.engine.flow_definition import Flow
from headrace.engine.watchdog import set_watchdog, watched
from tests.unit.engine.conftest import Stage


@pytest.fixture
def told() -> Iterator[list[float]]:
    limits: list[float] = []
    set_watchdog(limits.append)
    yield limits
    set_watchdog(None)


def test_the_next_limit_is_told_and_then_none(told: list[float]) -> None:
    now = time.monotonic()
    with watched(60), watched(None), watched(3600):
        pass
    first, second, third, last = told
    assert now + 59 < first < now + 120
    assert first == second == third
    assert last == 0.0


def test_nobody_is_told_where_nobody_watches() -> None:
    with watched(60):
        pass


def test_who_stops_watching_meanwhile_is_told_no_more(told: list[float]) -> None:
    with watched(60):
        set_watchdog(None)
    assert len(told) == 1


def test_the_limits_of_runs_are_told(stage: Stage, told: list[float]) -> None:
    now = time.monotonic()
    assert Flow(lambda: 1, name="blocks", timeout_seconds=60)() == 1
    assert told[0] > now + 59
    assert told[-1] == 0.0
    told.clear()

    async def awaits() -> int:
        return 2

    assert asyncio.run(Flow(awaits, timeout_seconds=60)()) == 2
    assert told[0] > now + 59
    assert told[-1] == 0.0
