"""Futures: handles on submitted task runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.engine.futures import (
    Future,
    FutureList,
    as_completed,
    resolve_futures_to_results,
    resolve_futures_to_states,
    wait,
)

if TYPE_CHECKING:
    from headrace.engine.distributed import DistributedFuture

__all__ = [
    "DistributedFuture", "Future", "FutureList", "as_completed", "resolve_futures_to_results", "resolve_futures_to_states",
    "wait",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What belongs to tasks that run elsewhere is loaded by those who use it."""
    if name != "DistributedFuture":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from headrace.engine.distributed import DistributedFuture

    return DistributedFuture
