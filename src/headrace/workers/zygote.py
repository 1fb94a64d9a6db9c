"""The process that runs are forked from.

It was started by the worker as a program of its own, has one thread and no connection, and has loaded what runs need: so a
fork of it is a fresh process that costs milliseconds. Each message on its channel brings the end of a stream; the fork
that gets it becomes the supervisor of one run, hears there what it is to do, and forks the process of the run.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import warnings
from collections.abc import Sequence
from pathlib import Path

from headrace.base.settings import load_settings

LAUNCH = b"*"
"""The message that brings a stream."""

READY = b"+"
"""What is said once everything is loaded."""

THREADED = b"-"
"""What is said instead when something that was loaded has threads which go on at a fork, so that none would be safe."""

PRELOADED = (
    "asyncio",
    "headrace",
    "headrace.artifacts",
    "headrace.connect",
    "headrace.context",
    "headrace.engine.flow_calls",
    "headrace.engine.loop",
    "headrace.engine.task_calls",
    "headrace.flows",
    "headrace.logging",
    "headrace.projects.entrypoints",
    "headrace.projects.steps.sequence",
    "headrace.runtime",
    "headrace.tasks",
    "headrace.workers.execution",
    "headrace.workers.supervisor",
    "pydantic",
)
"""What nearly every run needs."""

REMOTE = ("encodings.idna", "headrace.client.execution")
EMBEDDED = ("headrace.orchestration.execution", "headrace.storage.databases.sqlite.database")
"""The way to the orchestrator: a server, or a database directly."""


def main(arguments: Sequence[str]) -> int:
    """Fork until the worker is gone. Goes on in each process of a run as that run's execution, and returns its exit code."""
    channel = socket.socket(fileno=int(arguments[0]))
    _warm_up(remote=load_settings().api_url is not None)
    for module in arguments[1:]:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - a module may raise anything when it is loaded
            channel.send(f"The module {module} cannot be preloaded: {type(error).__name__}: {error}".encode()[:4096])
            return 1
    if not _is_alone():
        channel.send(THREADED)
        return 1
    # What is there by now is never looked at by the collector of a fork, so its memory stays shared.
    gc.collect()
    gc.freeze()
    channel.send(READY)
    control = _serve(channel)
    if control is None:
        return 0
    from headrace.workers.execution import execute
    from headrace.workers.supervisor import supervise

    charge = supervise(control)
    return 0 if charge is None else execute(charge)


def _warm_up(*, remote: bool) -> None:
    """Load what nearly every run needs."""
    for module in (*PRELOADED, *(REMOTE if remote else EMBEDDED)):
        importlib.import_module(module)
    if remote:
        import httpx2

        httpx2.Client(verify=False).close()


def _serve(channel: socket.socket) -> socket.socket | None:
    """Fork for every stream that comes; it is returned in the fork. None when no more will come."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a supervisor ended: its stream tells
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the worker's terminal is the worker's
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, len(LAUNCH), 1)
        if not message or not descriptors:
            return None
        (descriptor,) = descriptors
        if not os.fork():
            channel.close()
            return socket.socket(fileno=descriptor)
        os.close(descriptor)


def _is_alone() -> bool:
    """Whether this process has one thread when it forks. NumPy's linear algebra has some, and ends them before each fork."""
    if _count_threads() > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it is this that the fork finds out
            child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
    return _count_threads() == 1


def _count_threads() -> int:
    """The threads of this process, those that libraries started for themselves included."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:  # no Linux: those that Python knows of
        import threading

        return threading.active_count()
