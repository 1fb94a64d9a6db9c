"""Processes of the server that are started in the background, and waited for when they end."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from headrace.base.errors import ConfigurationError
from headrace.cli.invocation import Invocation
from headrace.server.instances import make_folder

PATIENCE = 30.0
"""Seconds that a process has to end in good order."""

LARGEST_LOG = 4 * 1024 * 1024
"""The most bytes of a log to which another process adds its own."""


class Ended(ConfigurationError):
    """The process ended before it was ready; the message says why, as far as it said so."""


def start_in_background(invocation: Invocation, command: list[str], name: int | str) -> tuple[int, str, Path]:
    """Start a process of its own and wait until it is ready: its number, what it said then, and its log. Raises `Ended`."""
    log = make_folder(invocation.settings.home) / f"{name}.log"
    _put_away(log)
    ready, told = os.pipe()
    # What the one before it said stays: it may be why that one ended.
    with log.open("ab") as file:
        begun = file.tell()
        process = subprocess.Popen(
            [*command, "--ready-fd", str(told)],
            env=invocation.environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=[told],
            start_new_session=True,
        )
    log.chmod(0o600)
    os.close(told)
    with os.fdopen(ready) as answer:
        said = answer.read()
    if not said:
        raise Ended(_last_line(log, begun).removeprefix("Error: ") or "The process ended before it was ready.")
    return process.pid, said, log


def end_within(wait: Callable[[], None], seconds: float = PATIENCE) -> bool:
    """Whether what is waited for comes in time."""
    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(seconds)
    return not waiting.is_alive()


def _put_away(log: Path) -> None:
    """Begin a new log when the old one is large, and keep that one until the next time."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_name(f"{log.name}.1"))


def _last_line(log: Path, begun: int) -> str:
    """The last thing that was said since the log was this long."""
    with log.open("rb") as file:
        file.seek(begun)
        lines = file.read().decode(errors="replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")
