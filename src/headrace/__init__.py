"""Headrace turns plain Python functions into flows that are scheduled, retried, observed and resumed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.clients import get_client as get_client
    from headrace.context import tags as tags
    from headrace.deployments import aserve as aserve
    from headrace.deployments import deploy as deploy
    from headrace.deployments import serve as serve
    from headrace.engine.futures import allow_failure as allow_failure
    from headrace.engine.futures import quote as quote
    from headrace.engine.futures import unmapped as unmapped
    from headrace.flow_runs import apause_flow_run as apause_flow_run
    from headrace.flow_runs import aresume_flow_run as aresume_flow_run
    from headrace.flow_runs import asuspend_flow_run as asuspend_flow_run
    from headrace.flow_runs import pause_flow_run as pause_flow_run
    from headrace.flow_runs import resume_flow_run as resume_flow_run
    from headrace.flow_runs import suspend_flow_run as suspend_flow_run
    from headrace.flows import Flow as Flow
    from headrace.flows import flow as flow
    from headrace.logging import get_run_logger as get_run_logger
    from headrace.states import State as State
    from headrace.tasks import Task as Task
    from headrace.tasks import task as task
    from headrace.transactions import Transaction as Transaction

_ORIGINS = {
    "Flow": "headrace.flows",
    "State": "headrace.states",
    "Task": "headrace.tasks",
    "Transaction": "headrace.transactions",
    "allow_failure": "headrace.engine.futures",
    "apause_flow_run": "headrace.flow_runs",
    "aresume_flow_run": "headrace.flow_runs",
    "aserve": "headrace.deployments",
    "asuspend_flow_run": "headrace.flow_runs",
    "deploy": "headrace.deployments",
    "flow": "headrace.flows",
    "get_client": "headrace.clients",
    "get_run_logger": "headrace.logging",
    "pause_flow_run": "headrace.flow_runs",
    "quote": "headrace.engine.futures",
    "resume_flow_run": "headrace.flow_runs",
    "serve": "headrace.deployments",
    "suspend_flow_run": "headrace.flow_runs",
    "tags": "headrace.context",
    "task": "headrace.tasks",
    "unmapped": "headrace.engine.futures",
}

__all__ = [*_ORIGINS, "__version__"]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: an import pays only for what it takes."""
    if name not in _ORIGINS:
        raise AttributeError(f"module 'headrace' has no attribute {name!r}")
    value = getattr(import_module(_ORIGINS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
