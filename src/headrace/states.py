"""States of runs: their types, and constructors for those a function may want to return."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from headrace.base import clock
from headrace.engine.results import Result
from headrace.rules.transitions import AWAITING_RETRY, CACHED, LATE, RETRYING, SUSPENDED
from headrace.schema.state import State, StateDetails, StateType

__all__ = [
    "AwaitingRetry", "Cached", "Cancelled", "Cancelling", "Completed", "Crashed", "Failed", "Late", "Paused", "Pending",
    "Retrying", "Running", "Scheduled", "State", "StateDetails", "StateType", "Suspended",
]  # fmt: skip


def _state(
    kind: StateType, name: str | None, message: str | None, data: Any, details: StateDetails | None = None
) -> State:
    if kind is StateType.COMPLETED and data is not None:
        data = Result(data)
    return State(
        type=kind, name=name, message=message, data=data, state_details=details or StateDetails(), timestamp=clock.now()
    )


def Scheduled(scheduled_time: datetime | None = None, name: str | None = None, message: str | None = None) -> State:  # noqa: N802
    """Waiting for a time; by default now."""
    details = StateDetails(scheduled_time=scheduled_time or clock.now())
    return _state(StateType.SCHEDULED, name, message, None, details)


def Late(scheduled_time: datetime | None = None, message: str | None = None) -> State:  # noqa: N802
    """Scheduled, its time passed, not started."""
    return Scheduled(scheduled_time, LATE, message)


def AwaitingRetry(scheduled_time: datetime | None = None, message: str | None = None) -> State:  # noqa: N802
    """Failed and to be tried again at a time."""
    return Scheduled(scheduled_time, AWAITING_RETRY, message)


def Pending(message: str | None = None, name: str | None = None) -> State:  # noqa: N802
    """About to start."""
    return _state(StateType.PENDING, name, message, None)


def Running(message: str | None = None, name: str | None = None) -> State:  # noqa: N802
    """Executing."""
    return _state(StateType.RUNNING, name, message, None)


def Retrying(message: str | None = None) -> State:  # noqa: N802
    """Executing again after a failure."""
    return Running(message, RETRYING)


def Completed(message: str | None = None, data: Any = None, name: str | None = None) -> State:  # noqa: N802
    """Ended well, with `data` as its value."""
    return _state(StateType.COMPLETED, name, message, data)


def Cached(message: str | None = None, data: Any = None) -> State:  # noqa: N802
    """Ended well with a value that was known already."""
    return Completed(message, data, CACHED)


def Failed(message: str | None = None, data: BaseException | None = None, name: str | None = None) -> State:  # noqa: N802
    """Ended with an error, `data` being the exception if there is one."""
    return _state(StateType.FAILED, name, message, data)


def Crashed(message: str | None = None, data: BaseException | None = None, name: str | None = None) -> State:  # noqa: N802
    """Ended from outside."""
    return _state(StateType.CRASHED, name, message, data)


def Cancelling(message: str | None = None, name: str | None = None) -> State:  # noqa: N802
    """Being cancelled."""
    return _state(StateType.CANCELLING, name, message, None)


def Cancelled(message: str | None = None, name: str | None = None) -> State:  # noqa: N802
    """Cancelled."""
    return _state(StateType.CANCELLED, name, message, None)


def Paused(message: str | None = None, timeout_seconds: float | None = None) -> State:  # noqa: N802
    """Waiting to be resumed, for `timeout_seconds` at most."""
    limit = None if timeout_seconds is None else clock.now() + timedelta(seconds=timeout_seconds)
    return _state(StateType.PAUSED, None, message, None, StateDetails(pause_timeout=limit))


def Suspended(message: str | None = None) -> State:  # noqa: N802
    """Paused without a process."""
    return _state(StateType.PAUSED, SUSPENDED, message, None, StateDetails(pause_reschedule=True))
