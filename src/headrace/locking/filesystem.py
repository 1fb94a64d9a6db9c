"""Locks that the processes of one machine share, or of several that share a file system whose files can be locked."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from headrace.base import clock
from headrace.base.errors import UsageError
from headrace.engine.digests import digest

__all__ = ["FileSystemLockManager"]

SHORTEST, LONGEST = 0.002, 0.1
"""Seconds after which a lock that others hold is looked at again: twice as many each time."""


class FileSystemLockManager:
    """Keeps a file for each key, which its holder has locked: what a process holds comes free when it dies."""

    def __init__(self, lock_files_directory: Path | str) -> None:
        self.lock_files_directory = Path(lock_files_directory).expanduser().absolute()
        self._held: dict[str, tuple[str, int, threading.Timer | None]] = {}
        self._changing = threading.Lock()

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """Wait for the lock, `acquire_timeout` seconds at most, and hold it, for `hold_timeout` seconds at most.

        Whether it is held; who holds it already has it. Raises `UsageError` where files cannot be locked.
        """
        if self.is_lock_holder(key, holder):
            return True
        descriptor = self._lock(key, acquire_timeout)
        if descriptor is None:
            return False
        timer = None
        if hold_timeout is not None:
            timer = threading.Timer(hold_timeout, self._give_up, (key, descriptor))
            timer.daemon = True
        with self._changing:
            self._held[key] = (holder, descriptor, timer)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode(errors="backslashreplace"), 0)
        if timer is not None:
            timer.start()
        return True

    async def aacquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        """The same without blocking the running event loop."""
        from headrace.engine.loop import beside

        return await beside(lambda: self.acquire_lock(key, holder, acquire_timeout, hold_timeout))

    def release_lock(self, key: str, holder: str) -> None:
        """Let the next one have it. Raises `UsageError` unless this holder holds it, by this manager."""
        with self._changing:
            known, descriptor, timer = self._held.get(key, (None, -1, None))
            if known != holder:
                raise UsageError(f"The lock of key {key!r} is not held by {holder!r} here, so it cannot be released.")
            del self._held[key]
            os.close(descriptor)
        if timer is not None:
            timer.cancel()

    def is_locked(self, key: str) -> bool:
        """Whether anybody holds the lock. Raises `UsageError` where files cannot be locked."""
        return not self.wait_for_lock(key, 0)

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether this holder holds it, in whichever process. Raises `UsageError` where files cannot be locked."""
        return self.is_locked(key) and self._path(key).read_bytes() == holder.encode(errors="backslashreplace")

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody holds the lock, `timeout` seconds at most; whether that came to be."""
        if not self._path(key).exists():
            return True
        descriptor = self._lock(key, timeout)
        if descriptor is None:
            return False
        os.close(descriptor)
        return True

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """The same without blocking the running event loop."""
        from headrace.engine.loop import beside

        return await beside(lambda: self.wait_for_lock(key, timeout))

    def _lock(self, key: str, timeout: float | None) -> int | None:
        """The key's file, open and locked; None when that cannot be had in time."""
        try:
            import fcntl
        except ImportError:
            raise UsageError("FileSystemLockManager needs a system whose files can be locked.") from None
        try:
            self.lock_files_directory.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path(key), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"No locks can be kept in {self.lock_files_directory}: {error.strerror}.") from None
        try:
            if timeout is None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                return descriptor
            end, pause = clock.monotonic() + timeout, SHORTEST
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return descriptor
                left = end - clock.monotonic()
                if left <= 0:
                    break
                threading.Event().wait(min(pause, left))
                pause = min(2 * pause, LONGEST)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def _give_up(self, key: str, descriptor: int) -> None:
        """Let go of a lock that is held for too long, unless it has been given back meanwhile."""
        with self._changing:
            held = self._held.get(key)
            if held is not None and held[1] == descriptor:
                del self._held[key]
                os.close(descriptor)

    def _path(self, key: str) -> Path:
        return self.lock_files_directory / digest(key.encode(errors="backslashreplace"), size=20)
