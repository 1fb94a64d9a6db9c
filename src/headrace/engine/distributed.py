"""Futures of runs that other processes execute."""

from __future__ import annotations

import concurrent.futures
import contextlib
from typing import Any, TypeVar
from uuid import UUID

from headrace.base import errors
from headrace.engine.futures import Future
from headrace.engine.results import Result
from headrace.engine.session import Session, current_session
from headrace.rules.transitions import NOT_READY
from headrace.schema.state import State, StateType

R = TypeVar("R")


class DistributedFuture(Future[R]):
    """A task run that was deferred: a task worker executes it. It can be pickled, and waited for in any process.

    The live channel tells of the run's end; its value is read from where the worker kept it.
    """

    __slots__ = ("_session",)

    def __init__(self, task_run_id: UUID, name: str) -> None:
        super().__init__(task_run_id, name)
        self._session: Session | None = None

    @property
    def state(self) -> State:
        """The state the run is in now."""
        if self._state is not None:
            return self._state
        session = current_session()
        return session.patiently(lambda: self._see(session))

    def attend(self) -> concurrent.futures.Future[State]:
        """See that the end is heard of here, and return what tells of it."""
        session = current_session()
        if self._session is not session and self._state is None:
            self._session = session
            session.live.follow(self.task_run_id, lambda: self._look(session))
            with contextlib.suppress(errors.GatewayError):
                self._see(session)  # it may have ended before anybody listened
        return super().attend()

    def done(self) -> bool:
        """Whether the run has ended."""
        if self._state is None:
            session = current_session()
            session.patiently(lambda: self._see(session))
        return self._state is not None

    async def _come(self) -> None:
        from headrace.engine.loop import beside

        await beside(self.attend)
        await super()._come()

    def _look(self, session: Session) -> bool:
        self._see(session)
        return self._state is not None

    def _see(self, session: Session) -> State:
        """Look at the run, take note if it has ended, and return its state."""
        try:
            run = session.gateway.read_task_run(self.task_run_id)
        except errors.ObjectNotFound:
            state = State(type=StateType.CRASHED, message=f"Task run {self.name!r} has been deleted.")
            self.end(state)
            return state
        state = run.state or State(type=StateType.PENDING)
        if state.is_final() or state.name == NOT_READY:
            state.data = _open(session.results.reopen(state.data), state)
            self.end(state)
        return state

    def __reduce__(self) -> tuple[Any, ...]:
        return DistributedFuture, (self.task_run_id, self.name)


def _open(data: Any, state: State) -> Any:
    """The live data of a state: of a run that failed, its exception, where that can be read."""
    if state.is_completed() or not isinstance(data, Result):
        return data
    try:
        return data.load()
    except errors.HeadraceError:
        return None
