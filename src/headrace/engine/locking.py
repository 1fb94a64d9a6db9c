"""Locks on keys, held by a file beside the results: processes and threads of one machine take turns."""

from __future__ import annotations

import os
from pathlib import Path

from headrace.base import errors
from headrace.engine.digests import digest


class KeyLock:
    """The lock of one key. The kernel frees it when the process that holds it dies."""

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / ".locks" / digest(key.encode(errors="backslashreplace"), size=20)
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Wait until nobody else holds it, and hold it. Raises `UsageError` where files cannot be locked."""
        try:
            import fcntl
        except ImportError:
            raise errors.UsageError("Serializable transactions need a system whose files can be locked.") from None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
