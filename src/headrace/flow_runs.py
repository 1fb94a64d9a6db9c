"""Flow runs that are waited for, and flow runs that wait: paused where they stand, or suspended to begin again later, and
resumed, with an answer if they ask.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast, overload
from uuid import UUID

from headrace.base import clock, errors
from headrace.connect import open_session
from headrace.engine.awaiting import Patience, await_flow_run, await_flow_run_in_loop, in_async_code, session_here
from headrace.engine.context import FlowContext, current
from headrace.engine.drivers import drive_sync
from headrace.engine.opening import set_opener
from headrace.engine.pause_lifecycle import pause_lifecycle
from headrace.engine.pausing import Pause
from headrace.engine.session import current_session
from headrace.rules.transitions import PAUSED, SUSPENDED
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.run import FlowRun
from headrace.schema.state import TERMINAL, StateCreate, StateDetails

__all__ = [
    "apause_flow_run", "aresume_flow_run", "asuspend_flow_run", "await_for_flow_run", "pause_flow_run", "resume_flow_run",
    "suspend_flow_run", "wait_for_flow_run",
]  # fmt: skip

T = TypeVar("T")

set_opener(open_session)


@overload
def pause_flow_run(
    wait_for_input: type[T], timeout: float = 3600, poll_interval: float = 10, key: str | None = None
) -> T: ...


@overload
def pause_flow_run(
    wait_for_input: None = None, timeout: float = 3600, poll_interval: float = 10, key: str | None = None
) -> None: ...


def pause_flow_run(
    wait_for_input: Any = None, timeout: float = 3600, poll_interval: float = 10, key: str | None = None
) -> Any:
    """Wait here until somebody resumes the flow run that executes, and return what they gave.

    The process stays, so everything goes on where it stands. With `wait_for_input` the run asks for an answer: an instance
    of a `RunInput` or another pydantic model, or a value of any type that JSON can hold. Each `key` pauses a run once; by
    default it is the number of the pause. Without an answer for `timeout` seconds the run fails with `PauseTimeoutError`.
    The resumption is noticed at once; `poll_interval` is how often it is looked for where that does not work.

    In an asynchronous flow await what this returns, or `apause_flow_run`.
    """
    return _perform(Pause(wait_for_input, timeout, poll_interval, key))


async def apause_flow_run(
    wait_for_input: Any = None, timeout: float = 3600, poll_interval: float = 10, key: str | None = None
) -> Any:
    """Wait here until somebody resumes the flow run that executes: `pause_flow_run` for asynchronous flows."""
    return await _perform_in_loop(Pause(wait_for_input, timeout, poll_interval, key))


@overload
def suspend_flow_run(
    wait_for_input: type[T], flow_run_id: UUID | str | None = None, timeout: float = 3600, key: str | None = None
) -> T: ...


@overload
def suspend_flow_run(
    wait_for_input: None = None, flow_run_id: UUID | str | None = None, timeout: float = 3600, key: str | None = None
) -> None: ...


def suspend_flow_run(
    wait_for_input: Any = None, flow_run_id: UUID | str | None = None, timeout: float = 3600, key: str | None = None
) -> Any:
    """End the process of the flow run that executes; when somebody resumes it, a worker begins it again from the top.

    Only a run of a deployment can be suspended, and no subflow by itself. The second time, this call returns at once what
    was given, as `pause_flow_run` does. Code around it is left by an exception that is no `Exception`; submitted tasks are
    waited for. With `flow_run_id` another run is suspended, whose process is then told to end.
    """
    if _is_other(flow_run_id):
        return _suspend_other(flow_run_id, wait_for_input, timeout, key)
    return _perform(Pause(wait_for_input, timeout, key=key, leaves=True))


async def asuspend_flow_run(
    wait_for_input: Any = None, flow_run_id: UUID | str | None = None, timeout: float = 3600, key: str | None = None
) -> Any:
    """End the process of the flow run that executes: `suspend_flow_run` for asynchronous flows."""
    if _is_other(flow_run_id):
        from headrace.engine.loop import beside

        return await beside(lambda: _suspend_other(flow_run_id, wait_for_input, timeout, key))
    return await _perform_in_loop(Pause(wait_for_input, timeout, key=key, leaves=True))


def resume_flow_run(flow_run_id: UUID | str, run_input: Any = None) -> None:
    """Let a paused or suspended flow run go on. `run_input` is what it asks for: a dictionary by field, or a model.

    Raises `InvalidRequest` when it is not paused any more, its time has passed, or the input is not what it asks for, and
    `ObjectNotFound`.
    """
    given: Any = run_input.model_dump(mode="json") if hasattr(run_input, "model_dump") else run_input
    if not (given is None or isinstance(given, dict)):
        raise errors.UsageError(
            f"run_input must be a dictionary or a model, not {given!r}; one value is {{'value': …}}."
        )
    session = current_session()
    run_id = _read_id(flow_run_id)
    decision = session.patiently(lambda: session.gateway.resume_flow_run(run_id, cast("dict[str, Any] | None", given)))
    if not decision.written or decision.state is None or decision.state.is_final():
        raise errors.InvalidRequest(
            f"Flow run {decision.flow_run.name!r} cannot be resumed. {decision.reason or ''}".strip()
        )


async def aresume_flow_run(flow_run_id: UUID | str, run_input: Any = None) -> None:
    """Let a paused or suspended flow run go on: `resume_flow_run` beside the loop."""
    from headrace.engine.loop import beside

    await beside(lambda: resume_flow_run(flow_run_id, run_input))


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
    timeout: float | None = 10_800,
    poll_interval: float | None = None,
) -> FlowRun:
    """As `wait_for_flow_run`, without blocking the running event loop."""
    from headrace.engine.loop import beside

    session = await beside(session_here)
    patience = Patience(timeout, poll_interval or 5.0)
    return _check(await await_flow_run_in_loop(session, _read_id(flow_run_id), patience), timeout)


def _perform(pause: Pause) -> Any:
    """Pause on this thread; within a loop that executes an asynchronous flow return the coroutine that pauses."""
    if pause.context.flow.is_async:
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            return _perform_in_loop(pause)
    return drive_sync(pause_lifecycle(pause), pause)


async def _perform_in_loop(pause: Pause) -> Any:
    from headrace.engine.loop import drive_async

    return await drive_async(pause_lifecycle(pause), pause)


def _is_other(flow_run_id: UUID | str | None) -> bool:
    context = current.get()
    here = isinstance(context, FlowContext) and flow_run_id is not None and _read_id(flow_run_id) == context.run.id
    return flow_run_id is not None and not here


def _suspend_other(flow_run_id: UUID | str | None, kind: Any, timeout: float, key: str | None) -> None:
    if kind is not None:
        raise errors.UsageError("Only the flow run that executes here can ask for input; leave out wait_for_input.")
    assert flow_run_id is not None
    ends = clock.to_datetime(clock.micros() + int(timeout * 1_000_000))
    details = StateDetails(pause_timeout=ends, pause_key=key, pause_reschedule=True)
    state = StateCreate(type=PAUSED, name=SUSPENDED, state_details=details)
    session = current_session()
    decision: Decision = session.propose(Proposal(flow_run_id=_read_id(flow_run_id), state=state))
    if not decision.written:
        raise errors.InvalidRequest(
            f"Flow run {decision.flow_run.name!r} cannot be suspended. {decision.reason or ''}".strip()
        )


def _check(run: FlowRun, timeout: float | None) -> FlowRun:
    if run.state_type not in TERMINAL:
        raise errors.FlowRunWaitTimeout(f"Flow run {run.name!r} has not ended within {timeout:g} seconds; it goes on.")
    return run


def _read_id(flow_run_id: UUID | str) -> UUID:
    try:
        return flow_run_id if isinstance(flow_run_id, UUID) else UUID(flow_run_id)
    except (ValueError, AttributeError):
        raise errors.UsageError(f"A flow run is named by its id, not {flow_run_id!r}.") from None
