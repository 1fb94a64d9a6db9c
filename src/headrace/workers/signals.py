"""What a terminal, or whoever ends services, says to a process that serves."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def stopping_at_signals(stop: Callable[[], None]) -> Generator[None]:
    """Call `stop` at every Ctrl-C and SIGTERM within the block. On other threads than the main one signals are others'."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(_number: int, _frame: object) -> None:
        stop()

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
