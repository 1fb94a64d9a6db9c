"""Locks on files. The system frees them when the process that holds them ends, however it ends."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
    import random

    # There is no shared lock by this door: a shared holder locks one byte of many, an exclusive one all of them.
    _BYTES = 1024

    def _lock(descriptor: int, *, shared: bool, wait: bool) -> int | None:
        while True:
            for place in random.sample(range(_BYTES), 8) if shared else (0,):
                os.lseek(descriptor, place, os.SEEK_SET)
                with suppress(OSError):
                    msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1 if shared else _BYTES)
                    return place
            if not wait:
                return None

    def _unlock(descriptor: int, place: int, *, shared: bool) -> None:
        os.lseek(descriptor, place, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1 if shared else _BYTES)

else:
    import fcntl

    def _lock(descriptor: int, *, shared: bool, wait: bool) -> int | None:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return None
        return 0

    def _unlock(descriptor: int, place: int, *, shared: bool) -> None:  # noqa: ARG001 - Windows needs to know
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class FileLock:
    """A lock on a file, which is made if need be: exclusive, or shared by many.

    Nobody deletes the file of a lock that somebody may hold. A forked child must `abandon` what it inherits.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._shared = False
        self._place: int | None = None

    def acquire(self, *, shared: bool = False) -> None:
        """Take the lock, as long as that takes; one that is held is released first."""
        self.release()
        self._place, self._shared = _lock(self._descriptor, shared=shared, wait=True), shared

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Take the lock if it is free, and say whether it is taken now; one that is held is released first."""
        self.release()
        self._place, self._shared = _lock(self._descriptor, shared=shared, wait=False), shared
        return self._place is not None

    def release(self) -> None:
        """Let others have the lock."""
        if self._place is not None:
            _unlock(self._descriptor, self._place, shared=self._shared)
            self._place = None

    def close(self) -> None:
        """Release the lock for good."""
        self.release()
        self.abandon()

    def abandon(self) -> None:
        """Close the file and no more: in a forked child, the lock stays its parent's."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._place = None

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold the lock exclusively."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def is_current(self) -> bool:
        """Whether the path still leads to the file of this lock."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False


# Presence: a file for each living process, locked by it -----------------------------------------------------------------

_PREFIX = "alive-"

LEDGER = "ledger-"
"""Begins the names of files that belong to the process whose presence lock's name follows."""


def take_presence(folder: Path) -> FileLock:
    """Take a presence lock under a new name, which is the name of its file. Files of the dead are cleared away."""
    for path in folder.glob(f"{_PREFIX}*"):
        is_present(folder, path.name)
    while True:
        lock = FileLock(folder / f"{_PREFIX}{uuid.uuid4().hex}")
        lock.acquire()
        if lock.is_current():
            return lock
        lock.close()  # somebody looked between making and locking, and took the file for a dead one's


def give_up_presence(lock: FileLock) -> None:
    """Release a presence lock and remove its file."""
    with suppress(OSError):
        lock.path.unlink()
    lock.close()


def is_present(folder: Path, name: str) -> bool:
    """Whether a living process holds the presence lock of that name. The file of a dead one is removed."""
    path = folder / name
    if not name.startswith(_PREFIX) or path.parent != folder or not path.exists():
        return False
    lock = FileLock(path)
    try:
        if not lock.try_acquire(shared=True):
            return True
        with suppress(OSError):
            path.unlink()
        return False
    finally:
        lock.close()


def list_left_ledgers(folder: Path) -> list[Path]:
    """The ledgers in a folder whose processes are dead, in the order of their names."""
    ledgers = sorted(folder.glob(f"{LEDGER}*"))
    names = {path: "-".join(path.name.removeprefix(LEDGER).split("-")[:2]) for path in ledgers}
    alive = {name: is_present(folder, name) for name in {*names.values()}}
    return [path for path in ledgers if not alive[names[path]]]
