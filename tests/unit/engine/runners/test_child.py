"""The process at the other end, its parts as functions of this one."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing import Pipe
from typing import Any

import pytest

from headrace.engine.runners import child

LIMIT = 60


def twice(parcel: bytes) -> bytes:
    return parcel * 2


def leave_alone(_descriptor: int, _other: int) -> None:
    """The standard input of the tests stays as it is."""


@pytest.fixture
def path() -> Iterator[None]:
    path, argv = sys.path[:], sys.argv[:]
    yield
    sys.path[:], sys.argv[:] = path, argv


def test_parcels_are_answered_until_the_other_end_is_closed(path: None) -> None:
    ours, theirs = Pipe()
    thread = threading.Thread(target=child.serve, args=(theirs, twice))
    thread.start()
    ours.send((["/somewhere"], ["script.py", "-v"]))
    for parcel in (b"a", b"bc"):
        ours.send_bytes(parcel)
        assert ours.recv_bytes() == parcel * 2
    assert (sys.path, sys.argv) == (["/somewhere"], ["script.py", "-v"])
    ours.close()
    thread.join(LIMIT)
    assert not thread.is_alive()


def test_an_interrupt_ends_it(path: None) -> None:
    ours, theirs = Pipe()
    ours.send((sys.path, sys.argv))
    ours.send_bytes(b"a")

    def interrupted(_parcel: bytes) -> bytes:
        return child.interrupt(signal.SIGTERM, None)

    child.serve(theirs, interrupted)
    child.leave_it_to_the_flow(signal.SIGINT, None)


def test_when_the_flow_is_gone_it_is_interrupted_and_then_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "GRACE", 0.01)
    told: list[Any] = []
    monkeypatch.setattr(os, "kill", lambda process, number: told.append((process, number)))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    read, write = os.pipe()
    os.write(write, b"still there")
    os.close(write)
    child.watch(read, told.append)
    os.close(read)
    assert told == [(os.getpid(), signal.SIGTERM), 1]


def test_all_of_it(path: None, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(os, "dup2", leave_alone)
    closed: list[Any] = []
    monkeypatch.setattr(child, "after_fork", closed.append)
    watched: list[int] = []
    looked = threading.Event()

    def watch(descriptor: int) -> None:
        watched.append(descriptor)
        looked.set()

    monkeypatch.setattr(child, "watch", watch)
    ours, theirs = Pipe()
    ours.close()
    child.main(theirs)
    assert looked.wait(LIMIT)
    os.close(watched[0])
    assert closed == [theirs.close]
    assert handlers == {signal.SIGINT: child.leave_it_to_the_flow, signal.SIGTERM: signal.SIG_IGN}
    theirs.close()
