"""The life of a pause. No I/O: see `commands`."""

from __future__ import annotations

from typing import Any

from headrace.base.errors import PauseTimeoutError, UsageError
from headrace.engine.commands import Lifecycle, ask, sleep
from headrace.engine.pausing import Pause, Suspension
from headrace.engine.requests import ReadFlowRun, ReadInput
from headrace.rules.transitions import MOVED_ON
from headrace.schema.orchestration import Verb


def pause_lifecycle(pause: Pause) -> Lifecycle[Any]:
    """Pause, wait until somebody lets the run go on, and return what they gave; None if it asks for nothing.

    A pause that has fired before is none: its answer is returned at once. Raises `Suspension` when the process is to be
    left meanwhile, `PauseTimeoutError` when nobody comes in time, and how the run ended when it ended meanwhile.
    """
    for request in pause.asks():
        yield from ask(request)
    decision = yield from ask(pause.proposal())
    state = decision.state
    if decision.verb is Verb.ABORT:
        raise UsageError(decision.reason or "The orchestrator does not let this run pause.")
    if state is not None and state.is_paused():
        pause.context.run = decision.flow_run
        if pause.leaves:
            raise Suspension(state)
        pause.log.info("The flow run is paused for %g s at most, and goes on when it is resumed.", pause.timeout)
        state = yield from _await_resumption(pause)
    if state is None or not state.is_running():
        raise UsageError(decision.reason or "The run cannot pause.") if state is None else state.error()
    if pause.form is None:
        return None
    answer = yield from ask(ReadInput(pause.context.run.id, pause.name("response")))
    return pause.form.read(answer)


def _await_resumption(pause: Pause) -> Lifecycle[Any]:
    """Wait until the run has moved on, and return the state it is in then."""
    run_id = pause.context.run.id
    while True:
        remaining = pause.remaining
        if remaining <= 0:
            raise PauseTimeoutError(f"The flow run was paused and not resumed within {pause.timeout:g} seconds.")
        slept = yield from sleep(min(remaining, pause.poll_interval), run_id, until=MOVED_ON)
        if slept.error is not None:
            raise slept.error
        run = yield from ask(ReadFlowRun(run_id))
        if run.state is None or not run.state.is_paused():
            pause.context.run = run
            return run.state
