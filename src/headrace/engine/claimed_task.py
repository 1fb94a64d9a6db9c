"""A background run while this process executes it, under the epoch of its claim."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct

from headrace.base import clock, errors
from headrace.base.ids import state_ordinal
from headrace.engine.context import current_tags
from headrace.engine.deferring import Deferred, forget_deferred, read_deferred
from headrace.engine.drivers import drive_sync
from headrace.engine.iteration import Iteration, Sink
from headrace.engine.logs import take_over_print
from headrace.engine.requests import StoreResult
from headrace.engine.results import Result
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.rules.transitions import NOT_READY
from headrace.schema.fact import TaskStateFact
from headrace.schema.state import State, StateType
from headrace.schema.task_worker import TaskClaim

if TYPE_CHECKING:
    from headrace.engine.definitions import TaskDefinition
    from headrace.engine.session import Session

NOTHING = Deferred({}, [], frozenset(), None)


class ClaimedTask(RunningTask):
    """A run that the orchestrator knows already, claimed for this process. Its value is kept, for others wait for it."""

    def __init__(self, session: Session, task: TaskDefinition, claim: TaskClaim, deferred: Deferred) -> None:
        super().__init__(session, task, deferred.parameters, None, deferred.wait_for)
        run = claim.task_run
        self.id, self.name, self.flow_run_id = run.id, run.name, run.flow_run_id
        self.dynamic_key, self.tags = run.dynamic_key, run.tags
        self.state_type, self.state_name = run.state_type, run.state_name or ""
        state = run.state
        if state is not None and state.id is not None and isinstance(state.timestamp, datetime):
            self.ordinal = state_ordinal(run.id, state.id)
            # Told by another clock, which may be ahead.
            self.timestamp = max(self.timestamp, clock.to_micros(state.timestamp))
        self._began = run.run_count
        if task.is_generator:
            self.iteration = Iteration(Sink.LIST)
        context = self.context
        context.run_id, context.name, context.tags, context.of_flow_run = run.id, run.name, run.tags, run.flow_run_id
        context.persist_result = True
        if task.log_prints is None and deferred.log_prints:
            context.log_prints = True
            take_over_print()

    def enter(
        self,
        kind: StateType,
        name: str,
        message: str | None = None,
        data: Any = None,
        details: dict[str, Any] | None = None,
    ) -> TaskStateFact:
        """As of any task run. That it has begun before, and was not finished, is none of its own tries."""
        fact = super().enter(kind, name, message, data, details)
        fact.run_count += self._began
        self.context.run_count = fact.run_count
        return fact

    def keeping(self, error: BaseException) -> KeepError:
        return KeepError(
            StoreResult(error, str(self.id), "pickle", self.task.result_folder, None, self.flow_run_id, self.id)
        )


class KeepError(Struct, frozen=True):
    """Keeps the exception of a run that has failed."""

    store: StoreResult

    def perform(self, session: Session) -> Result | None:
        """Return a live handle on it, or None for one that cannot be kept."""
        try:
            return self.store.perform(session)
        except errors.SerializationError:
            return None


def execute_claim(session: Session, task: TaskDefinition, claim: TaskClaim) -> State:
    """Execute a claimed run and return its final state, which is stored by then. What it was given is then forgotten.

    Raises `Unavailable` when its end cannot be told within the outage limit.
    """
    run_id = claim.task_run.id
    task.settle_defaults(session.settings)
    session.attempts[run_id] = claim.epoch
    try:
        deferred = NOTHING if claim.parameters_id is None else read_deferred(session, claim.parameters_id)
    except errors.HeadraceError as error:
        state = _refuse(ClaimedTask(session, task, claim, NOTHING), error)
    else:
        current_tags.set(deferred.tags)
        state = _execute(ClaimedTask(session, task, claim, deferred))
    session.patiently(session.journal.flush)  # under the epoch of the claim, which is forgotten then
    del session.attempts[run_id]
    if claim.parameters_id is not None and _is_over(session, run_id):
        forget_deferred(session, claim.parameters_id)
    return state


def _is_over(session: Session, run_id: UUID) -> bool:
    """Whether the run has ended for everybody: an attempt that was taken for dead leaves it to the one after."""
    try:
        run = session.patiently(lambda: session.gateway.read_task_run(run_id))
    except errors.ObjectNotFound:
        return True
    return run.state is not None and (run.state.is_final() or run.state.name == NOT_READY)


def _execute(run: ClaimedTask) -> State:
    if not run.task.is_async:
        return drive_sync(task_lifecycle(run), run)
    from headrace.engine.loop import drive_in_own_loop

    return drive_in_own_loop(task_lifecycle(run), run)


def _refuse(run: ClaimedTask, error: errors.HeadraceError) -> State:
    """Let a run fail whose arguments are not to be had here."""
    message = f"The arguments of the call cannot be read here: {error}"
    run.log.error("%s", message)
    run.session.emit(run.enter(StateType.FAILED, "Failed", message))
    return run.state(message)
