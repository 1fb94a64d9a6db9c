"""Locks on keys, held by a file beside the results: processes and threads of one machine take turns.

Where those do not do, users bring a lock manager (`headrace.locking`).
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Protocol

from headrace.base import errors
from headrace.engine.digests import digest

if TYPE_CHECKING:
    from pathlib import Path


class Lock(Protocol):
    """One holder's lock of one key."""

    def acquire(self) -> None:
        """Wait until nobody else holds it, and hold it."""
        ...

    def release(self) -> None:
        """Let the next one have it, if it is held."""
        ...


class LockManager(Protocol):
    """Keeps locks by key. A holder is a text that only one of those has who may want the lock."""

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """Wait for the lock, `acquire_timeout` seconds at most, and hold it, for `hold_timeout` seconds at most.

        Whether it is held; who holds it already has it.
        """
        ...

    async def aacquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """The same without blocking the running event loop."""
        ...

    def release_lock(self, key: str, holder: str) -> None:
        """Let the next one have it. Raises `UsageError` unless this holder holds it."""
        ...

    def is_locked(self, key: str) -> bool:
        """Whether anybody holds the lock."""
        ...

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether this holder holds it."""
        ...

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody holds the lock, `timeout` seconds at most; whether that came to be."""
        ...

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """The same without blocking the running event loop."""
        ...


class ManagedLock:
    """The lock of one key that a manager keeps for a holder."""

    def __init__(self, manager: LockManager, key: str, holder: str) -> None:
        self._manager = manager
        self._key = key
        self._holder = holder
        self._held: list[bool] = []  # a list, from which only one thread takes what is in it

    def acquire(self) -> None:
        """Wait until nobody else holds it, and hold it. Raises `UsageError` when the manager gives it to others only."""
        if not self._manager.acquire_lock(self._key, self._holder):
            raise errors.UsageError(f"{type(self._manager).__name__} did not give the lock of key {self._key!r}.")
        self._held.append(True)

    def release(self) -> None:
        """Let the next one have it. One that was held for too long is not held any more."""
        with contextlib.suppress(IndexError):
            self._held.pop()
            if self._manager.is_lock_holder(self._key, self._holder):
                self._manager.release_lock(self._key, self._holder)


class KeyLock:
    """The lock of one key. The kernel frees it when the process that holds it dies."""

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / ".locks" / digest(key.encode(errors="backslashreplace"), size=20)
        self._held: list[int] = []  # as above

    def acquire(self) -> None:
        """Wait until nobody else holds it, and hold it. Raises `UsageError` where files cannot be locked."""
        try:
            import fcntl
        except ImportError:
            raise errors.UsageError(
                "What is serializable needs a system whose files can be locked, or a lock manager."
            ) from None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except BaseException:
            os.close(descriptor)
            raise
        self._held.append(descriptor)

    def release(self) -> None:
        """Let the next one have it."""
        with contextlib.suppress(IndexError):
            os.close(self._held.pop())
