"""The process at the other end of a `ProcessPoolTaskRunner`: it is sent parcels through a pipe, and sends answers back.

It ends when its pipe does. A second pipe, its standard input, tells by its end that the process of the flow is gone, also
while something is executed here: that is interrupted then, as by Ctrl-C, and left behind if it goes on all the same.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from headrace.engine.delegates import execute
from headrace.engine.forks import after_fork

GRACE = 5.0
"""Seconds that code has to end when the process of its flow is gone."""


def serve(channel: Connection[Any, Any], perform: Callable[[bytes], bytes] = execute) -> None:
    """Answer every parcel until the other end is closed, or this process is to end."""
    try:
        sys.path[:], sys.argv[:] = channel.recv()
        while True:
            channel.send_bytes(perform(channel.recv_bytes()))
    except (EOFError, OSError, KeyboardInterrupt):
        return


def interrupt(_number: int, _frame: object) -> NoReturn:
    """End what is executed as Ctrl-C would, so that it is told like that."""
    raise KeyboardInterrupt


def leave_it_to_the_flow(_number: int, _frame: object) -> None:
    """A terminal interrupts this process with that of the flow, which knows what is to be done."""


def watch(descriptor: int, leave: Callable[[int], object] = os._exit) -> None:
    """Wait until the process of the flow is gone; then end this one."""
    while os.read(descriptor, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE)
    leave(1)


def main(channel: Connection[Any, Any]) -> None:
    """Be such a process."""
    os.set_inheritable(channel.fileno(), False)
    after_fork(channel.close)
    signal.signal(signal.SIGINT, leave_it_to_the_flow)
    signal.signal(signal.SIGTERM, interrupt)
    life = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=watch, args=(life,), name="headrace-watch", daemon=True).start()
    serve(channel)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is left to do at the end is brief


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
