"""What the arguments of a run bring with them: runs to wait for, and where values came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from headrace.engine.futures import Annotation, Future, find_futures
from headrace.engine.lineage import Lineage
from headrace.schema.run import TaskInputs, TaskRunResult
from headrace.schema.state import State

Awaited = Iterable[Any] | Future[Any] | State | None
"""What people give as `wait_for`: several futures and states, or a single one."""


def list_awaited(wait_for: Awaited) -> list[Any]:
    """The futures and states a call was told to wait for."""
    if wait_for is None:
        return []
    return [wait_for] if isinstance(wait_for, (Future, State)) else list(wait_for)


def trace_inputs(
    parameters: Mapping[str, Any], awaited: list[Any], lineage: Lineage | None, upstream: bool
) -> TaskInputs:
    """Which task runs the arguments came from: those given as futures and states, else those known to have made the value.

    `upstream` says whether there are any of the first kind.
    """
    inputs: TaskInputs = {}
    for name, value in parameters.items():
        sources = _runs_in(value) if upstream else []
        if not sources and lineage is not None:
            origin = lineage.origin(value)
            sources = [] if origin is None else [origin]
        inputs[name] = [TaskRunResult(id=source) for source in sources]
    if awaited:
        inputs["wait_for"] = [TaskRunResult(id=source) for source in _runs_in(awaited)]
    return inputs


def _runs_in(value: Any) -> list[UUID]:
    found = (_run_of(upstream) for upstream in find_futures(value))
    return [run for run in found if run is not None]


def _run_of(upstream: Future[Any] | State | Annotation[Any]) -> UUID | None:
    if isinstance(upstream, State):
        return upstream.state_details.task_run_id
    return upstream.task_run_id if isinstance(upstream, Future) else None
