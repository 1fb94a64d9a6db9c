"""The task run that executes here. Every attribute is None (or empty) outside of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.engine.context import TaskContext, current
from headrace.runtime import addresses

_EMPTY: dict[str, Any] = {"parameters": {}, "tags": [], "run_count": 0}

_READERS: dict[str, Callable[[TaskContext], Any]] = {
    "id": lambda context: str(context.run_id),
    "name": lambda context: context.name,
    "task_name": lambda context: context.task.name,
    "parameters": lambda context: dict(context.parameters),
    "tags": lambda context: list(context.tags),
    "run_count": lambda context: context.run_count,
    "api_url": lambda context: addresses.api_url(context, "task_runs", context.run_id),
    "ui_url": lambda context: addresses.ui_url(context, "task-runs", context.run_id),
}

__all__ = [*_READERS]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _READERS:
        raise AttributeError(f"A task run has no runtime attribute {name!r}: choose one of {', '.join(_READERS)}.")
    context = current.get()
    return _READERS[name](context) if isinstance(context, TaskContext) else _EMPTY.get(name)
