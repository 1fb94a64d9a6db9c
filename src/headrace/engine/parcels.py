"""What travels between the process that submits a task run and the one that executes it.

Code and values are pickled by cloudpickle: what a script defines travels by value, what both ends can import by name. Each
part that may fail to be written or read is bytes of its own, so that an error can say which one it is.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Generator
from functools import lru_cache
from os import getpid
from socket import gethostname
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct

from headrace.base import errors
from headrace.base.settings import Settings
from headrace.engine.context import FlowContext, TaskContext, current_tags
from headrace.engine.logs import RunLogger, describe_error
from headrace.engine.opening import find_opener
from headrace.engine.references import travel_by_value
from headrace.engine.results import Result, StoredResult
from headrace.schema.fact import Fact
from headrace.schema.run import FlowRun
from headrace.schema.state import State, StateType

if TYPE_CHECKING:
    from headrace.engine.session import Session
    from headrace.engine.submissions import Submission
    from headrace.engine.task_run import RunningTask


class FlowPart(Struct):
    """What a task run may ask of the flow run it belongs to, or of one around that."""

    name: str
    version: str | None
    is_async: bool
    record: FlowRun
    parameters: dict[str, bytes]
    log_prints: bool
    persist_result: bool
    attempt: int


class Parcel(Struct):
    """A task run to be executed. `flows` begins with the run's own; `held` are the slots that runs around it hold.

    `executions` counts how often it was sent before to a process that died; `again` says that it may have begun there.
    """

    task_name: str
    task: bytes
    arguments: bytes
    flows: bytes
    id: UUID
    name: str
    dynamic_key: str
    flow_run_id: UUID
    epoch: int
    tags: list[str]
    extra_tags: frozenset[str]
    held: list[str]
    created: int
    ordinal: int
    timestamp: int
    run_count: int
    log_prints: bool
    persist_result: bool
    settings: Settings
    opener: Callable[[Settings], Session]
    host: str
    again: bool
    executions: int


class Ending(Struct):
    """The final state of a task run: where its value is, or what it raised."""

    type: StateType
    name: str
    message: str | None
    ordinal: int
    timestamp: int
    run_count: int
    cache_key: str | None
    value: bytes | None = None
    record: StoredResult | None = None
    data: bytes | None = None
    trace: str = ""


class Answer(Struct):
    """What the other process has to say: what it has not told the orchestrator itself, and how the run ended.

    Without an ending there is a `refusal`: the run cannot be executed there.
    """

    facts: list[Fact]
    ending: Ending | None = None
    refusal: errors.HeadraceError | None = None


def pack_flows(flow: FlowContext) -> bytes:
    """The flow run and those around it, for the parcels of all its task runs."""
    parts = [_part_of(flow, _dump_parameters(flow))]
    while flow.parent is not None and flow.parent.flow_run is not None:
        flow = flow.parent.flow_run
        parts.append(_part_of(flow, {}))
    return pickle.dumps(parts, protocol=5)


def _part_of(flow: FlowContext, parameters: dict[str, bytes]) -> FlowPart:
    definition = flow.flow
    return FlowPart(
        definition.name, definition.version, definition.is_async, flow.run, parameters, flow.log_prints,
        flow.persist_result, flow.attempt,
    )  # fmt: skip


def _dump_parameters(flow: FlowContext) -> dict[str, bytes]:
    dumped: dict[str, bytes] = {}
    for name, value in flow.parameters.items():
        try:
            dumped[name] = dump(value)
        except Exception as error:  # whatever __reduce__ may raise
            RunLogger(flow).warning(
                "The flow's parameter %r is not seen by tasks in other processes: a %s cannot be sent (%s).",
                name, type(value).__name__, describe_error(error),
            )  # fmt: skip
    return dumped


def pack_task_run(submission: Submission, flows: bytes, executions: int, *, again: bool) -> bytes:
    """The parcel of a run whose upstream runs have ended. Raises `SerializationError`, which names what cannot be sent."""
    run, context = submission.run, submission.run.context
    session, task, flow_run_id = run.session, run.task, run.flow_run_id
    assert flow_run_id is not None
    parcel = Parcel(
        task_name=task.name,
        task=_dump_task(task),
        arguments=_dump_arguments(run),
        flows=flows,
        id=run.id,
        name=run.name,
        dynamic_key=run.dynamic_key,
        flow_run_id=flow_run_id,
        epoch=session.attempts.get(flow_run_id, 0),
        tags=run.tags,
        extra_tags=submission.context.get(current_tags, frozenset()),
        held=_held_around(context),
        created=run.created,
        ordinal=run.ordinal,
        timestamp=run.timestamp,
        run_count=run.run_count,
        log_prints=context.log_prints,
        persist_result=context.persist_result,
        settings=session.settings,
        opener=_plain_opener(),
        host=gethostname(),
        again=again or executions > 0,
        executions=executions,
    )
    return pickle.dumps(parcel, protocol=5)


def dump(value: Any) -> bytes:
    """A value as bytes that another process can read. Raises whatever keeps it from that."""
    import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

    return cloudpickle.dumps(value, protocol=5)  # pyright: ignore[reportUnknownMemberType]


@lru_cache(maxsize=64)
def load_shared(content: bytes) -> Any:
    """What `dump` has written, once for all parcels that have it in common. Raises whatever keeps it from being read."""
    return pickle.loads(content)  # noqa: S301 - it comes from who started this process, or owns the cluster


def _dump_task(task: Any) -> bytes:
    try:
        travel_by_value(getattr(task, "__module__", None))
        return dump(task)
    except Exception as error:  # as above
        raise errors.SerializationError(
            f"Task {task.name!r} cannot be sent to another process, with what its code refers to: {describe_error(error)}."
        ) from error


def _dump_arguments(run: RunningTask) -> bytes:
    try:
        return dump(run.arguments)
    except Exception as error:  # as above
        culprit, reason = next(_find_unsendable(run.arguments), ("", error))
        shown = f"argument {culprit!r}, a {type(run.arguments[culprit]).__name__}," if culprit else "the arguments"
        raise errors.SerializationError(
            f"Task run {run.name!r}: {shown} cannot be sent to another process: {describe_error(reason)}."
        ) from error


def _find_unsendable(arguments: dict[str, Any]) -> Generator[tuple[str, Exception]]:
    for name, value in arguments.items():
        try:
            dump(value)
        except Exception as error:  # as above
            yield name, error


def _held_around(context: TaskContext) -> list[str]:
    held: list[str] = []
    around = context.parent
    while isinstance(around, TaskContext):
        held += around.held
        around = around.parent
    return held


def _plain_opener() -> Callable[[Settings], Session]:
    """How sessions are opened, without what only the process has that a supervisor watches over."""
    opener: Any = find_opener()
    return getattr(opener, "func", opener)


def pack_ending(run: RunningTask, state: State, value: bytes | None) -> Ending:
    """How a run ended; `value` is what of its value, or of other data of its state, has been dumped before."""
    ending = Ending(
        type=state.type,
        name=run.state_name,
        message=state.message,
        ordinal=run.ordinal,
        timestamp=run.timestamp,
        run_count=run.run_count,
        cache_key=run.cache_key,
        value=value,
    )
    data = state.data
    if isinstance(data, Result):
        ending.record = data.record
        if not data.in_memory:
            ending.value = None
        elif value is None:
            ending.value = dump_or_none(data.load())
    elif isinstance(data, BaseException):
        ending.value, ending.data = None, dump_or_none(data)
        ending.trace = (
            f"In process {getpid()} on {gethostname()}:\n{''.join(traceback.format_exception(data))}".rstrip()
        )
    elif data is not None:
        ending.value, ending.data = None, value or dump_or_none(data)
    return ending


def dump_or_none(value: Any) -> bytes | None:
    """None for what cannot be sent: a text has to do, or where it was kept."""
    try:
        return dump(value)
    except Exception:  # as above
        return None


def open_ending(run: RunningTask, ending: Ending) -> State:
    """The final state, its data live, of a run that was executed elsewhere."""
    return run.state(ending.message, _open_data(run, ending))


def _open_data(run: RunningTask, ending: Ending) -> Any:
    if ending.data is not None:
        data = _load(ending.data)
        if isinstance(data, _Unreadable):
            return _stand_in(ending, data.error)
        if isinstance(data, BaseException) and ending.trace:
            data.add_note(ending.trace)
        return data
    if ending.trace:
        return _stand_in(ending, None)
    if ending.type is not StateType.COMPLETED:
        return None
    if ending.value is None:
        return Result(record=ending.record, store=run.session.results)
    value = _load(ending.value)
    if not isinstance(value, _Unreadable):
        return Result(value, ending.record, run.session.results)
    if ending.record is not None:
        return Result(record=ending.record, store=run.session.results)
    return UnreadableValue(f"Task run {run.name!r}: its value cannot be read in this process: {value.error}.")


class UnreadableValue(Struct):
    """A value that arrived, and that nobody can read here."""

    text: str

    def load(self) -> Any:
        """Say so."""
        raise errors.SerializationError(self.text)


class _Unreadable(Struct):
    error: str


def _load(content: bytes) -> Any:
    try:
        return pickle.loads(content)  # noqa: S301 - it comes from a process that this one has sent code to
    except Exception as error:  # whatever __setstate__ may raise
        return _Unreadable(describe_error(error))


def _stand_in(ending: Ending, unreadable: str | None) -> errors.RunError:
    """An error in the place of one that cannot travel."""
    kind = errors.CrashedRun if ending.type is StateType.CRASHED else errors.FailedRun
    made = kind(ending.message or "")
    made.add_note(ending.trace if unreadable is None else f"{ending.trace}\nIt cannot be read here: {unreadable}")
    return made
