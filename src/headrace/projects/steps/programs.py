"""Running programs on behalf of steps: lists of arguments without a shell, each line told as it comes."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from headrace.base.errors import ConfigurationError

Log = Callable[[str], None]


def run_program(
    command: Sequence[str], directory: Path, environ: Mapping[str, str], log: Log | None
) -> tuple[str, str]:
    """What a program says on stdout and stderr, each line given to `log` as it comes, on the calling thread.

    Raises `ConfigurationError` in one line when there is no such program or it ends with another exit code than 0.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and directory.is_dir():
            raise ConfigurationError(
                f"There is no program {command[0]!r}; what a shell does is written as bash -c '…'."
            ) from None
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"{command[0]!r} cannot be started in {directory}: {reason}.") from None
    with process:
        try:
            said = _follow(process, log)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        lines = [line for line in (said[1] or said[0]) if line.strip()]
        last = f": {lines[-1].strip().rstrip('.')}" if lines else ""
        raise ConfigurationError(f"{command[0]!r} ended with exit code {process.returncode}{last}.")
    return "\n".join(said[0]).strip(), "\n".join(said[1]).strip()


def _follow(process: subprocess.Popen[str], log: Log | None) -> tuple[list[str], list[str]]:
    arrived: SimpleQueue[tuple[int, str | None]] = SimpleQueue()
    assert process.stdout is not None
    assert process.stderr is not None
    for number, stream in enumerate((process.stdout, process.stderr)):
        threading.Thread(target=_read, args=(number, stream, arrived), daemon=True).start()
    said: tuple[list[str], list[str]] = ([], [])
    open_streams = len(said)
    while open_streams:
        number, line = arrived.get()
        if line is None:
            open_streams -= 1
            continue
        said[number].append(line)
        if log is not None:
            log(line)
    return said


def _read(number: int, stream: IO[str], arrived: SimpleQueue[tuple[int, str | None]]) -> None:
    try:
        for line in stream:
            arrived.put((number, line.rstrip("\n")))
    finally:
        arrived.put((number, None))
