"""Task runs that another process has begun, executed in this one: the far end of a `RemoteTaskRunner`.

The run goes through the same lifecycle as anywhere. Its facts go through the journal of a session of this process's own;
what a short run has told by its end travels with the answer, since a commit for each would cost more than the run.
"""

from __future__ import annotations

import contextlib
import contextvars
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from os import getpid
from socket import gethostname
from typing import TYPE_CHECKING, Any, cast

import msgspec

from headrace.base import clock, errors
from headrace.base.ids import state_ordinal
from headrace.engine.context import FlowContext, RunContext, TaskContext, current, current_tags
from headrace.engine.drivers import drive_sync
from headrace.engine.iteration import Iteration, Sink
from headrace.engine.lodging import Stay, lodgings
from headrace.engine.logs import describe_error
from headrace.engine.parcels import Answer, Ending, FlowPart, Parcel, dump, load_shared, pack_ending
from headrace.engine.results import Result
from headrace.engine.runners.threads import ThreadPoolTaskRunner
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.engine.transactions import current_transaction
from headrace.rules.transitions import AWAITING_RETRY, is_terminal
from headrace.schema.fact import Fact
from headrace.schema.run import TaskRun
from headrace.schema.state import State, StateType

if TYPE_CHECKING:
    from headrace.engine.definitions import FlowDefinition, TaskDefinition
    from headrace.engine.session import Session

SHORT = 0.2
"""Seconds up to which a run leaves it to the process that sent it to have its facts recorded."""

DIED = "The process that executed this task run has died."


def execute(content: bytes) -> bytes:
    """Execute the run in a parcel on this thread and return the answer. Raises only what ends the process."""
    parcel: Parcel = pickle.loads(content)  # noqa: S301 - it comes from who started this process, or owns the cluster
    answer = contextvars.copy_context().run(_answer, parcel)
    return pickle.dumps(answer, protocol=5)


def _answer(parcel: Parcel) -> Answer:
    began = clock.monotonic()
    try:
        _check_reach(parcel)
        with lodgings.lodge(parcel.settings, parcel.opener, parcel.flow_run_id, parcel.epoch) as stay:
            session = stay.session
            run = _unpack(session, parcel)
            recorded = _look_up(session, parcel)
            ending = (_ending_of(session, recorded) if recorded is not None else None) or _execute(
                run, parcel, recorded
            )
            return Answer(_tell(stay, clock.monotonic() - began), ending)
    except errors.HeadraceError as error:
        return Answer([], refusal=error)
    except Exception as error:  # whatever it is, somebody waits
        place = f"process {getpid()} on {gethostname()}"
        return Answer(
            [], refusal=errors.UsageError(f"Task run {parcel.name!r} fails in {place}: {describe_error(error)}.")
        )


def _check_reach(parcel: Parcel) -> None:
    """Raise `ConfigurationError` on another machine if what happens is recorded in a file of the first one."""
    settings, host = parcel.settings, gethostname()
    if settings.api_url is None and settings.database_url.startswith("sqlite") and host != parcel.host:
        raise errors.ConfigurationError(
            f"Task run {parcel.name!r} was sent to {host}, which cannot reach the database file on {parcel.host}: start "
            f"`headrace server start` there and set HEADRACE_API_URL to an address of it that all machines reach."
        )


def _unpack(session: Session, parcel: Parcel) -> DelegatedTask:
    """The run in this process. Raises `UsageError` for what is not known here."""
    try:
        task = load_shared(parcel.task)
        arguments = pickle.loads(parcel.arguments)  # noqa: S301 - as above
        flow = _context_of(session, load_shared(parcel.flows))
    except Exception as error:  # whatever importing a module may raise
        raise errors.UsageError(
            f"Task {parcel.task_name!r} cannot be made again in process {getpid()} on {gethostname()}: {describe_error(error)}."
        ) from error
    flow.branch_off(f"{parcel.id.int & 0xFFFFFFFF:08x}")
    task.settle_defaults(session.settings)
    current.set(flow)
    current_tags.set(parcel.extra_tags)
    current_transaction.set(None)
    return DelegatedTask(session, parcel, task, arguments, _around(session, parcel, task, flow))


class _FarFlow:
    """As much of a flow as its task runs may ask for where its code need not be."""

    is_generator = False

    def __init__(self, part: FlowPart) -> None:
        self.name = part.name
        self.version = part.version
        self.is_async = part.is_async
        self.task_runner = ThreadPoolTaskRunner()
        self.fn = _far_async_function if part.is_async else _far_function


def _far_function() -> None:
    """Stands for a flow's function, which is elsewhere."""


async def _far_async_function() -> None:
    """As above."""


def _context_of(session: Session, parts: Sequence[FlowPart]) -> FlowContext:
    context: FlowContext | None = None
    for part in reversed(parts):
        parameters = {name: pickle.loads(content) for name, content in part.parameters.items()}  # noqa: S301 - as above
        flow = cast("FlowDefinition", _FarFlow(part))
        context = FlowContext(session, flow, part.record, parameters, part.log_prints, part.persist_result, context)
        context.attempt = part.attempt
    assert context is not None
    return context


def _around(session: Session, parcel: Parcel, task: TaskDefinition, flow: FlowContext) -> RunContext:
    """What is around the run: its flow, or what stands for the runs that hold slots already, in which it runs."""
    if not parcel.held:
        return flow
    around = TaskContext(
        session, task, parcel.id, parcel.name, {}, parcel.tags, parcel.log_prints, parcel.persist_result, flow
    )
    around.held = parcel.held
    return around


class DelegatedTask(RunningTask):
    """A task run that another process has begun. `content` is its value, ready to be sent back."""

    __slots__ = ("content",)

    def __init__(
        self, session: Session, parcel: Parcel, task: TaskDefinition, arguments: dict[str, Any], parent: RunContext
    ) -> None:
        super().__init__(session, task, arguments, parent)
        self.content: bytes | None = None
        self.upstream = []  # what it waited for has ended, and the values are in place
        self.id, self.name, self.dynamic_key, self.tags = parcel.id, parcel.name, parcel.dynamic_key, parcel.tags
        self.created, self.timestamp, self.ordinal = parcel.created, parcel.timestamp, parcel.ordinal
        self.run_count = parcel.run_count
        self.state_type, self.state_name = StateType.PENDING, "Pending"
        if task.is_generator:
            self.iteration = Iteration(Sink.LIST)
        context = self.context
        context.run_id, context.name, context.tags = parcel.id, parcel.name, parcel.tags
        context.log_prints, context.persist_result = parcel.log_prints, parcel.persist_result

    def hand_over(self, state: State) -> None:
        """Have the value ready to be sent. Raises `SerializationError` for one that cannot be."""
        data = state.data
        if data is None or isinstance(data, BaseException) or (isinstance(data, Result) and not data.in_memory):
            return
        value = data.load() if isinstance(data, Result) else data
        try:
            self.content = dump(value)
        except Exception as error:  # whatever __reduce__ may raise
            raise errors.SerializationError(
                f"Task run {self.name!r}: its value, a {type(value).__name__}, cannot be sent back to the process of its "
                f"flow: {describe_error(error)}."
            ) from error

    def go_on(self, recorded: TaskRun, earlier: int) -> None:
        """Take up the run where a process that died has left it; it was left like this `earlier` times before."""
        ordinal, timestamp = _last_state(recorded)
        self.ordinal, self.timestamp = max(self.ordinal, ordinal), max(self.timestamp, timestamp)
        self.run_count = self.context.run_count = recorded.run_count
        if is_terminal(recorded.state_type):
            return
        self.state_type, self.state_name = recorded.state_type, recorded.state_name or ""
        if recorded.state_type is StateType.RUNNING:
            self.lost = earlier + 1
            self.log.warning("%s It is run again.", DIED)
            self.session.emit(self.enter(StateType.SCHEDULED, AWAITING_RETRY, DIED))


def _last_state(recorded: TaskRun) -> tuple[int, int]:
    """The ordinal and the time of the state that a run is in."""
    assert recorded.state_id is not None
    assert recorded.state is not None
    assert not isinstance(recorded.state.timestamp, msgspec.UnsetType)
    return state_ordinal(recorded.id, recorded.state_id), clock.to_micros(recorded.state.timestamp)


def _look_up(session: Session, parcel: Parcel) -> TaskRun | None:
    """What is recorded of the run, if it may have begun before."""
    if not parcel.again:
        return None
    with contextlib.suppress(errors.ObjectNotFound):
        found = session.patiently(partial(session.gateway.read_task_run, parcel.id))
        return found if found.state is not None else None
    return None


def _ending_of(session: Session, recorded: TaskRun) -> Ending | None:
    """How the run ended, if it did and only the answer was lost. A value that cannot be had has to be computed again."""
    state = recorded.state
    if state is None or not state.is_final():
        return None
    value, data = None, session.results.reopen(state.data)
    if state.is_completed():
        try:
            value = dump(data.load())
        except Exception:  # it was not kept, or not where it can be read
            return None
    ordinal, timestamp = _last_state(recorded)
    record = data.record if isinstance(data, Result) else None
    return Ending(
        state.type, recorded.state_name or "", state.message, ordinal, timestamp, recorded.run_count, recorded.cache_key,
        value, record,
    )  # fmt: skip


def _execute(run: DelegatedTask, parcel: Parcel, recorded: TaskRun | None) -> Ending:
    session, flow = run.session, run.context.flow_run
    assert flow is not None
    session.unfinished[run.id] = run
    if recorded is not None:
        run.go_on(recorded, max(parcel.executions - 1, 0))
    try:
        drive: Callable[..., State] = drive_sync
        if run.task.is_async:
            from headrace.engine.loop import drive_in_own_loop as drive
        state = drive(task_lifecycle(run), run)
    except BaseException:
        if run.ended is None:
            raise
        run.log.exception("The task run had ended already")  # as in a thread: hooks change nothing
        state = run.ended
    finally:
        session.unfinished.pop(run.id, None)
    flow.settle()
    return pack_ending(run, state, run.content)


def _tell(stay: Stay, duration: float) -> list[Fact]:
    """Have recorded what happened, or give it to whoever does."""
    facts = stay.take_out() if duration <= SHORT else None
    if facts is not None:
        return facts
    journal = stay.session.journal
    try:
        stay.session.patiently(journal.flush)
    except errors.GatewayError:  # it may be that only this process cannot reach the orchestrator
        return journal.take_out()
    return []  # what others have told since then goes its own way: this answer may never arrive
