"""Fixtures of unit tests in several rooms."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Iterator

import pytest

from headrace.engine import logs


@pytest.fixture(autouse=True)
def quiet_logging() -> Iterator[None]:
    """Leave logging, and `print`, as they were found; meanwhile nobody else's handlers hear anything."""
    names = (logs.ROOT, logs.FLOW_RUNS, logs.TASK_RUNS)
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers.clear()
    configured, logs._configured = logs._configured, False  # pyright: ignore[reportPrivateUsage]
    original_print = builtins.print
    yield
    logs._configured = configured  # pyright: ignore[reportPrivateUsage]
    builtins.print = original_print
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate
