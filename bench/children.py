"""Run a script in a subject's environment with a scrubbed environment, and leave no process behind."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.environments import BENCH

SCRIPTS = BENCH / "scripts"
PR_SET_CHILD_SUBREAPER = 36
SCRIPT_LIMIT = 420
"""Seconds after which a script is ended and reported as failed."""


class ScriptFailed(Exception):
    """A script ended with an error or took too long; the message has its last words."""


@dataclass(frozen=True)
class Ended:
    """What a script took from outside, and what it reported from inside."""

    seconds: float
    report: dict[str, float | None]


def adopt_orphans() -> None:
    """Become the parent of what our children leave running (Linux), so that it can be ended too."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def scrub(home: Path, settings: dict[str, str]) -> dict[str, str]:
    """Return the whole environment of a child: nothing of ours but what is named here."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "DO_NOT_TRACK": "1",
        "HEADRACE_HOME": str(home / "headrace"),
        "PREFECT_HOME": str(home / "prefect"),
        **settings,
    }


def prepare(home: Path) -> None:
    """Make the home of a subject's children."""
    (home / "tmp").mkdir(parents=True)


def run_script(python: Path, script: tuple[str, ...], home: Path, settings: dict[str, str]) -> Ended:
    """Run a script of `bench/scripts` and return what it took and reported."""
    handed_back = home / "report.json"
    handed_back.unlink(missing_ok=True)
    name, *arguments = script
    command = [str(python), str(SCRIPTS / name), *arguments]
    seconds = run_command(command, home, {**settings, "BENCH_REPORT": str(handed_back)})
    return Ended(seconds, json.loads(handed_back.read_text()) if handed_back.exists() else {})


def run_command(command: list[str], home: Path, settings: dict[str, str]) -> float:
    """Run a command to its end and return its wall time. Whatever it leaves running is ended."""
    log = home / "output.log"
    with log.open("wb") as output:
        begin = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=home,
            env=scrub(home, settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        kept = running_children() - {child.pid}
        # Waiting with a timeout would look only every 50 ms whether the child has ended.
        watchdog = threading.Timer(SCRIPT_LIMIT, end_session, (child,))
        watchdog.daemon = True
        try:
            watchdog.start()
            code = child.wait()
            seconds = time.perf_counter() - begin
        finally:
            watchdog.cancel()
            end_session(child)
            end_others(kept)
    if seconds >= SCRIPT_LIMIT:
        raise ScriptFailed(f"no end after {SCRIPT_LIMIT} s")
    if code:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise ScriptFailed(f"exit code {code}: {lines[-1][:200] if lines else 'no output'}")
    return seconds


def end_session(child: subprocess.Popen[bytes]) -> None:
    """End a child with everything in its session; whoever waits for it is told."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def running_children() -> set[int]:
    """Return the processes whose parent we are, orphans that we adopted included; empty where that can't be known."""
    found: set[int] = set()
    for children in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in children.read_text().split())
    return found


def end_others(kept: set[int]) -> None:
    """End our children but those in `kept`, and then the orphans that reach us from them, until none is left."""
    for _ in range(100):
        strays = running_children() - kept
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
