"""Flow runs that others execute."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from headrace.base.errors import FlowRunWaitTimeout, UsageError
from headrace.connect import open_session
from headrace.engine.awaiting import Patience, await_flow_run, await_flow_run_in_loop, in_async_code, session_here
from headrace.engine.session import set_opener
from headrace.schema.run import FlowRun
from headrace.schema.state import TERMINAL

__all__ = ["await_for_flow_run", "wait_for_flow_run"]

set_opener(open_session)


def wait_for_flow_run(
    flow_run_id: UUID | str, timeout: float | None = 10_800, poll_interval: float | None = None
) -> FlowRun:
    """Wait until a flow run has ended, and return it; `state.result()` gives its value where that can be read from here.

    It is looked at every `poll_interval` seconds (5, by default) even if nothing is heard of it. In async code it returns
    a coroutine to be awaited, as `await_for_flow_run` does anywhere. Raises `FlowRunWaitTimeout` when it has not ended within
    `timeout` seconds, `ObjectNotFound` when there is no such run.
    """
    if in_async_code():
        return cast("Any", await_for_flow_run(flow_run_id, timeout, poll_interval))
    run = await_flow_run(session_here(), _read_id(flow_run_id), Patience(timeout, poll_interval or 5.0))
    return _check(run, timeout)


async def await_for_flow_run(
    flow_run_id: UUID | str,
    timeout: float | None = 10_800,  # noqa: ASYNC109 - the field's known parameter
    poll_interval: float | None = None,
) -> FlowRun:
    """As `wait_for_flow_run`, without blocking the running event loop."""
    from headrace.engine.loop import beside

    session = await beside(session_here)
    patience = Patience(timeout, poll_interval or 5.0)
    return _check(await await_flow_run_in_loop(session, _read_id(flow_run_id), patience), timeout)


def _check(run: FlowRun, timeout: float | None) -> FlowRun:
    if run.state_type not in TERMINAL:
        raise FlowRunWaitTimeout(f"Flow run {run.name!r} has not ended within {timeout:g} seconds; it goes on.")
    return run


def _read_id(flow_run_id: UUID | str) -> UUID:
    try:
        return flow_run_id if isinstance(flow_run_id, UUID) else UUID(flow_run_id)
    except (ValueError, AttributeError):
        raise UsageError(f"A flow run is named by its id, not {flow_run_id!r}.") from None
