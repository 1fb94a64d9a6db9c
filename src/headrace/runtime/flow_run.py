"""The flow run that executes here. Every attribute is None (or empty) outside of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from headrace.engine.context import FlowContext, current
from headrace.runtime import addresses

_EMPTY: dict[str, Any] = {"parameters": {}, "tags": [], "run_count": 0}


def _root(context: FlowContext) -> FlowContext:
    while context.parent is not None and context.parent.flow_run is not None:
        context = context.parent.flow_run
    return context


def _parent(context: FlowContext) -> FlowContext | None:
    return context.parent.flow_run if context.parent is not None else None


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


_READERS: dict[str, Callable[[FlowContext], Any]] = {
    "id": lambda context: str(context.run.id),
    "name": lambda context: context.run.name,
    "flow_name": lambda context: context.flow.name,
    "flow_version": lambda context: context.flow.version,
    "parameters": lambda context: dict(context.parameters),
    "tags": lambda context: list(context.run.tags),
    "run_count": lambda context: context.run.run_count,
    "scheduled_start_time": lambda context: context.run.expected_start_time,
    "parent_flow_run_id": lambda context: str(parent.run.id) if (parent := _parent(context)) is not None else None,
    "parent_deployment_id": lambda context: _text(
        parent.run.deployment_id if (parent := _parent(context)) is not None else None
    ),
    "root_flow_run_id": lambda context: str(_root(context).run.id),
    "job_variables": lambda context: context.run.job_variables,
    "api_url": lambda context: addresses.api_url(context, "flow_runs", context.run.id),
    "ui_url": lambda context: addresses.ui_url(context, "runs", context.run.id),
}

__all__ = [*_READERS]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _READERS:
        raise AttributeError(f"A flow run has no runtime attribute {name!r}: choose one of {', '.join(_READERS)}.")
    context = current.get()
    flow_run = context.flow_run if context is not None else None
    return _EMPTY.get(name) if flow_run is None else _READERS[name](flow_run)
