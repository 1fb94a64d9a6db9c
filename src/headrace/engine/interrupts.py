"""Time limits for synchronous code.

On the main thread an alarm signal interrupts the code, blocking system calls included. On any other thread the code is
run in a thread of its own; past the limit an exception is injected, which the interpreter delivers at the next byte code.
Code that is inside a C call then cannot be interrupted: it is left behind, and the error says so.
"""

from __future__ import annotations

import contextvars
import ctypes
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

GRACE = 1.0
"""Seconds an interrupted thread has to end before it is left behind."""


class DeadlineExceeded(Exception):
    """Code ran longer than it may. `seconds` is its limit; `still_running` says that it could not be interrupted."""

    def __init__(self, seconds: float, still_running: bool = False) -> None:
        self.seconds = seconds
        self.still_running = still_running
        text = f"exceeded its time limit of {seconds:g} seconds"
        if still_running:
            text += "; the code could not be interrupted and is still running in its thread"
        super().__init__(text)


class _Interrupt(BaseException):
    """Raised inside the code that must stop. No `Exception`, so that user code does not take it for an error of its own."""


def call_within(seconds: float, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call the function and return what it returns; raise `DeadlineExceeded` when it takes longer than `seconds`."""
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        return _call_on_main_thread(seconds, function, args, kwargs)
    return _call_in_thread(seconds, function, args, kwargs)


def _call_on_main_thread(
    seconds: float, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    interrupt = _Interrupt()
    began = time.monotonic()

    def stop(_signum: int, _frame: FrameType | None) -> None:
        raise interrupt

    outer = signal.getitimer(signal.ITIMER_REAL)[0]
    if 0.0 < outer <= seconds:  # an enclosing limit comes first anyway
        return function(*args, **kwargs)
    handler = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
    try:
        return function(*args, **kwargs)
    except _Interrupt as raised:
        if raised is not interrupt:
            raise
        raise DeadlineExceeded(seconds) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if outer:
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 1e-6))


def _call_in_thread(
    seconds: float, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    context = contextvars.copy_context()
    ended = threading.Event()
    values: list[Any] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            values.append(context.run(lambda: function(*args, **kwargs)))
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=work, name="headrace-limited", daemon=True)
    thread.start()
    if not ended.wait(seconds):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Interrupt))
        raise DeadlineExceeded(seconds, still_running=not ended.wait(GRACE))
    if errors:
        raise errors[0]
    return values[0]
