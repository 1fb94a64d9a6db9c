"""Fixtures of unit tests in several rooms."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Iterator

import pytest

from headrace.engine import logs


@pytest.fixture
def quiet_logging() -> Iterator[None]:
    """Leave logging, and `print`, as they were found."""
    names = (logs.ROOT, logs.FLOW_RUNS, logs.TASK_RUNS)
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    configured, logs._configured = logs._configured, False  # pyright: ignore[reportPrivateUsage]
    original_print = builtins.print
    yield
    logs._configured = configured  # pyright: ignore[reportPrivateUsage]
    builtins.print = original_print
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate
