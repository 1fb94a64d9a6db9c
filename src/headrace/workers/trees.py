"""Trees of processes: whoever descends from a process is found and ended, those that left its session included."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PROCESSES = Path("/proc")
_SET_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36

_process_control = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None) if sys.platform == "linux" else None
"""Linux's prctl; elsewhere orphans go to the first process, and a child outlives its parent."""


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, however it has detached itself."""
    if _process_control is not None:
        _process_control(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """Have this process killed when its parent, whose id is given, ends."""
    if _process_control is not None:
        _process_control(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it had ended before
            os.kill(os.getpid(), signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Every process that descends from `pid`, parents before children. Those that have ended already are left out."""
    children: dict[int, list[int]] = {}
    for entry in _PROCESSES.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # After the name, which may hold anything, closed by the last parenthesis: the state and the parent.
            state, parent = entry.joinpath("stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state not in {"Z", "X"}:
                children.setdefault(int(parent), []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += children.get(each, ())
    return found[1:]


def kill_descendants(pid: int) -> int:
    """Kill every process that descends from `pid`; how many there were. Called again until it says 0, none escapes."""
    found = descendants(pid)
    for each in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGKILL)
    return len(found)
