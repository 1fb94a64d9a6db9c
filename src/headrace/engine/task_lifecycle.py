"""The life of a task run, from its call to its final state. No I/O: see `commands`."""

from __future__ import annotations

from functools import partial
from typing import Any

from headrace.base import clock
from headrace.base.errors import CancelledRun, CrashedRun, HeadraceError, TaskRunTimeoutError, UsageError
from headrace.base.ids import uuid7
from headrace.engine.commands import Ask, Call, Emit, Lifecycle, Outcome, Sleep, call
from headrace.engine.futures import UpstreamFailed
from headrace.engine.hooks import run_hooks
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.iteration import iterate
from headrace.engine.keeping import keep
from headrace.engine.logs import describe_error
from headrace.engine.outcomes import state_from_value, waits_for
from headrace.engine.requests import FindLimited, FindResult, RestoreResult, StoreResult
from headrace.engine.results import Result, StoredResult
from headrace.engine.slot_lifecycle import SlotWish, give_slots_back, take_slots
from headrace.engine.task_run import RunningTask
from headrace.engine.transaction_lifecycle import settle
from headrace.rules.retries import delay_before
from headrace.rules.transitions import (
    AWAITING_RETRY,
    AWAITING_SLOT,
    CACHED,
    NOT_READY,
    RETRYING,
    TIMED_OUT,
    is_terminal,
)
from headrace.schema.fact import TaskNameFact
from headrace.schema.orchestration import SlotRequest
from headrace.schema.state import State, StateType

SLOT_LEASE = 60.0
"""Seconds after which the slots of a task run come free whose process died: as long as a dead run may go unnoticed."""


def task_lifecycle(run: RunningTask) -> Lifecycle[State]:
    """Take a task run to its final state and return it, its `data` live: a `Result`, or the exception.

    What ends the run from outside, at whatever command, crashes it. What comes when it has ended is raised.
    """
    if run.restored is not None:
        return run.restore((yield Ask(RestoreResult(run.restored.record, run.task.cache_result_in_memory))))
    try:
        if run.state_type is None:
            for fact in run.announce():
                yield Emit(fact)
        if run.again is not None:
            run.log.info("Not restored: %s.", run.again)
        refusal = yield from _prepare(run)
        if refusal is not None:
            return refusal
        if run.cache_key is not None and not run.task.refresh_cache:
            found = yield Ask(_find(run, run.cache_key))
            if found is not None:
                run.cache_expiration = found.record.expiration
                return (yield from _complete(run, State(type=StateType.COMPLETED, name=CACHED, data=found)))
        function = run.function()
        while True:
            if run.tags:
                refusal = yield from _take_slots(run)
                if refusal is not None:
                    return refusal
            yield Emit(run.enter(StateType.RUNNING, RETRYING if run.run_count else "Running"))
            if run.task.running_hooks:
                yield from run_hooks(run.task.running_hooks, run.task, run.record(), run.state(), run.log)
            if run.iteration is None:
                outcome: Outcome = yield Call(function, timeout=run.task.timeout_seconds)
            else:
                outcome = yield from iterate(
                    run.iteration, function, run.context, run.task.timeout_seconds, run.remember
                )
            if run.hold.lease is not None:
                yield from _give_slots_back(run)
            if outcome.interrupt is not None:
                return (yield from _crash(run, outcome.interrupt))
            if outcome.error is None:
                state = yield from _succeed(run, outcome.value)
            else:
                state = yield from _retry_or_fail(run, outcome.error)
            if state is not None:
                return state
    except GeneratorExit:
        run.hold.drop()
        run.unlock()
        raise
    except BaseException as raised:
        if run.state_type is None or is_terminal(run.state_type):
            raise
        error = raised
    return (yield from _end_badly(run, error))


def refuse(run: RunningTask, error: HeadraceError) -> Lifecycle[State]:
    """The end of a run that cannot be executed where it should have been."""
    return (yield from _fail(run, error))


def bury(run: RunningTask, text: str) -> Lifecycle[State]:
    """The end of a run whose execution, elsewhere, has ended without one."""
    run.log.error("Task run crashed: %s", text)
    yield Emit(run.enter(StateType.CRASHED, "Crashed", text))
    run.ended = run.state(text, CrashedRun(text))
    return run.ended


def _prepare(run: RunningTask) -> Lifecycle[State | None]:
    """Wait for what the run needs, name it, and find its keys; a state means that it will not run."""
    if run.upstream:
        outcome = yield from call(run.resolve_arguments, blocking=True)
        if isinstance(outcome.error, UpstreamFailed):
            yield Emit(run.enter(StateType.PENDING, NOT_READY, str(outcome.error)))
            return run.state(str(outcome.error))
        if outcome.error is not None:
            raise outcome.error
    task = run.task
    if task.task_run_name is not None:
        outcome = yield from call(run.render_name)
        if outcome.error is not None:
            raise outcome.error
        yield Emit(TaskNameFact(run.id, run.name))
    if run.caches:
        outcome = yield from call(run.compute_cache_key)
        if outcome.interrupt is not None:
            raise outcome.interrupt
        if outcome.error is not None:
            run.log.error(
                "No cache key could be computed, so the result is neither looked up nor cached: %s", outcome.error
            )
        if run.lock is not None:
            outcome = yield from call(run.take_turn, blocking=True)
            if outcome.error is not None:
                raise outcome.error
    if task.result_storage_key is not None:
        outcome = yield from call(run.render_storage_key)
        if outcome.error is not None:
            raise outcome.error
    return None


def _take_slots(run: RunningTask) -> Lifecycle[State | None]:
    """Wait for a slot of each limit on the run's tags; a state means that the run was cancelled meanwhile."""
    names = run.find_limits()
    limited: list[str] = (yield Ask(FindLimited(names))) if names else []
    if not limited:
        return None
    request = SlotRequest(
        names=limited, request_id=uuid7(), duration=SLOT_LEASE, holder_type="task_run", holder_id=run.id
    )
    try:
        yield from take_slots(run.hold, SlotWish(request, wake=run.flow_run_id), partial(_say_waiting, run, limited))
    except CancelledRun:
        return (yield from _cancel(run, "The flow run was cancelled while the task run waited for a concurrency slot."))
    run.context.held = limited
    return None


def _say_waiting(run: RunningTask, limits: list[str]) -> Lifecycle[None]:
    text = f"Waits for a slot of {', '.join(limits)}."
    run.log.info("Task run w%s", text[1:-1])
    yield Emit(run.enter(StateType.SCHEDULED, AWAITING_SLOT, text))


def _give_slots_back(run: RunningTask) -> Lifecycle[None]:
    run.context.held = []
    yield from give_slots_back(run.hold)


def _end_badly(run: RunningTask, error: BaseException) -> Lifecycle[State]:
    try:
        yield from _give_slots_back(run)
    except BaseException as raised:  # interrupted once more: the slots come free by themselves
        run.hold.drop()
        if isinstance(raised, GeneratorExit):
            raise
        error = raised
    if isinstance(error, Exception):
        return (yield from _fail(run, error))
    return (yield from _crash(run, error))


def _succeed(run: RunningTask, value: Any) -> Lifecycle[State | None]:
    """End in the state that the value decides. None says that it is a failure, and that the time for the next try has come."""
    if waiting := waits_for(value):
        if any(future.task_run_id == run.id for future in waiting):
            raise UsageError(f"Task run {run.name!r} returned its own future, so it would wait for itself.")
        outcome = yield from call(lambda: [future.wait() for future in waiting], blocking=True)
        if outcome.error is not None:
            raise outcome.error
    state = state_from_value(value, Result)
    if state.is_failed() and (yield from _may_retry(run, state)):
        return (yield from _await_retry(run, state.message or str(state)))
    run.hand_over(state)
    keeps = isinstance(state.data, Result) and (run.context.persist_result or run.cache_key is not None)
    transaction = run.transaction if state.is_completed() else None
    store = _store(run, state.data.load()) if keeps else None
    deferred = transaction is not None and transaction.is_deferred
    if store is not None and not deferred:
        state.data = yield from keep(store, run.is_checkpoint, run.log)
    elif transaction is not None:
        transaction.take_over_lock()
    ended = yield from _complete(run, state)
    if transaction is not None:
        transaction.complete(store if deferred else None)
        yield from settle(transaction)
    return ended


def _find(run: RunningTask, cache_key: str) -> FindResult:
    task = run.task
    key_folder = task.cache_policy.key_storage
    return FindResult(run.storage_key, task.result_folder, cache_key, task.cache_result_in_memory, key_folder)


def _store(run: RunningTask, value: Any) -> StoreResult:
    task = run.task
    lifetime = task.cache_expiration
    if lifetime is not None:
        run.cache_expiration = min(clock.micros() + int(lifetime.total_seconds() * 1_000_000), clock.LATEST)
    return StoreResult(
        value,
        run.storage_key,
        task.result_serializer or run.session.settings.results_default_serializer,
        task.result_folder,
        run.cache_expiration,
        run.flow_run_id,
        run.id,
        task.cache_result_in_memory,
        run.cache_key,
        task.cache_policy.key_storage,
        run.is_checkpoint and task.result_storage_key is None and task.result_folder is None,
    )


def _complete(run: RunningTask, decided: State) -> Lifecycle[State]:
    """End in the state the value decided: completed, or what a state or future that was returned says."""
    result = decided.data
    record: StoredResult | None = result.record if isinstance(result, Result) else None
    name = decided.name or decided.type.capitalize()
    yield Emit(run.enter(decided.type, name, decided.message, record), run.durable)
    if isinstance(result, Result) and result.in_memory:
        run.remember(result.load())
    return (yield from _finish(run, run.state(decided.message, result)))


def _retry_or_fail(run: RunningTask, error: BaseException) -> Lifecycle[State | None]:
    """Fail, or wait for the next try: None says that the time has come."""
    name = "Failed"
    if isinstance(error, DeadlineExceeded):
        name, error = TIMED_OUT, TaskRunTimeoutError(f"Task run {run.name!r} {error}.")
    text = describe_error(error)
    if (yield from _may_retry(run, State(type=StateType.FAILED, name=name, message=text, data=error))):
        return (yield from _await_retry(run, text))
    return (yield from _fail(run, error, name))


def _may_retry(run: RunningTask, failed: State) -> Lifecycle[bool]:
    """Whether a run that ended so is tried again."""
    task = run.task
    if run.run_count - run.lost > task.retries or (run.iteration is not None and run.iteration.handed):
        return False
    if task.retry_condition_fn is None:
        return True
    outcome = yield from call(task.retry_condition_fn, task, run.record(), failed)
    if outcome.interrupt is not None:
        raise outcome.interrupt
    if outcome.error is not None:
        run.log.error("The retry condition failed, so there is no retry: %r", outcome.error)
    return bool(outcome.value)


def _await_retry(run: RunningTask, text: str) -> Lifecycle[State | None]:
    """Wait for the next try; a state means that the run was cancelled meanwhile."""
    task = run.task
    tries = run.run_count - run.lost
    delay = delay_before(tries, task.retry_delays, task.retry_jitter_factor)
    run.log.warning(
        "Task run failed with %s - retry %d/%d starts %s",
        text, tries, task.retries, f"in {delay:.3g} s" if delay else "at once",
    )  # fmt: skip
    due = clock.to_datetime(clock.micros() + int(delay * 1_000_000))
    yield Emit(run.enter(StateType.SCHEDULED, AWAITING_RETRY, text, None, {"scheduled_time": due}))
    if delay > 0:
        slept: Outcome = yield Sleep(delay, wake=run.flow_run_id)
        if slept.error is not None:
            raise slept.error
        if slept.value:
            return (yield from _cancel(run, "The flow run was cancelled while the task run waited for its retry."))
    return None


def _cancel(run: RunningTask, text: str) -> Lifecycle[State]:
    yield Emit(run.enter(StateType.CANCELLED, "Cancelled", text), run.durable)
    return (yield from _finish(run, run.state(text, CancelledRun(text))))


def _fail(run: RunningTask, error: BaseException, name: str = "Failed") -> Lifecycle[State]:
    message = describe_error(error)
    retried = " - its retries are exhausted" if run.run_count > 1 else ""
    run.log.error(
        "Task run failed with %s%s", message, retried, exc_info=None if isinstance(error, HeadraceError) else error
    )
    keeping = run.keeping(error)
    kept: Result | None = None if keeping is None else (yield Ask(keeping))
    yield Emit(run.enter(StateType.FAILED, name, message, kept and kept.record), run.durable)
    return (yield from _finish(run, run.state(message, error)))


def _crash(run: RunningTask, error: BaseException) -> Lifecycle[State]:
    """Interrupted, told to exit, or cancelled: not the task's own doing."""
    message = f"Execution was interrupted by {type(error).__name__}."
    run.log.error("Task run crashed: %s", message)
    yield Emit(run.enter(StateType.CRASHED, "Crashed", message))
    run.ended = run.state(message, error)
    return run.ended


def _finish(run: RunningTask, state: State) -> Lifecycle[State]:
    run.ended = state
    task = run.task
    if not state.is_failed():  # a failure has been told already, with its error
        run.log.tell(f"Finished in state {state}")
    hooks = task.completion_hooks if state.is_completed() else task.failure_hooks if state.is_failed() else ()
    if hooks:
        yield from run_hooks(hooks, task, run.record(), state, run.log)
    return state
