"""Time limits for synchronous code.

On the main thread an alarm signal interrupts the code, blocking system calls included. On any other thread the code is
run in a thread of its own; past the limit an exception is injected, which the interpreter delivers at the next byte code.
Code that is inside a C call then cannot be interrupted: it is left behind, and the error says so.
"""

from __future__ import annotations

import contextlib
import contextvars
import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType
from typing import Any

from headrace.engine.places import current_seat, sitting
from headrace.engine.watchdog import watched

GRACE = 1.0
"""Seconds an interrupted thread has to end before it is left behind."""

KNOCK = 0.05
"""Seconds between alarms until one is heard: one that comes just before the code begins to block does not wake it."""

AGAIN = 5.0
"""Seconds after which code that went on in spite of its interrupt is interrupted again."""


class DeadlineExceeded(Exception):
    """Code ran longer than it may. `seconds` is its limit; `still_running` says that it could not be interrupted."""

    def __init__(self, seconds: float, still_running: bool = False) -> None:
        self.seconds = seconds
        self.still_running = still_running
        text = f"exceeded its time limit of {seconds:g} seconds"
        if still_running:
            text += "; the code could not be interrupted and is still running in its thread"
        super().__init__(text)


class DeadlineInterrupt(BaseException):
    """Raised inside the code that must stop. No `Exception`, so that user code does not take it for an error of its own."""


def call_within(seconds: float, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call the function and return what it returns; raise `DeadlineExceeded` when it takes longer than `seconds`."""
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        with watched(seconds):
            return _call_on_main_thread(seconds, function, args, kwargs)
    return _call_in_thread(seconds, function, args, kwargs)


def _call_on_main_thread(
    seconds: float, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    outer, interval = signal.getitimer(signal.ITIMER_REAL)
    if 0.0 < outer <= seconds:  # an enclosing limit comes first anyway
        return function(*args, **kwargs)
    interrupt = DeadlineInterrupt()
    armed = True
    began = time.monotonic()

    def stop(_signum: int, _frame: FrameType | None) -> None:
        if armed:
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
            raise interrupt

    handler = signal.signal(signal.SIGALRM, stop)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6), KNOCK)
            return function(*args, **kwargs)
        finally:
            armed = False  # an alarm between the end of the code and here is a late end, one after it is nothing
    except DeadlineInterrupt as raised:
        if raised is not interrupt:
            raise
        raise DeadlineExceeded(seconds) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if outer:
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 1e-6), interval)


def _call_in_thread(
    seconds: float, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    limited = _Limited(partial(contextvars.copy_context().run, function, *args, **kwargs))
    if not limited.ended.wait(seconds) and limited.interrupt():
        raise DeadlineExceeded(seconds, still_running=not limited.ended.wait(GRACE))
    limited.ended.wait()
    if limited.error is not None:
        raise limited.error
    return limited.value


class _Limited:
    """Code in a thread of its own, which can be interrupted for as long as it has not ended."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.ended = threading.Event()
        self._function = function
        self._seat = current_seat()
        self._lock = threading.Lock()
        self._over = False
        self._thread = threading.Thread(target=self._work, name="headrace-limited", daemon=True)
        self._thread.start()

    def interrupt(self) -> bool:
        """Have an exception raised in the code; False when it has just ended."""
        with self._lock:  # while it is held the thread cannot end, and its number cannot become another's
            if self._over:
                return False
            import ctypes

            number = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(DeadlineInterrupt))
            return True

    def _work(self) -> None:
        with contextlib.suppress(DeadlineInterrupt):  # it may arrive when the code has ended
            try:
                with sitting(self._seat):
                    self.value = self._function()
            except BaseException as error:
                self.error = error
            with self._lock:
                self._over = True
        self.ended.set()
