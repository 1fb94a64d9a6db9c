"""Futures: handles on submitted task runs."""

from headrace.engine.futures import Future, FutureList, as_completed, wait

__all__ = ["Future", "FutureList", "as_completed", "wait"]
