"""Deferring a call: it becomes a run that a task worker executes, here or elsewhere, now or after this process has ended.

What the call was given is kept in the result store, signed like every value; the orchestrator knows only under which id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct

from headrace.base import clock
from headrace.base.ids import uuid7
from headrace.engine.context import current, current_tags
from headrace.engine.distributed import DistributedFuture
from headrace.engine.futures import Annotation, Future, FutureList, allow_failure, find_futures, quote
from headrace.engine.inputs import Awaited, list_awaited, trace_inputs
from headrace.schema.run import RunInput, TaskInputs, TaskRunCreate, TaskRunResult
from headrace.schema.state import State, StateCreate, StateDetails, StateType

if TYPE_CHECKING:
    from headrace.engine.definitions import TaskDefinition
    from headrace.engine.session import Session

Dependencies = Mapping[str, Iterable[RunInput | Future[Any]]] | None
"""What a run depends on besides its arguments, by a name of its own; shown, not waited for."""


class Deferred(Struct):
    """What is kept of a call until it has been executed."""

    parameters: dict[str, Any]
    wait_for: list[Any]
    tags: frozenset[str]
    log_prints: bool | None


def defer(
    session: Session,
    task: TaskDefinition,
    parameters: dict[str, Any],
    wait_for: Awaited = None,
    dependencies: Dependencies = None,
) -> DistributedFuture[Any]:
    """Make a run of the task that a worker is to execute; it is stored when this returns.

    Futures of this process among the arguments are waited for. Raises `SerializationError` for arguments that cannot be kept.
    """
    parent = current.get()
    flow = parent.flow_run if parent is not None else None
    awaited, run_id, kept_as = list_awaited(wait_for), uuid7(), uuid7()
    upstream = find_futures([parameters, awaited])
    inputs = trace_inputs(parameters, awaited, flow.lineage if flow is not None else None, bool(upstream))
    dynamic_key = str(run_id) if flow is None else flow.next_call(task.task_key)
    tags = current_tags.get()
    deferred = Deferred(
        settle(parameters) if upstream else parameters,
        settle(awaited) if upstream else awaited,
        tags,
        None if parent is None else parent.log_prints,
    )
    session.results.write(storage_key(kept_as), deferred, "pickle")
    details = StateDetails(
        task_run_id=run_id,
        flow_run_id=None if flow is None else flow.flow_run_id,
        scheduled_time=clock.now(),
        deferred=True,
        task_parameters_id=kept_as,
    )
    run = session.create_task_run(
        TaskRunCreate(
            id=run_id,
            name=f"{task.name}-{dynamic_key if flow is not None else str(run_id)[-4:]}",
            flow_run_id=details.flow_run_id,
            task_key=task.task_key,
            dynamic_key=dynamic_key,
            task_version=task.version,
            empirical_policy=task.policy,
            tags=sorted(task.tags | tags),
            task_inputs=_add(inputs, dependencies),
            state=StateCreate(type=StateType.SCHEDULED, state_details=details),
        )
    )
    return DistributedFuture(run.id, run.name)


def read_deferred(session: Session, parameters_id: UUID) -> Deferred:
    """What was kept of a call. Raises `MissingResult` and `SerializationError` when it cannot be read here."""
    return session.results.read(storage_key(parameters_id))


def forget_deferred(session: Session, parameters_id: UUID) -> None:
    """Let go of what was kept of a call that has been executed."""
    session.results.remove(storage_key(parameters_id))


def storage_key(parameters_id: UUID) -> str:
    """Where in the result store the arguments with this id are."""
    return f"{parameters_id}.arguments"


def settle(value: Any, tolerant: bool = False) -> Any:
    """The value with what only this process knows in it replaced: futures and states that completed by their values.

    Those that did not complete become bare states, at which the run finds out that what it needs is not there; where failure
    is allowed, exceptions. Futures of deferred runs stay what they are.
    """
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind is dict:
        return {key: settle(item, tolerant) for key, item in value.items()}
    if kind in (list, FutureList):
        return [settle(item, tolerant) for item in value]
    if kind in (tuple, set, frozenset):
        return kind(settle(item, tolerant) for item in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Annotation) and kind is not quote:
        return kind(settle(value.value, tolerant or kind is allow_failure))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    if isinstance(value, Future) and kind is not DistributedFuture:
        value.wait()  # pyright: ignore[reportUnknownMemberType]
        value = value.state
    if not isinstance(value, State):
        return value  # pyright: ignore[reportUnknownVariableType]
    if value.is_completed() or tolerant:
        return value.result(raise_on_failure=False)
    return State(type=value.type, name=value.name, message=value.message, state_details=value.state_details)


def _add(inputs: TaskInputs, dependencies: Dependencies) -> TaskInputs:
    more: dict[str, list[Any]] = {
        name: [TaskRunResult(id=each.task_run_id) if isinstance(each, Future) else each for each in given]
        for name, given in (dependencies or {}).items()
    }
    return {**inputs, **{name: [*inputs.get(name, ()), *given] for name, given in more.items()}}
