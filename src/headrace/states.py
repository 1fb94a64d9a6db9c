"""States of runs: their types, constructors for those a function may want to return, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from headrace.base import clock, errors
from headrace.engine.logs import describe_error
from headrace.engine.outcomes import state_from_value, waits_for
from headrace.engine.results import Result
from headrace.rules.transitions import (
    AWAITING_RETRY,
    AWAITING_SLOT,
    CACHED,
    INFRASTRUCTURE_PENDING,
    LATE,
    RETRYING,
    SUBMITTING,
    SUSPENDED,
)
from headrace.schema.state import State, StateDetails, StateType

__all__ = [
    "AwaitingConcurrencySlot", "AwaitingRetry", "Cached", "Cancelled", "Cancelling", "Completed", "Crashed", "Failed",
    "InfrastructurePending", "Late", "Paused", "Pending", "Retrying", "Running", "Scheduled", "State", "StateDetails",
    "StateGroup", "StateType", "Submitting", "Suspended", "exception_to_crashed_state", "exception_to_failed_state",
    "get_state_exception", "get_state_result", "is_state", "is_state_iterable", "raise_state_exception",
    "return_value_to_state",
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


def AwaitingConcurrencySlot(scheduled_time: datetime | None = None, message: str | None = None) -> State:  # noqa: N802
    """In line for a slot of a concurrency limit, to be looked at again at a time."""
    return Scheduled(scheduled_time, AWAITING_SLOT, message)


def Pending(message: str | None = None, name: str | None = None) -> State:  # noqa: N802
    """About to start."""
    return _state(StateType.PENDING, name, message, None)


def Submitting(message: str | None = None) -> State:  # noqa: N802
    """Taken by a worker, which is about to start something for it to run in."""
    return Pending(message, SUBMITTING)


def InfrastructurePending(message: str | None = None) -> State:  # noqa: N802
    """What it is to run in has been asked for and has not started yet."""
    return Pending(message, INFRASTRUCTURE_PENDING)


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


def is_state(value: object) -> TypeGuard[State]:
    """Whether it is a state."""
    return isinstance(value, State)


def is_state_iterable(value: object) -> TypeGuard[Iterable[State]]:
    """Whether it is a list, tuple or set of states, one at least."""
    return isinstance(value, (list, tuple, set, frozenset)) and bool(value) and all(map(is_state, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def get_state_result(state: State, raise_on_failure: bool = True) -> Any:
    """The value of a run that ended in this state; see `State.result`."""
    return state.result(raise_on_failure)


def get_state_exception(state: State) -> BaseException:
    """The exception that tells how a run ended in this state. Raises `UsageError` for a state in which nothing failed."""
    if not (state.is_failed() or state.is_crashed() or state.is_cancelled()):
        raise errors.UsageError(f"Expected a state that is failed, crashed or cancelled, not {state}.")
    return state.error()


def raise_state_exception(state: State) -> None:
    """Raise the exception of a run that failed, crashed or was cancelled; any other state is let pass."""
    if state.is_failed() or state.is_crashed() or state.is_cancelled():
        raise state.error()


def exception_to_failed_state(exception: BaseException, message: str | None = None, name: str | None = None) -> State:
    """The state in which a run ends whose own code raised."""
    return Failed(describe_error(exception) if message is None else message, exception, name)


def exception_to_crashed_state(exception: BaseException) -> State:
    """The state in which a run ends that something from outside interrupted."""
    return Crashed(f"Execution was interrupted by {type(exception).__name__}.", exception)


def return_value_to_state(value: Any) -> State:
    """The state in which a run ends whose function returned this value, once the futures in it have ended.

    A state decides alone; several decide together; anything else is the value of a run that completed.
    """
    for future in waits_for(value):
        future.wait()
    decided = state_from_value(value, Result)
    decided.timestamp = clock.now()
    return decided


class StateGroup:
    """Several states, to be judged together."""

    def __init__(self, states: Iterable[State]) -> None:
        self.states = [*states]
        self.total_count = len(self.states)
        self.cancelled_count = sum(state.is_cancelled() for state in self.states)
        self.final_count = sum(state.is_final() for state in self.states)
        self.not_final_count = self.total_count - self.final_count
        self.paused_count = sum(state.is_paused() for state in self.states)

    @property
    def fail_count(self) -> int:
        """How many failed or crashed."""
        return sum(state.is_failed() or state.is_crashed() for state in self.states)

    def all_completed(self) -> bool:
        """Whether all ended well."""
        return all(state.is_completed() for state in self.states)

    def any_cancelled(self) -> bool:
        """Whether one was cancelled."""
        return self.cancelled_count > 0

    def any_failed(self) -> bool:
        """Whether one failed or crashed."""
        return self.fail_count > 0

    def all_final(self) -> bool:
        """Whether all have ended."""
        return self.final_count == self.total_count

    def any_paused(self) -> bool:
        """Whether one waits to be resumed."""
        return self.paused_count > 0

    def counts_message(self) -> str:
        """How many there are of each type, in words."""
        kinds = [state.type for state in self.states]
        told = [f"{kinds.count(kind)} {kind.lower()}" for kind in StateType if kind in kinds]
        return f"{self.total_count} states: {', '.join(told) or 'none'}"

    def __repr__(self) -> str:
        return f"StateGroup<{self.counts_message()}>"
