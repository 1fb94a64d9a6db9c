"""A program that goes on in the background: its start, its end, and what it and all that it started cost meanwhile."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.children import ScriptFailed, end_others, end_session, running_children, scrub

STOP_LIMIT = 15
"""Seconds that a program has to end when it is asked to."""

TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def background(
    command: list[str], home: Path, settings: dict[str, str], log: Path
) -> Generator[subprocess.Popen[bytes]]:
    """Run a program for as long as the block takes. It is ended whatever happens, with everything that it started."""
    kept = running_children()
    with log.open("wb") as output:
        program = subprocess.Popen(
            command,
            cwd=home,
            env=scrub(home, settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield program
        finally:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                program.send_signal(signal.SIGTERM)
                program.wait(STOP_LIMIT)
            end_session(program)
            end_others(kept)


@dataclass(frozen=True)
class Cost:
    """What a program took over a while."""

    memory: float
    """MiB, at the end: each page that processes share is counted once (PSS)."""
    share: float
    """Of one core."""


def observe(programs: Sequence[subprocess.Popen[bytes]], seconds: float) -> list[Cost]:
    """Return what each program, with all that it started, costs over the same while.

    Raises `ScriptFailed` off Linux, and when a program has ended meanwhile.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        raise ScriptFailed("memory and processor time are read from /proc, which is not there")
    begin = time.perf_counter()
    before = [processor_seconds(program.pid) for program in programs]
    time.sleep(seconds)
    elapsed = time.perf_counter() - begin
    if any(program.poll() is not None for program in programs):
        raise ScriptFailed("one of those that were watched has ended")
    return [
        Cost(memory(program.pid), max(0.0, processor_seconds(program.pid) - used) / elapsed)
        for program, used in zip(programs, before, strict=True)
    ]


def family(pid: int) -> list[int]:
    """Return the process with all that it started and what those started, as far as they run."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in children.read_text().split()]
    return found


def memory(pid: int) -> float:
    """Return the MiB of a process and its family."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and its family have taken, children that have ended included."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS
