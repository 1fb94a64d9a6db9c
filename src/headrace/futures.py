"""Futures: handles on submitted task runs."""

from headrace.engine.futures import (
    Future,
    FutureList,
    as_completed,
    resolve_futures_to_results,
    resolve_futures_to_states,
    wait,
)

__all__ = ["Future", "FutureList", "as_completed", "resolve_futures_to_results", "resolve_futures_to_states", "wait"]
