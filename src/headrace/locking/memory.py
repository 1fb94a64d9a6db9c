"""Locks that the threads and coroutines of one process share."""

from __future__ import annotations

import threading

from headrace.base import clock
from headrace.base.errors import UsageError
from headrace.engine.forks import after_fork

__all__ = ["MemoryLockManager"]

_freed: threading.Condition
_holders: dict[str, tuple[str, float]]
"""Who holds which lock, and until when."""


def _renew() -> None:
    global _freed, _holders
    _freed, _holders = threading.Condition(), {}


_renew()
after_fork(_renew)


class MemoryLockManager:
    """Keeps locks in memory: one lock for each key in the whole process, whichever manager is asked."""

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """Wait for the lock, `acquire_timeout` seconds at most, and hold it, for `hold_timeout` seconds at most.

        Whether it is held; who holds it already has it.
        """
        with _freed:
            free = self._wait(key, holder, acquire_timeout)
            if free:
                until = float("inf") if hold_timeout is None else clock.monotonic() + hold_timeout
                _holders[key] = (holder, until)
            return free

    async def aacquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """The same without blocking the running event loop."""
        from headrace.engine.loop import beside

        return await beside(lambda: self.acquire_lock(key, holder, acquire_timeout, hold_timeout))

    def release_lock(self, key: str, holder: str) -> None:
        """Let the next one have it. Raises `UsageError` unless this holder holds it."""
        with _freed:
            if _holder_of(key) != holder:
                raise UsageError(f"The lock of key {key!r} is not held by {holder!r}, so it cannot be released.")
            del _holders[key]
            _freed.notify_all()

    def is_locked(self, key: str) -> bool:
        """Whether anybody holds the lock."""
        with _freed:
            return _holder_of(key) is not None

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether this holder holds it."""
        with _freed:
            return _holder_of(key) == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody holds the lock, `timeout` seconds at most; whether that came to be."""
        with _freed:
            return self._wait(key, None, timeout)

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """The same without blocking the running event loop."""
        from headrace.engine.loop import beside

        return await beside(lambda: self.wait_for_lock(key, timeout))

    def _wait(self, key: str, holder: str | None, timeout: float | None) -> bool:
        """Wait, for somebody to give it back or to hold it for too long."""
        end = float("inf") if timeout is None else clock.monotonic() + timeout
        while _holder_of(key) not in (None, holder):
            now = clock.monotonic()
            if now >= end:
                return False
            longest = min(end, _holders[key][1]) - now
            _freed.wait(None if longest == float("inf") else longest)
        return True


def _holder_of(key: str) -> str | None:
    """Who holds it, who has not held it for too long yet."""
    holder, until = _holders.get(key, (None, 0.0))
    return holder if clock.monotonic() < until else None
