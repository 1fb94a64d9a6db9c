"""States of flow and task runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from headrace.base import errors
from headrace.schema.wire import Request, Wire


class StateType(StrEnum):
    """What a run is doing, in nine words; a state's name says it more exactly."""

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"


TERMINAL = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED})
"""The states no run leaves by itself."""


class StateDetails(Wire, kw_only=True, omit_defaults=True):
    """Facts that belong to one state of one run."""

    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    child_flow_run_id: UUID | None = None
    scheduled_time: datetime | None = None
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    deferred: bool | None = False
    untrackable_result: bool = False
    pause_timeout: datetime | None = None
    pause_reschedule: bool = False
    pause_key: str | None = None
    run_input_keyset: dict[str, str] | None = None
    refresh_cache: bool | None = None
    retriable: bool | None = None
    transition_id: UUID | None = None
    task_parameters_id: UUID | None = None
    traceparent: str | None = None
    deployment_concurrency_lease_id: UUID | None = None


class StateCreate(Request, kw_only=True):
    """A state somebody proposes; the orchestrator gives it its id and timestamp."""

    type: StateType
    name: str | None = None
    message: str | None = None
    data: Any = None
    state_details: StateDetails = msgspec.field(default_factory=StateDetails)


class State(Wire, kw_only=True):
    """A state a run is or was in.

    `data` is null or the record that tells where the run's value is kept; inside the process that ran it, `data` is a
    live handle on the value or the exception itself, which `result()` opens.
    """

    type: StateType
    name: str | None = None
    id: UUID | None = None
    timestamp: datetime | UnsetType = UNSET
    message: str | None = None
    data: Any = None
    state_details: StateDetails = msgspec.field(default_factory=StateDetails)

    def __post_init__(self) -> None:
        if self.name is None:
            self.name = self.type.capitalize()

    def __hash__(self) -> int:
        return hash((self.type, self.id))

    def is_scheduled(self) -> bool:
        """Whether the run waits for its time."""
        return self.type is StateType.SCHEDULED

    def is_pending(self) -> bool:
        """Whether the run is about to start."""
        return self.type is StateType.PENDING

    def is_running(self) -> bool:
        """Whether the run is executing."""
        return self.type is StateType.RUNNING

    def is_completed(self) -> bool:
        """Whether the run ended well."""
        return self.type is StateType.COMPLETED

    def is_failed(self) -> bool:
        """Whether the run ended with an error of its own."""
        return self.type is StateType.FAILED

    def is_crashed(self) -> bool:
        """Whether the run was ended from outside."""
        return self.type is StateType.CRASHED

    def is_cancelled(self) -> bool:
        """Whether the run was cancelled."""
        return self.type is StateType.CANCELLED

    def is_cancelling(self) -> bool:
        """Whether the run is being cancelled."""
        return self.type is StateType.CANCELLING

    def is_paused(self) -> bool:
        """Whether the run waits to be resumed."""
        return self.type is StateType.PAUSED

    def is_final(self) -> bool:
        """Whether the run has ended."""
        return self.type in TERMINAL

    def result(self, raise_on_failure: bool = True) -> Any:
        """The run's value.

        With `raise_on_failure` (the default) a run that did not complete raises its own exception, or the `RunError`
        that says how it ended; without it the exception is returned. `MissingResult` is raised when a completed
        run's value was not kept where this process can read it.
        """
        if self.type is StateType.COMPLETED:
            if self.data is None:
                return None
            load = getattr(self.data, "load", None)
            if load is None:
                raise errors.MissingResult(
                    f"{self} has no value in this process; give the task or flow persist_result=True to keep it."
                )
            return load()
        error = self.error()
        if raise_on_failure:
            raise error
        return error

    async def aresult(self, raise_on_failure: bool = True) -> Any:
        """The run's value, read from where it was kept without blocking the running event loop; see `result`."""
        if getattr(self.data, "in_memory", True):
            return self.result(raise_on_failure)
        import asyncio

        return await asyncio.to_thread(self.result, raise_on_failure)

    def error(self) -> BaseException:
        """The exception that tells how a run in this state ended; for a state that is not final, `UnfinishedRun`."""
        if isinstance(self.data, BaseException):
            return self.data
        said = self.data if isinstance(self.data, str) else None
        text = self.message or said or f"The run ended in state {self.name}."
        kinds: dict[StateType, type[errors.RunError]] = {
            StateType.FAILED: errors.FailedRun,
            StateType.CRASHED: errors.CrashedRun,
            StateType.CANCELLED: errors.CancelledRun,
            StateType.CANCELLING: errors.CancelledRun,
            StateType.PAUSED: errors.PausedRun,
        }
        kind = kinds.get(self.type)
        if kind is None:
            return errors.UnfinishedRun(f"The run is {self.name} and has no result yet; wait for it to end.")
        return kind(text)

    def __str__(self) -> str:
        shown = self.name or self.type.capitalize()
        return f"{shown}({self.message!r})" if self.message else f"{shown}()"
