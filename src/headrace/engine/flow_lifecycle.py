"""The life of a flow run in the process that executes it. No I/O: see `commands`.

The orchestrator decides each of its states; this asks, and does what was decided.
"""

from __future__ import annotations

from logging import ERROR, INFO
from typing import Any

from headrace.base import clock
from headrace.base.errors import (
    CancelledRun,
    CrashedRun,
    FlowRunTimeoutError,
    HeadraceError,
    ObjectNotFound,
    StaleEpoch,
    Unavailable,
)
from headrace.engine.commands import Ask, Call, Emit, Lifecycle, Outcome, ask, call, sleep
from headrace.engine.flow_run import RunningFlow
from headrace.engine.hooks import run_hooks
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.iteration import iterate
from headrace.engine.keeping import keep
from headrace.engine.logs import describe_error
from headrace.engine.outcomes import state_from_value, waits_for
from headrace.engine.pausing import Suspension
from headrace.engine.requests import Propose, ReadCheckpoints, RestoreResult, StoreResult
from headrace.engine.results import Result
from headrace.rules.transitions import TIMED_OUT
from headrace.schema.orchestration import Decision, Verb
from headrace.schema.state import State, StateType

UNKEPT = "Its parameters cannot be kept, so after a crash it would get them as they are shown: %s"


def flow_lifecycle(run: RunningFlow) -> Lifecycle[State]:
    """Take a flow run to its final state and return it, its `data` live: a `Result`, or the exception.

    What ends the run from outside, at whatever command, crashes it and is raised. `Unavailable` is raised when the
    orchestrator cannot be reached, for as long as it takes, to let the run begin.
    """
    try:
        return (yield from _live(run))
    except (GeneratorExit, Unavailable):
        raise
    except BaseException as raised:
        interrupt = not isinstance(raised, Exception)
        if run.ended is not None or not (run.created or interrupt):
            raise
        error = raised
    yield from _abandon(run)
    state = yield from _end(run, _fail(run, error))
    if interrupt:
        raise error
    return state


def _live(run: RunningFlow) -> Lifecycle[State]:
    for fact in run.announce():
        yield Emit(fact)
    if run.restored is not None:
        return run.restore((yield Ask(RestoreResult(run.restored.record, run.flow.cache_result_in_memory))))
    if run.again is not None:
        run.log.info("Not restored: %s.", run.again)
    prepared: Outcome = yield Call(run.prepare, blocking=bool(run.upstream))
    if prepared.error is None:
        yield from _go_on(run)
    run.begin((yield from ask(run.creation())))
    if prepared.interrupt is not None:
        raise prepared.interrupt
    if prepared.error is not None:
        return (yield from _end(run, _fail(run, prepared.error)))
    run.log.info("Beginning flow run %r for flow %r", run.name, run.flow.name)
    while True:
        ended = yield from _start(run)
        if ended is not None:
            return ended
        reached = yield from _execute(run)
        if reached.is_paused():
            return _leave(run, reached)
        final = yield from _end(run, reached)
        if not run.retries_here(final):
            return final
        yield from _await_retry(run, final)


def _go_on(run: RunningFlow) -> Lifecycle[None]:
    """Keep what a later attempt needs to begin; be the run that an earlier attempt has left, if there is one."""
    kept = run.keep_parameters()
    if kept is not None:
        yield from keep(kept, True, run.log, UNKEPT)
    left = run.taking_up()
    if left is not None:
        try:
            run.take_up((yield from ask(left)))
        except ObjectNotFound as error:
            run.log.info("Not resumed, so it begins anew: %s", error)


def _start(run: RunningFlow) -> Lifecycle[State | None]:
    """Enter RUNNING; a state means that the run may not."""
    try:
        decision = yield from _propose(run, run.propose(StateType.RUNNING, run.start_name))
    except StaleEpoch as error:
        return _fenced(run, error)
    state = run.state
    if decision.verb is Verb.ABORT or state.type is not StateType.RUNNING:
        reason = decision.reason or "The orchestrator does not let this run start."
        run.log.info("The run does not start: %s", reason)
        if decision.verb is Verb.ABORT:
            return _not_ours(run, reason)
        if state.type is StateType.CANCELLING:
            return (yield from _end(run, _cancelled(state)))
        return (yield from _conclude(run, state)) if state.is_final() else _not_ours(run, reason)
    run.context.begin_attempt(decision.flow_run.run_count)
    if run.restores(decision):
        run.resume((yield from ask(ReadCheckpoints(run.origin or run.id))))
    yield from run_hooks(run.flow.running_hooks, run.flow, run.record, state, run.log)
    return None


def _execute(run: RunningFlow) -> Lifecycle[State]:
    """Call the flow's function, wait for the tasks it submitted, and say what state that makes.

    Nobody waits for submitted tasks once the run is interrupted, or late. A state in which it is paused has been entered
    already: the run is suspended.
    """
    limit = run.flow.timeout_seconds
    if run.iteration is None:
        began = clock.monotonic()
        outcome: Outcome = yield Call(run.function(), timeout=limit)
        spent = clock.monotonic() - began
    else:
        outcome = yield from iterate(run.iteration, run.function(), run.context, limit)
        spent = run.iteration.spent
    suspension = outcome.error if isinstance(outcome.error, Suspension) else None
    if outcome.interrupt is not None and suspension is None:
        raise outcome.interrupt
    if not isinstance(outcome.error, DeadlineExceeded):
        left = None if limit is None else max(limit - spent, 0.001)
        settled = yield from call(run.context.settle, blocking=True, timeout=left)
        if settled.interrupt is not None:
            raise settled.interrupt
        if outcome.error is None:
            outcome = Outcome(outcome.value, settled.error)
    if suspension is not None:
        return suspension.state
    if outcome.error is not None:
        yield from _abandon(run)
        return _fail(run, outcome.error)
    if waiting := waits_for(outcome.value):
        waited = yield from call(lambda: [future.wait() for future in waiting], blocking=True)
        if waited.error is not None:
            raise waited.error
    state = state_from_value(outcome.value, Result)
    if isinstance(state.data, Result) and run.context.persist_result:
        tolerant = run.context.durable and not run.flow.persist_result
        state.data = yield from keep(_store(run, state.data.load()), tolerant, run.log)
    return state


def _abandon(run: RunningFlow) -> Lifecycle[None]:
    """Nobody waits any more for what the run has submitted."""
    if run.context.is_busy:
        yield Call(run.context.abandon, blocking=True)


def _leave(run: RunningFlow, state: State) -> State:
    """The run is suspended: this process has nothing more to do with it."""
    run.ended = state
    run.session.attempts.pop(run.id, None)
    run.log.info("The flow run is suspended. When it is resumed it begins again from the top.")
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
    except ObjectNotFound:  # interrupted before the run came to be
        return state
    except Unavailable as error:
        run.log.error(  # noqa: TRY400 - the reason is one sentence
            "The run ended %s, which is kept in the spool until the orchestrator is reached: %s", state, error
        )
        return (yield from _conclude(run, state))
    decided = run.state
    if decision.verb is Verb.ABORT:
        return _not_ours(run, decision.reason or "The orchestrator ended this run.")
    if decided.type is StateType.CANCELLING and state.type is not StateType.CANCELLED:
        return (yield from _end(run, _cancelled(state)))
    if decided.type is state.type:
        decided.data = data
    return (yield from _conclude(run, decided)) if decided.is_final() else decided


def _cancelled(state: State) -> State:
    """Somebody wanted the run to end, and it has."""
    return State(type=StateType.CANCELLED, message=f"Cancelled; the run itself was {state}.")


def _conclude(run: RunningFlow, state: State) -> Lifecycle[State]:
    """The run has ended: say so."""
    run.ended = state
    if left := run.context.checkpoints.describe_left():
        run.log.info(left)
    run.log.log(INFO if state.is_completed() else ERROR, "Finished in state %s", state)
    yield from run_hooks(run.flow.hooks_for(state), run.flow, run.record, state, run.log)
    return state


def _await_retry(run: RunningFlow, state: State) -> Lifecycle[None]:
    """Wait until the retry is due; whoever is woken before asks again and hears why."""
    due = state.state_details.scheduled_time
    delay = 0.0 if due is None else max((clock.to_micros(due) - clock.micros()) / 1_000_000, 0.0)
    run.log.warning("The flow run is tried again %s.", f"in {delay:.3g} s" if delay else "at once")
    if delay:
        yield from _pause(run, delay)


def _propose(run: RunningFlow, request: Propose) -> Lifecycle[Decision]:
    """Propose a state as often as the orchestrator asks to wait."""
    while True:
        decision = yield from ask(request)
        run.decided(decision)
        if decision.verb is not Verb.WAIT:
            return decision
        yield from _pause(run, decision.delay or 0.0)


def _pause(run: RunningFlow, delay: float) -> Lifecycle[None]:
    slept = yield from sleep(delay, wake=run.id)
    if slept.error is not None:
        raise slept.error


def _fail(run: RunningFlow, error: BaseException) -> State:
    """The state an error makes; the error is logged, with its traceback when it is the user's."""
    if not isinstance(error, Exception):
        return State(
            type=StateType.CRASHED, message=f"Execution was interrupted by {type(error).__name__}.", data=error
        )
    if isinstance(error, DeadlineExceeded):
        limit = DeadlineExceeded(run.flow.timeout_seconds or error.seconds, error.still_running)
        late = FlowRunTimeoutError(f"Flow run {run.name!r} {limit}.")
        return State(type=StateType.FAILED, name=TIMED_OUT, message=str(late), data=late)
    text = describe_error(error)
    run.log.error("Flow run failed with %s", text, exc_info=None if isinstance(error, HeadraceError) else error)
    return State(type=StateType.FAILED, message=text, data=error)


def _fenced(run: RunningFlow, error: StaleEpoch) -> State:
    run.log.error("A newer attempt of this run exists, so this one ends itself: %s", error)
    run.ended = State(type=StateType.CRASHED, message=str(error), data=CrashedRun(str(error)))
    return run.ended


def _not_ours(run: RunningFlow, reason: str) -> State:
    """The run is in a state that somebody else decided."""
    state = run.state
    run.ended = (
        state if state.is_final() else State(type=StateType.CANCELLED, message=reason, data=CancelledRun(reason))
    )
    return run.ended
