"""Task runners: where submitted tasks are executed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headrace.engine.runner import TaskRunner, Work
from headrace.engine.runners.threads import ThreadPoolTaskRunner

if TYPE_CHECKING:
    from headrace.engine.background_runner import HeadraceTaskRunner
    from headrace.engine.delegates import execute
    from headrace.engine.runners.processes import ProcessPoolTaskRunner
    from headrace.engine.runners.remote import RemoteTaskRunner, WorkerDied

ConcurrentTaskRunner = ThreadPoolTaskRunner

__all__ = [
    "ConcurrentTaskRunner", "HeadraceTaskRunner", "ProcessPoolTaskRunner", "RemoteTaskRunner", "TaskRunner",
    "ThreadPoolTaskRunner", "Work", "WorkerDied", "execute",
]  # fmt: skip

_MODULES = {
    "HeadraceTaskRunner": "headrace.engine.background_runner",
    "ProcessPoolTaskRunner": "headrace.engine.runners.processes",
    "RemoteTaskRunner": "headrace.engine.runners.remote",
    "WorkerDied": "headrace.engine.runners.remote",
    "execute": "headrace.engine.delegates",
}


def __getattr__(name: str) -> Any:
    """What works with other processes is loaded by those who use it."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), name)
