"""The life of a flow run in the process that executes it. No I/O: see `commands`.

The orchestrator decides each of its states; this asks, and does what was decided.
"""

from __future__ import annotations

from logging import ERROR, INFO
from typing import Any

from headrace.base import clock
from headrace.base.errors import CancelledRun, CrashedRun, FlowRunTimeoutError, HeadraceError, StaleEpoch, Unavailable
from headrace.engine.commands import Ask, Call, Emit, Lifecycle, Outcome, ask, call, sleep
from headrace.engine.flow_run import RunningFlow
from headrace.engine.hooks import run_hooks
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.logs import describe_error
from headrace.engine.outcomes import state_from_value, waits_for
from headrace.engine.requests import Propose, StoreResult
from headrace.engine.results import Result
from headrace.rules.transitions import RETRYING, TIMED_OUT
from headrace.schema.orchestration import Decision, Verb
from headrace.schema.state import State, StateType


def flow_lifecycle(run: RunningFlow) -> Lifecycle[State]:
    """Take a flow run to its final state and return it, its `data` live: a `Result`, or the exception."""
    try:
        return (yield from _live(run))
    except (Exception, GeneratorExit):
        raise
    except BaseException as error:  # an interrupt that came between two commands
        if run.record is None or run.state.is_final():
            raise
        return (yield from _end(run, _fail(run, Outcome(None, error))))


def _live(run: RunningFlow) -> Lifecycle[State]:
    announced = run.announce()
    for fact in announced or ():
        yield Emit(fact)
    prepared: Outcome = yield Call(run.prepare, blocking=bool(run.upstream))
    run.begin((yield from ask(run.creation())))
    if prepared.error is not None:
        return (yield from _end(run, _fail(run, prepared)))
    run.log.info("Beginning flow run %r for flow %r", run.name, run.flow.name)
    while True:
        ended = yield from _start(run)
        if ended is not None:
            return ended
        state = yield from _execute(run)
        final = yield from _end(run, state)
        if final.is_final() or final.is_paused():
            return final
        ended = yield from _await_retry(run, final)
        if ended is not None:
            return ended


def _start(run: RunningFlow) -> Lifecycle[State | None]:
    """Enter RUNNING; a state means that the run may not."""
    first = run.record is None or run.record.run_count == 0
    try:
        decision = yield from _propose(run, run.propose(StateType.RUNNING, None if first else RETRYING))
    except StaleEpoch as error:
        return _fenced(run, error)
    state = decision.state
    if decision.verb is Verb.ABORT or state is None or state.type is not StateType.RUNNING:
        reason = decision.reason or "The orchestrator does not let this run start."
        run.log.info("The run does not start: %s", reason)
        return _not_ours(run, reason)
    assert run.context is not None
    run.context.begin_attempt(decision.flow_run.run_count)
    yield from run_hooks(run.flow.running_hooks, run.flow, run.record, state, run.log)
    return None


def _execute(run: RunningFlow) -> Lifecycle[State]:
    """Call the flow's function, wait for the tasks it submitted, and say what state that makes."""
    assert run.context is not None
    outcome: Outcome = yield Call(run.function(), timeout=run.flow.timeout_seconds)
    settled = yield from call(run.context.settle, blocking=True)
    if outcome.error is None and settled.error is not None:
        outcome = settled
    if outcome.error is not None:
        return _fail(run, outcome)
    if waiting := waits_for(outcome.value):
        waited = yield from call(lambda: [future.wait() for future in waiting], blocking=True)
        if waited.error is not None:
            return _fail(run, waited)
    state = state_from_value(outcome.value, Result)
    if isinstance(state.data, Result) and run.context.persist_result:
        try:
            state.data = yield Ask(_store(run, state.data.load()))
        except HeadraceError as error:
            return _fail(run, Outcome(None, error))
    return state


def _store(run: RunningFlow, value: Any) -> StoreResult:
    flow = run.flow
    return StoreResult(
        value,
        str(run.id),
        flow.result_serializer or run.session.settings.results_default_serializer,
        flow.result_folder,
        None,
        run.id,
        None,
        flow.cache_result_in_memory,
    )


def _end(run: RunningFlow, state: State) -> Lifecycle[State]:
    """Propose the state and return the one the run is in then, which may be a retry's."""
    data = state.data
    record = data.record if isinstance(data, Result) else None
    try:
        decision = yield from _propose(run, run.propose(state.type, state.name, state.message, record))
    except StaleEpoch as error:
        return _fenced(run, error)
    except Unavailable as error:
        run.log.error(  # noqa: TRY400 - the reason is one sentence
            "The run ended %s, which is kept in the spool until the orchestrator is reached: %s", state, error
        )
        return state
    decided = decision.state or state
    if decided.is_cancelling():  # somebody wanted the run to end, and it has
        return (
            yield from _end(run, State(type=StateType.CANCELLED, message=f"Cancelled; the run itself ended {state}."))
        )
    if decision.verb is Verb.ABORT:
        return _not_ours(run, decision.reason or "The orchestrator ended this run.")
    if decided.type is state.type:
        decided.data = data
    if decided.is_final():
        run.log.log(INFO if decided.is_completed() else ERROR, "Finished in state %s", decided)
        yield from run_hooks(run.flow.hooks_for(decided), run.flow, run.record, decided, run.log)
    return decided


def _await_retry(run: RunningFlow, state: State) -> Lifecycle[State | None]:
    """Wait until the retry is due; a state means that it will not come."""
    due = state.state_details.scheduled_time
    delay = 0.0 if due is None else max((clock.to_micros(due) - clock.micros()) / 1_000_000, 0.0)
    run.log.warning("The flow run is tried again %s.", f"in {delay:.3g} s" if delay else "at once")
    if delay:
        slept = yield from sleep(delay, wake=run.id)
        if slept.error is not None:
            return (yield from _end(run, _fail(run, slept)))
    return None


def _propose(run: RunningFlow, request: Propose) -> Lifecycle[Decision]:
    """Propose a state as often as the orchestrator asks to wait."""
    while True:
        decision = yield from ask(request)
        run.decided(decision)
        if decision.verb is not Verb.WAIT:
            return decision
        slept = yield from sleep(decision.delay or 0.0, wake=run.id)
        if slept.error is not None:
            raise slept.error


def _fail(run: RunningFlow, outcome: Outcome) -> State:
    """The state an error makes; the error is logged, with its traceback when it is the user's."""
    error = outcome.error
    if outcome.interrupted:
        return State(
            type=StateType.CRASHED, message=f"Execution was interrupted by {type(error).__name__}.", data=error
        )
    if isinstance(error, DeadlineExceeded):
        late = FlowRunTimeoutError(f"Flow run {run.name!r} {error}.")
        return State(type=StateType.FAILED, name=TIMED_OUT, message=str(late), data=late)
    text = describe_error(error)
    run.log.error("Flow run failed with %s", text, exc_info=None if isinstance(error, HeadraceError) else error)
    return State(type=StateType.FAILED, message=text, data=error)


def _fenced(run: RunningFlow, error: StaleEpoch) -> State:
    run.log.error("A newer attempt of this run exists, so this one ends itself: %s", error)
    return State(type=StateType.CRASHED, message=str(error), data=CrashedRun(str(error)))


def _not_ours(run: RunningFlow, reason: str) -> State:
    """The run is in a state that somebody else decided."""
    state = run.state
    if not state.is_final():
        return State(type=StateType.CANCELLED, message=reason, data=CancelledRun(reason))
    return state
