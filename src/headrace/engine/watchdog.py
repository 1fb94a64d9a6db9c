"""Who is told of time limits, to hold them where the code cannot be interrupted: whoever watches over this process.

Code inside a C call that holds the interpreter hears no alarm. In a supervised process its supervisor ends the process then;
in a user's own process nobody does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

Tell = Callable[[float], None]

_lock = threading.Lock()
_limits: dict[object, float] = {}
_tell: Tell | None = None


def set_watchdog(tell: Tell | None) -> None:
    """Have `tell` called with the next limit, as seconds of the monotonic clock, each time it changes; 0 for none."""
    global _tell  # noqa: PLW0603 - one per process
    _tell = tell
    _limits.clear()


@contextmanager
def watched(seconds: float | None) -> Generator[None]:
    """Have whoever watches know that what is in the block may take so many seconds."""
    if _tell is None or seconds is None:
        yield
        return
    limit = object()
    _change(limit, time.monotonic() + seconds)
    try:
        yield
    finally:
        _change(limit, None)


def _change(limit: object, until: float | None) -> None:
    with _lock:
        if until is None:
            _limits.pop(limit, None)
        else:
            _limits[limit] = until
        if _tell is not None:
            _tell(min(_limits.values(), default=0.0))
