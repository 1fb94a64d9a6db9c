"""The servers that were started from this home: who they are, and whether they still run.

Each holds a lock for as long as it lives, which the system frees when it dies; beside the lock stands who it is.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec
from msgspec import Struct

from headrace.base import clock
from headrace.base.errors import ConfigurationError
from headrace.storage.locks import FileLock

FOLDER = "servers"


SERVICES = "services"
"""The name of the place of a process that runs the background loops and serves nobody."""


class Instance(Struct, frozen=True, kw_only=True):
    """A server, or what runs loops only and has no `url`. `started` is in microseconds; `database` is its address without
    the password.
    """

    pid: int
    url: str
    version: str
    database: str
    started: int


class Registration:
    """This process's own place among the instances, until it is closed."""

    def __init__(self, lock: FileLock, record: Path) -> None:
        self._lock = lock
        self._record = record

    def close(self) -> None:
        """Give the place up."""
        self._record.unlink(missing_ok=True)
        self._lock.close()


def make_folder(home: Path) -> Path:
    """The folder of the instances and their logs, made if need be. Raises `ConfigurationError` when it cannot be."""
    folder = home / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} cannot be made: {error.strerror}. Set HEADRACE_HOME to a folder of yours."
        ) from None
    return folder


def register(home: Path, place: int | str, url: str, version: str, database: str) -> Registration:
    """Say that this process serves on the port, or runs the loops. Raises `ConfigurationError` when another does those."""
    folder = make_folder(home)
    lock = FileLock(folder / f"{place}.lock")
    if place == SERVICES:
        if not lock.try_acquire():
            lock.close()
            raise ConfigurationError("The background loops run already: `headrace server services ls` shows them.")
    else:
        # The port is ours already, so whoever holds the lock is just about to let go of it.
        lock.acquire()
    record = folder / f"{place}.json"
    instance = Instance(pid=os.getpid(), url=url, version=version, database=database, started=clock.micros())
    record.write_bytes(msgspec.json.encode(instance))
    record.chmod(0o600)
    return Registration(lock, record)


def find_instances(home: Path) -> dict[int, Instance]:
    """The servers of this home that run, by port."""
    found: dict[int, Instance] = {}
    for path in sorted((home / FOLDER).glob("*.lock")):
        instance = find_instance(home, int(path.stem)) if path.stem.isdecimal() else None
        if instance is not None:
            found[int(path.stem)] = instance
    return found


def find_instance(home: Path, place: int | str) -> Instance | None:
    """The server of this home that runs on the port, or what runs the loops."""
    path = home / FOLDER / f"{place}.lock"
    if not path.exists() or is_free(path):
        return None
    try:
        return msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Instance)
    except (OSError, msgspec.MsgspecError):
        return None  # it is just beginning, or just ending


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock."""
    lock = FileLock(path)
    try:
        return lock.try_acquire(shared=True)
    finally:
        lock.close()


def ask_to_stop(home: Path, place: int | str) -> Instance | None:
    """Tell the server on the port to end in good order, or what runs the loops; None when there is none."""
    instance = find_instance(home, place)
    if instance is not None:
        os.kill(instance.pid, signal.SIGTERM)
    return instance


def await_end(home: Path, place: int | str) -> None:
    """Wait until the server on the port has ended, or what runs the loops."""
    lock = FileLock(home / FOLDER / f"{place}.lock")
    lock.acquire(shared=True)
    lock.close()
