"""Waiting for flow runs that others execute. The live channel tells that one has ended; now and then it is looked at too."""

from __future__ import annotations

import inspect
import math
import sys
import threading
from uuid import UUID

from headrace.base import clock
from headrace.engine.context import TaskContext, current
from headrace.engine.session import Session, current_session
from headrace.schema.run import FlowRun
from headrace.schema.state import TERMINAL


class Patience:
    """How long somebody goes on waiting: for `timeout` seconds in all, for ever without; `interval` at a time at most."""

    def __init__(self, timeout: float | None, interval: float) -> None:
        self.duration = math.inf if timeout is None else timeout
        self._end = clock.monotonic() + self.duration
        self._interval = interval

    def next(self) -> float:
        """The seconds to wait now, 0 when there are none left."""
        return max(min(self._end - clock.monotonic(), self._interval), 0.0)


def await_flow_run(session: Session, flow_run_id: UUID, patience: Patience) -> FlowRun:
    """Wait until the run has ended, or patience has, and return it as it is then.

    Raises `ObjectNotFound` when there is no such run.
    """
    heard = threading.Event()
    with session.live.watch(flow_run_id, heard.set, patience.duration, TERMINAL):
        while True:
            run = _read(session, flow_run_id)
            wait = patience.next()
            if run.state_type in TERMINAL or not wait:
                return run
            heard.wait(wait)
            heard.clear()


async def await_flow_run_in_loop(session: Session, flow_run_id: UUID, patience: Patience) -> FlowRun:
    """The same without blocking the running event loop."""
    import asyncio
    import contextlib

    from headrace.engine.loop import beside

    loop, heard = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(heard.set)

    with session.live.watch(flow_run_id, wake, patience.duration, TERMINAL):
        while True:
            run = await beside(lambda: _read(session, flow_run_id))
            wait = patience.next()
            if run.state_type in TERMINAL or not wait:
                return run
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), wait)
            heard.clear()


def session_here() -> Session:
    """The session of the run that executes here, or else of this process."""
    context = current.get()
    return context.session if context is not None else current_session()


def in_async_code() -> bool:
    """Whether who calls can wait with `await` only: in a run, if its function is asynchronous; else where a loop runs."""
    context = current.get()
    if context is not None:
        function = context.task.fn if isinstance(context, TaskContext) else context.flow.fn
        return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def _read(session: Session, flow_run_id: UUID) -> FlowRun:
    run = session.patiently(lambda: session.gateway.read_flow_run(flow_run_id))
    if run.state is not None:
        run.state.data = session.results.reopen(run.state.data)
    return run
