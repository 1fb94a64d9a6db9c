"""The deployment of the flow run that executes here. Every attribute is None (or empty) where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.engine.context import FlowContext, current

_EMPTY: dict[str, Any] = {"parameters": {}}


def _name(context: FlowContext) -> str:
    deployment_id = context.run.deployment_id
    assert deployment_id is not None
    return context.session.administration.read_deployment(deployment_id).name


_READERS: dict[str, Callable[[FlowContext], Any]] = {
    "id": lambda context: str(context.run.deployment_id),
    "name": _name,
    "version": lambda context: context.run.deployment_version,
    "flow_run_id": lambda context: str(context.run.id),
    "parameters": lambda context: dict(context.run.parameters),
}

__all__ = [*_READERS]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _READERS:
        raise AttributeError(f"A deployment has no runtime attribute {name!r}: choose one of {', '.join(_READERS)}.")
    context = current.get()
    flow_run = context.flow_run if context is not None else None
    deployed = flow_run if flow_run is not None and flow_run.run.deployment_id is not None else None
    return _EMPTY.get(name) if deployed is None else _READERS[name](deployed)
