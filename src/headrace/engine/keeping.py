"""How a value is kept that a run returned. No I/O: see `commands`."""

from __future__ import annotations

from headrace.base.errors import SerializationError
from headrace.engine.commands import Ask, Lifecycle
from headrace.engine.logs import RunLogger
from headrace.engine.requests import StoreResult
from headrace.engine.results import Result

AGAIN = "Its value cannot be kept, so after a crash it would run again: %s"


def keep(store: StoreResult, tolerant: bool, log: RunLogger, otherwise: str = AGAIN) -> Lifecycle[Result]:
    """Keep the value and return the live handle on it.

    Raises `SerializationError` when it cannot be kept; with `tolerant`, for a value that nobody asked to have kept, the run
    goes on without, and its log says what comes of that: `otherwise`.
    """
    try:
        result: Result = yield Ask(store)
    except SerializationError as error:
        if not tolerant:
            raise
        log.warning(otherwise, error)
        return Result(store.value)
    return result
